"""When a host may restart into another OS: windows of a week. Pure.

Sources: systemd.time(7), calendar events; Zincati's usage/updates-strategy (periodic windows: days, start_time, length_minutes).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY = 24 * 60
LEAST = 10  # minutes that a host needs of a window
_EXAMPLE = 'write for instance "Sat 03:00-05:00", "Mon-Fri 02:30-03:30" or "03:00-05:00" for every day'


@dataclass(frozen=True)
class Window:
    """One window. `start` is minutes after midnight; one that ends at or before its start ends on the next day."""

    days: tuple[str, ...]
    start: int
    minutes: int
    text: str

    @classmethod
    def parse(cls, given: Any) -> Window:
        """ "Sat 03:00-05:00" -> Window(("Sat",), 180, 120, …). Raises ValueError with what would be right."""
        if isinstance(given, Window):
            return given
        found = re.fullmatch(r"(?:([A-Za-z,-]+) +)?(\d\d):(\d\d) *- *(\d\d):(\d\d)", str(given).strip())
        if not found:
            raise ValueError(f"{given!r} is no window; {_EXAMPLE}")
        hours = [int(number) for number in found.groups()[1:]]
        if max(hours[0], hours[2]) > 23 or max(hours[1], hours[3]) > 59:
            raise ValueError(f"{given!r}: there is no such time; write 00:00 to 23:59")
        start, end = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
        if start == end:
            raise ValueError(f"{given!r} ends when it begins, so it never opens; write a later end")
        if (end - start) % _DAY < LEAST:
            raise ValueError(
                f"{given!r} is shorter than {LEAST} minutes, and an updater looks every few minutes; write a later end"
            )
        days = _days(str(given), found[1]) if found[1] else DAYS
        return cls(days, start, (end - start) % _DAY, " ".join(str(given).split()))

    def at(self, minutes: int) -> tuple[tuple[str, ...], int]:
        """Days and minutes after midnight of a moment so long after the start."""
        moment = self.start + minutes
        ahead = moment // _DAY
        return tuple(day for day in DAYS if DAYS[(DAYS.index(day) - ahead) % 7] in self.days), moment % _DAY

    def __str__(self) -> str:
        return self.text


def _days(given: str, names: str) -> tuple[str, ...]:
    """ "Mon-Wed,Sat" -> the days, in the order of a week; "Sat-Mon" goes over its end."""
    chosen: set[str] = set()
    for part in names.split(","):
        first, dash, last = (word.capitalize() for word in part.partition("-"))
        ends = [first, last] if dash else [first, first]
        if any(end not in DAYS for end in ends):
            raise ValueError(f"{given!r}: {part!r} is no day; write {', '.join(DAYS)}, or two of them as Mon-Fri")
        low, high = map(DAYS.index, ends)
        chosen |= {DAYS[(low + step) % 7] for step in range((high - low) % 7 + 1)}
    return tuple(day for day in DAYS if day in chosen)


WindowKey = Annotated[Window, BeforeValidator(Window.parse)]


def clock(minutes: int) -> str:
    """200 -> "03:20"."""
    return f"{minutes // 60:02}:{minutes % 60:02}"
