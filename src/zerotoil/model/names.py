"""What hosts, labs and clusters may be called: their names end up in host names, datasets, targets and labels alike. Pure."""

from __future__ import annotations

import re

NAME = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"


def named(name: str, what: str, example: str) -> str:
    """The name. Raises ValueError for one that could not stand in all of these places."""
    if not re.fullmatch(NAME, name):
        raise ValueError(f"{name!r} is not {what}; use a-z, 0-9 and '-' inside, at most 63, for instance {example}")
    return name
