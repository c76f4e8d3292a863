"""The order of a night: snapshot, then updates, then the comparison of declared and running. Pure.

Times are wall-clock times of the host's time zone. Only what comes once or several times a day at fixed hours has an
order that can be checked; a schedule of any other form is left to its owner.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from zerotoil.model.schedule import numbers
from zerotoil.model.units import Cron

_DAY = 86400
_OFTEN = 24  # times a day from which on every hour is as good
_LEAST = 300  # seconds between a snapshot and what it is to protect from
_MOST = _DAY // 2  # older than this a restore point is not fresh


def fixed_times(schedule: str) -> list[int]:
    """Seconds of the day at which a six-field schedule (second first) fires; empty where that cannot be told."""
    second, minutes, hours = schedule.split()[:3]
    try:
        times = product(numbers(hours, 0, 23), numbers(minutes, 0, 59), [int(second)])
        return sorted(hour * 3600 + minute * 60 + second for hour, minute, second in times)
    except ValueError:
        return []


def after(schedule: str, delay: int) -> list[int] | int:
    """Seconds of the day at which something runs `delay` seconds after a schedule, every day.

    An int where it fires often, or that cannot be told: the second of every hour.
    """
    times = fixed_times(schedule)
    if 0 < len(times) < _OFTEN:
        return sorted({(time + delay) % _DAY for time in times})
    minute = schedule.split()[1]
    start = int(minute) * 60 if minute.isdigit() else 0
    return (start + delay) % 3600


def every_day_at(times: list[int] | int, timezone: str) -> list[str]:
    """What `after` says, as lines of systemd's OnCalendar= (systemd.time(7))."""
    if isinstance(times, int):
        return [f"*-*-* *:{times // 60:02}:{times % 60:02} {timezone}"]
    return [f"*-*-* {time // 3600:02}:{time // 60 % 60:02}:{time % 60:02} {timezone}" for time in times]


def without_restore_point(snapshots: Sequence[Cron], updates: str) -> str:
    """What is wrong with the order of snapshots and updates (six fields); empty where it is right or cannot be told.

    Any of the schedules may make an update's restore point; where none does, the first one says why.
    """
    then = fixed_times(updates)
    found = [_without(snapshot, updates, then) for snapshot in snapshots]
    return next((found[0][time] for time in then if all(time in each for each in found)), "")


def _without(snapshot: Cron, updates: str, then: list[int]) -> dict[int, str]:
    """The updates (seconds of the day) that one schedule makes no restore point for, and why."""
    before = fixed_times(f"0 {snapshot.minute} {snapshot.hour}")
    if not before:
        return {}
    if [snapshot.dom, snapshot.month, snapshot.dow] not in (["*", "*", "*"], updates.split()[3:]):
        return dict.fromkeys(then, "the NAS does not snapshot on every day of the updates")
    found = {}
    for time in then:
        age = min((time - earlier) % _DAY for earlier in before)
        if age < _LEAST:
            found[time] = f"the updates at {_clock(time)} come less than {_LEAST // 60} minutes after a snapshot has begun"
        if age > _MOST:
            found[time] = f"the updates at {_clock(time)} find a restore point of {age // 3600} hours before"
    return found


def _clock(time: int) -> str:
    return f"{time // 3600:02}:{time // 60 % 60:02}"
