"""A schedule of six fields (second minute hour day month weekday) in systemd's terms, OnCalendar=. Pure.

Source: systemd.time(7), "Calendar events"; the six fields are those of Watchtower (robfig/cron). Where the two differ in what
they can say, the schedule is refused: cron takes "day or weekday" where both are given, systemd takes both.
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Iterator

from zerotoil.error_codes import Code
from zerotoil.errors import LabError

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_FIELDS = (
    ("second", 0, 59, ()),
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("weekday", 0, 6, _WEEKDAYS),
)
_PART = re.compile(r"(?P<first>[\w*?]+)(?:-(?P<last>\w+))?(?:/(?P<step>\d+))?")
_EXAMPLE = 'write for instance "0 30 3 * * *" (03:30 every night)'


def on_calendar(schedule: str, timezone: str) -> str:
    """ "0 30 3 * * MON" in Europe/London -> "Mon *-*-* 03:30:00 Europe/London". Raises LabError for what cannot be said."""
    fields = schedule.split()
    if len(fields) != len(_FIELDS):
        raise _refused(schedule, f"it has {len(fields)} fields, not six")
    if timezone not in zoneinfo.available_timezones():
        raise _refused(schedule, f"{timezone!r} is not a time zone", "write for instance Europe/London")
    chosen = []
    for (name, low, high, names), field in zip(_FIELDS, fields, strict=True):
        found = set(_numbers(schedule, name, field, low, high, names))
        chosen.append(() if len(found) > high - low else tuple(sorted(found)))
    _check_days(schedule, fields[3], fields[5], chosen[3], chosen[4])
    return _written(chosen, timezone)


def _written(chosen: list[tuple[int, ...]], timezone: str) -> str:
    second, minute, hour, day, month = (",".join(f"{number:02}" for number in numbers) or "*" for numbers in chosen[:5])
    weekdays = ",".join(_WEEKDAYS[number].title() for number in sorted(chosen[5], key=lambda number: number or 7))
    return f"{weekdays} *-{month}-{day} {hour}:{minute}:{second} {timezone}".lstrip()


def _check_days(schedule: str, day: str, weekday: str, days: tuple[int, ...], months: tuple[int, ...]) -> None:
    if day not in "*?" and weekday not in "*?":
        raise _refused(schedule, "day and weekday together mean either in cron, and both in systemd", "give one of them")
    longest = max(_LONGEST[month - 1] for month in months or range(1, 13))
    if days and min(days) > longest:
        raise _refused(schedule, f"no such month has a day {min(days)}")


def _numbers(schedule: str, name: str, field: str, low: int, high: int, names: tuple[str, ...]) -> Iterator[int]:
    for part in field.split(","):
        match = _PART.fullmatch(part)
        if not match or match["step"] == "0":
            raise _refused(schedule, f"{part!r} is not a {name}")
        if match["first"] in ("*", "?") and not match["last"]:
            first, last = low, high
        else:
            first = _number(schedule, name, match["first"], names)
            # cron's 5/10 goes on from 5 to the end; 5 alone is just that
            last = _number(schedule, name, match["last"], names) if match["last"] else high if match["step"] else first
        if name == "weekday" and last == 7:  # both ends of the week are Sunday
            yield 0
            first, last = (first, 6) if first < 7 else (0, 0)
        if not low <= first <= last <= high:
            raise _refused(schedule, f"{name} {part!r} is outside {low}-{high}, or runs backwards")
        yield from range(first, last + 1, int(match["step"] or 1))


def _number(schedule: str, name: str, text: str, names: tuple[str, ...]) -> int:
    if text.upper() in names:
        return names.index(text.upper()) + (1 if names is _MONTHS else 0)
    if not text.isdecimal():
        raise _refused(schedule, f"{text!r} is not a {name}")
    return int(text)


def _refused(schedule: str, why: str, remedy: str = _EXAMPLE) -> LabError:
    return LabError(f"the schedule {schedule!r} cannot be given to systemd: {why}", remedy, code=Code.SCHEDULE_CANNOT_SAY)
