"""When a schedule of six fields (second first) comes round next. Pure.

As github.com/robfig/cron reads it, which Watchtower uses: where both day fields are restricted, either may hold; a time that a
change of the clocks leaves out does not come.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from zerotoil.model.units import CRON_FIELDS, Cron

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
FIELDS = (("second", 0, 59), *CRON_FIELDS)
_GAPS_FROM, _GAPS_DAYS = date(2027, 1, 1), 2 * 366  # any two years: weekdays move through the months
_FARTHEST = 366 * 9  # days; the 29th of February is at most eight years away


def next_run(schedule: str, zone: str, after: datetime) -> datetime | None:
    """The first time after `after` (with a time zone), in `zone`; None where the schedule never comes or cannot be read."""
    fields = schedule.lower().split()
    try:
        seconds, minutes, hours, days, months, weekdays = (
            numbers(field, low, high) for field, (_, low, high) in zip(fields, FIELDS, strict=True)
        )
    except ValueError:
        return None
    weekdays = {day % 7 for day in weekdays}
    either = not any(field[0] in "*?" for field in (fields[3], fields[5]))
    here = ZoneInfo(zone)
    start = after.astimezone(here)
    for ahead in range(_FARTHEST):
        day = start.date() + timedelta(days=ahead)
        fits = (day.day in days, day.isoweekday() % 7 in weekdays)
        if day.month not in months or not (any(fits) if either else all(fits)):
            continue
        found = _first(day, here, after, sorted(hours), sorted(minutes), sorted(seconds))
        if found:
            return found
    return None


@cache
def longest_gap(schedule: Cron) -> timedelta | None:
    """The longest time between two runs of a schedule of five fields, within a year; None where it never comes twice.

    An hour more or less at a change of the clocks is left out.
    """
    fields = (schedule.minute, schedule.hour, schedule.dom, schedule.month, schedule.dow)
    minutes, hours, days, months, weekdays = (
        numbers(field, low, high) for field, (_, low, high) in zip(fields, CRON_FIELDS, strict=True)
    )
    weekdays = {day % 7 for day in weekdays}
    either = not any(field[0] == "*" for field in (schedule.dom, schedule.dow))
    runs = [
        day
        for day in (_GAPS_FROM + timedelta(days=ahead) for ahead in range(_GAPS_DAYS))
        if day.month in months and (any if either else all)((day.day in days, day.isoweekday() % 7 in weekdays))
    ]
    if len(runs) < 2:
        return None
    times = sorted(timedelta(hours=hour, minutes=minute) for hour in hours for minute in minutes)
    within = max((later - earlier for earlier, later in pairwise(times)), default=timedelta())
    return max(within, max(later - earlier for earlier, later in pairwise(runs)) - (times[-1] - times[0]))


def _first(
    day: date, zone: ZoneInfo, after: datetime, hours: list[int], minutes: list[int], seconds: list[int]
) -> datetime | None:
    """The first time of a day that exists there and is after `after`."""
    for hour in hours:
        for minute in minutes:
            for second in seconds:
                moment = datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=zone)
                exists = moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == moment.replace(tzinfo=None)
                if exists and moment.astimezone(UTC) > after.astimezone(UTC):
                    return moment
    return None


def numbers(field: str, low: int, high: int) -> set[int]:
    """The numbers that a field of a schedule means: "*/15", "1-5", "mon,thu". Raises ValueError for what is none.

    Both ends of a week are Sunday: a weekday, from 0 to 7, may come as either.
    """
    found: set[int] = set()
    end = 6 if high == 7 else high
    for part in field.split(","):
        match = re.fullmatch(r"(\*|\?|\w+)(?:-(\w+))?(?:/(\d+))?", part)
        step = int(match[3] or 1) if match else 0
        if not match or step == 0:
            raise ValueError(f"{part!r} cannot be read")
        if match[1] in "*?":
            first, last = low, end
        else:
            first = _number(match[1], high)
            # 5/10 goes on from 5 to the end; 5 alone is just that
            last = _number(match[2], high) if match[2] else (end if match[3] else first)
        if not low <= first <= last <= high:
            raise ValueError(f"{part!r} is outside {low}-{high}, or runs backwards")
        found |= set(range(first, last + 1, step))
    return found


def _number(text: str, high: int) -> int:
    """A number, or the name of a month or weekday where the field is one."""
    names = {12: _MONTHS, 7: _DAYS}.get(high, ())
    if text.lower() in names:
        return names.index(text.lower()) + (1 if names is _MONTHS else 0)
    if not text.isdecimal():
        raise ValueError(f"{text!r} cannot be read")
    return int(text)
