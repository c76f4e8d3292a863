"""Values of a compose file in their plain form: the many notations of one thing become one. Pure.

Source: the Compose specification, "Services top-level elements". A value of the wrong form raises Refused.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Mapping
from typing import Any

from zerotoil.error_codes import Code
from zerotoil.render.quadlet.text import Refused

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(us|ms|h|m|s)")
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
_SIZE = re.compile(r"\d+([bkmg]b?)?", re.IGNORECASE)


def wrong(what: str, remedy: str) -> Refused:
    """A value that Compose would not take either."""
    return Refused(what, remedy, Code.QUADLET_WRONG_VALUE)


def text(value: Any) -> str:
    """A scalar as text, as Compose reads it: true stays "true"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise wrong(f"{value!r} is not one value", "write a text")


def texts(value: Any) -> list[str]:
    """A list, or one value in place of a list."""
    return [text(item) for item in value] if isinstance(value, list) else [text(value)]


def truth(value: Any) -> bool:
    """True or false; also in quotes, since a variable in a compose file is always a text."""
    if str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    raise wrong(f"{value!r} is neither true nor false", "write one of them")


def pairs(value: Any, separator: str = "=") -> dict[str, str | None]:
    """A mapping, or a list of NAME=VALUE; None for a name without a value."""
    if isinstance(value, Mapping):
        return {text(name): None if inner is None else text(inner) for name, inner in value.items()}
    found: dict[str, str | None] = {}
    for item in texts(value):
        name, given, inner = item.partition(separator)
        found[name] = inner if given else None
    return found


def mapping(value: Any) -> Mapping[str, Any]:
    """A mapping; nothing in its place is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise wrong(f"{value!r} is not a mapping", "write NAME: VALUE")
    return value


def only(value: Mapping[str, Any], known: set[str], remedy: str) -> None:
    """Refuse the keys of a mapping that are not among the known ones."""
    left = [name for name in value if name not in known and not str(name).startswith("x-")]
    if left:
        raise Refused(f"podman has nothing like {', '.join(map(str, left))} there", remedy)


def argv(value: Any) -> list[str]:
    """A command: a list, or a text that is split as a shell would, without running one."""
    if not isinstance(value, str):
        return texts(value)
    try:
        return shlex.split(value)
    except ValueError as error:
        raise wrong(f"{value!r} cannot be split into arguments ({error})", "write it as a list") from None


def seconds(value: Any) -> float:
    """Seconds of a duration such as 1m30s; a bare number is refused, as Compose refuses it."""
    found = _DURATION.findall(str(value))
    if not found or "".join(number + unit for number, unit in found) != str(value):
        raise wrong(f"{value!r} is not a duration", "write for instance 1m30s")
    return float(sum(float(number) * _SECONDS[unit] for number, unit in found))


def whole_seconds(value: Any) -> int:
    """The seconds of a duration, rounded up."""
    return math.ceil(seconds(value))


def size(value: Any) -> str:
    """A number of bytes such as 64m, which podman reads as Compose does."""
    if isinstance(value, bool) or not _SIZE.fullmatch(str(value)):
        raise wrong(f"{value!r} is not a size", "write for instance 64m")
    return str(value).lower()


def number(value: Any) -> str:
    """A number, whole or not."""
    if isinstance(value, bool) or not re.fullmatch(r"-?\d+(\.\d+)?", str(value)):
        raise wrong(f"{value!r} is not a number", "write for instance 2")
    return str(value)
