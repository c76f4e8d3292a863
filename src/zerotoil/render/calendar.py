"""A schedule of six fields (second minute hour day month weekday) in systemd's terms, OnCalendar=. Pure.

Source: systemd.time(7), "Calendar events"; the six fields are those of Watchtower (robfig/cron). Where the two differ in what
they can say, the schedule is refused: cron takes "day or weekday" where both are given, systemd takes both.
"""

from __future__ import annotations

import zoneinfo

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.schedule import FIELDS, numbers

_WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_EXAMPLE = 'write for instance "0 30 3 * * *" (03:30 every night)'


def on_calendar(schedule: str, timezone: str) -> str:
    """ "0 30 3 * * MON" in Europe/London -> "Mon *-*-* 03:30:00 Europe/London". Raises LabError for what cannot be said."""
    fields = schedule.split()
    if len(fields) != len(FIELDS):
        raise _refused(schedule, f"it has {len(fields)} fields, not six")
    if timezone not in zoneinfo.available_timezones():
        raise _refused(schedule, f"{timezone!r} is not a time zone", "write for instance Europe/London")
    chosen = []
    for (name, low, high), field in zip(FIELDS, fields, strict=True):
        try:
            found = numbers(field, low, high)
        except ValueError as error:
            raise _refused(schedule, f"{name} {error}") from None
        found = {number % 7 for number in found} if name == "weekday" else found
        every = range(low, 7 if name == "weekday" else high + 1)
        chosen.append(() if len(found) == len(every) else tuple(sorted(found)))
    _check_days(schedule, fields[3], fields[5], chosen[3], chosen[4])
    return _written(chosen, timezone)


def _written(chosen: list[tuple[int, ...]], timezone: str) -> str:
    second, minute, hour, day, month = (",".join(f"{number:02}" for number in each) or "*" for each in chosen[:5])
    weekdays = ",".join(_WEEKDAYS[number] for number in sorted(chosen[5], key=lambda number: number or 7))
    return f"{weekdays} *-{month}-{day} {hour}:{minute}:{second} {timezone}".lstrip()


def _check_days(schedule: str, day: str, weekday: str, days: tuple[int, ...], months: tuple[int, ...]) -> None:
    if day not in "*?" and weekday not in "*?":
        raise _refused(schedule, "day and weekday together mean either in cron, and both in systemd", "give one of them")
    longest = max(_LONGEST[month - 1] for month in months or range(1, 13))
    if days and min(days) > longest:
        raise _refused(schedule, f"no such month has a day {min(days)}")


def _refused(schedule: str, why: str, remedy: str = _EXAMPLE) -> LabError:
    return LabError(f"the schedule {schedule!r} cannot be given to systemd: {why}", remedy, code=Code.SCHEDULE_CANNOT_SAY)
