"""What hosts, labs and clusters may be called: their names end up in host names, datasets, targets and labels alike; servers and
time zones, as they are written in several sections. Pure."""

from __future__ import annotations

import re
import zoneinfo

NAME = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"


def plain_url(url: str | None, example: str) -> str | None:
    """The URL of a server, without a slash at its end. Raises ValueError for one with a login or a query in it."""
    if url is None:
        return None
    if not re.fullmatch(r"https?://[^\s'\"\\@?#]+", url):
        shown = "a login in it is shown to everybody" if "@" in url else f"{url!r} is no URL"
        raise ValueError(f"{shown}; write for instance {example}")
    return url.rstrip("/")


def time_zone(zone: str) -> str:
    """The time zone. Raises ValueError for one that is not in the IANA's list."""
    if zone not in zoneinfo.available_timezones():
        raise ValueError(f"{zone!r} is no time zone; write for instance Europe/Berlin")
    return zone


def named(name: str, what: str, example: str) -> str:
    """The name. Raises ValueError for one that could not stand in all of these places."""
    if not re.fullmatch(NAME, name):
        raise ValueError(f"{name!r} is not {what}; use a-z, 0-9 and '-' inside, at most 63, for instance {example}")
    return name
