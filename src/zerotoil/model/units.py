"""Sizes, durations and schedules as people write them: "4 GiB", "14 days", "0 2 * * *"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Strict

_SIZE_UNITS = {
    "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3, "TiB": 1024**4,
    "kB": 1000, "KB": 1000, "MB": 1000**2, "GB": 1000**3, "TB": 1000**4,
}  # fmt: skip
_BY_LETTER = {"k": "KiB", "m": "MiB", "g": "GiB", "t": "TiB"}
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 7 * 86400}
_LIFETIME_UNITS = ("hour", "day", "week", "month", "year")


def parse_size(text: Any) -> int:
    """Bytes of a size such as "4 GiB" or "500 GB". A bare number is refused: it hides its unit."""
    if re.fullmatch(r"\d+(\.\d+)?", str(text)):
        raise ValueError(f'{text} has no unit; write for instance "{text} {"MiB" if float(text) >= 512 else "GiB"}"')
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*", str(text))
    if not match or match[2] not in _SIZE_UNITS:
        guess = _BY_LETTER.get(match[2][0].lower()) if match else None
        example = f"{match[1]} {guess}" if match and guess else "4 GiB"
        raise ValueError(f'{text!r} is not a size; write for instance "{example}" (units: {", ".join(_SIZE_UNITS)})')
    size = float(match[1]) * _SIZE_UNITS[match[2]]
    if size >= 2**63:
        raise ValueError(f'{text!r} is more than any volume can have; write for instance "4 TiB"')
    if size <= 0 or size != int(size):
        raise ValueError(f'{text!r} is not a whole, positive number of bytes; write for instance "4 GiB"')
    return int(size)


def format_size(size: int) -> str:
    """The shortest exact form of a number of bytes: 4294967296 -> "4 GiB"."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if size and size % _SIZE_UNITS[unit] == 0:
            return f"{size // _SIZE_UNITS[unit]} {unit}"
    return f"{size} B"


def _number_and_unit(text: Any, units: tuple[str, ...], example: str) -> tuple[int, str]:
    match = re.fullmatch(r"\s*(\d+)\s*([a-z]+?)s?\s*", str(text))
    if not match or match[2] not in units or int(match[1]) == 0:
        known = ", ".join(f"{unit}s" for unit in units)
        raise ValueError(f'{text!r} is not a duration; write for instance "{example}" (units: {known})')
    return int(match[1]), match[2]


def parse_seconds(text: Any) -> int:
    """Seconds of a duration such as "10 minutes"."""
    number, unit = _number_and_unit(text, tuple(_SECONDS), "10 minutes")
    return number * _SECONDS[unit]


def format_seconds(seconds: int) -> str:
    """The shortest exact form of a duration: 21600 -> "6 hours"."""
    name = next(name for name in reversed(_SECONDS) if seconds % _SECONDS[name] == 0)
    number = seconds // _SECONDS[name]
    return f"{number} {name}{'s' if number != 1 else ''}"


@dataclass(frozen=True)
class Lifetime:
    """How long a snapshot is kept, in the units TrueNAS knows (hour, day, week, month, year)."""

    value: int
    unit: str

    @classmethod
    def parse(cls, text: Any) -> Lifetime:
        """ "14 days" -> Lifetime(14, "day")."""
        if isinstance(text, Lifetime):
            return text
        return cls(*_number_and_unit(text, _LIFETIME_UNITS, "14 days"))

    def __str__(self) -> str:
        return f"{self.value} {self.unit}{'s' if self.value != 1 else ''}"


CRON_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("weekday", 0, 7))


@dataclass(frozen=True)
class Cron:
    """A five-field schedule, in the server's local time."""

    minute: str
    hour: str
    dom: str
    month: str
    dow: str

    @classmethod
    def parse(cls, text: Any) -> Cron:
        """ "0 2 * * *" -> every night at 02:00."""
        if isinstance(text, Cron):
            return text
        fields = str(text).split()
        if len(fields) != 5:
            raise ValueError(f'{text!r} is not a schedule of five fields; write for instance "0 2 * * *" (every night at 02:00)')
        for (name, low, high), field in zip(CRON_FIELDS, fields, strict=True):
            check_cron_field(name, field, low, high)
        return cls(*fields)

    def __str__(self) -> str:
        return f"{self.minute} {self.hour} {self.dom} {self.month} {self.dow}"


def check_cron_field(name: str, field: str, low: int, high: int) -> None:
    """Raise ValueError for what is no field of a schedule, or outside its range."""
    for part in field.split(","):
        match = re.fullmatch(r"(\*|\d+(?:-\d+)?)(?:/(\d+))?", part)
        if not match or (match[2] and int(match[2]) == 0):
            raise ValueError(f"{field!r} is not a {name} of a schedule; write a number from {low} to {high}, *, a-b, a,b or */n")
        if match[1] != "*" and not all(low <= int(number) <= high for number in match[1].split("-")):
            raise ValueError(f"{name} {field!r} is outside {low}-{high}")
        first, dash, last = match[1].partition("-")
        if dash and int(first) > int(last):
            raise ValueError(f"{name} {field!r} runs backwards; write {last}-{first}")


Int = Annotated[int, Strict()]  # "2" and True are no numbers, or a typo would pass for one
Bool = Annotated[bool, Strict()]  # "no" is not False to everybody
Size = Annotated[int, BeforeValidator(parse_size)]
Seconds = Annotated[int, BeforeValidator(parse_seconds)]
KeepFor = Annotated[Lifetime, BeforeValidator(Lifetime.parse)]
Schedule = Annotated[Cron, BeforeValidator(Cron.parse)]
