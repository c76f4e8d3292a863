"""What a guest that answers tells about itself: its data filesystem, Docker, and Watchtower as it runs. Reads only.

The other direction of `resources/guest/watchtower.py`: from the running container to the keys that describe it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from zerotoil.errors import LabError
from zerotoil.model.data_volume import Filesystem
from zerotoil.model.watchtower import WatchtowerSpec
from zerotoil.resources.guest import Guest
from zerotoil.resources.guest.watchtower import NAME, observed, shown_arguments

_SWITCHES = {"CLEANUP": "cleanup", "LABEL_ENABLE": "label_enable", "ROLLING_RESTART": "rolling_restart"}
_KNOWN = {*_SWITCHES, "SCHEDULE", "COOLDOWN_DELAY", "NOTIFICATION_URL", "NOTIFICATION_REPORT"}
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True)
class FoundGuest:
    """One guest. `watchtower` holds inventory keys, None where none runs; `remarks` say what could not be taken over."""

    filesystem: Filesystem | None = None
    docker: bool = False
    watchtower: dict[str, Any] | None = None
    remarks: list[str] = field(default_factory=list)


def read(guest: Callable[[], Guest]) -> FoundGuest | str:
    """The guest behind `guest`, or why it could not be read."""
    try:
        facts = guest().facts()
    except LabError as error:
        return str(error)
    data = facts["data"]
    filesystem = Filesystem(data["type"], data["label"], data["uuid"]) if data else None
    running = [item for item in facts["containers"] if item["Name"].lstrip("/") == NAME]
    keys, remarks = _watchtower(running[0]) if running else (None, [])
    return FoundGuest(filesystem, facts["units"].get("docker.service", {}).get("enabled") == "enabled", keys, remarks)


def _watchtower(container: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    have = observed(container)
    env = {name.removeprefix("WATCHTOWER_"): value for name, value in have["environment"].items()}
    keys: dict[str, Any] = {f"watchtower_{key}": env.get(name, "").lower() == "true" for name, key in _SWITCHES.items()}
    wanted = {
        "image": have["image"],
        "restart": have["restart policy"],
        "timezone": env.pop("TZ", None),
        "schedule": env.get("SCHEDULE"),
    }
    remarks = []
    for key, value in wanted.items():
        if value and _fits(key, value):
            keys[f"watchtower_{key}"] = value
        elif value:
            remarks.append(f"not taken over: watchtower_{key}, which is {value!r} there")
    if age := _age(env.get("COOLDOWN_DELAY", "")):
        keys["watchtower_cooldown"] = age
    if "SCHEDULE" not in env:
        remarks.append("not known: watchtower_schedule; there it looks at an interval, from now on at 03:30")
    if "NOTIFICATION_URL" in env:
        remarks.append("not known: watchtower_notify_url; put the URL into a file of mode 0600, it is not copied from there")
    remarks += [f"not taken over: WATCHTOWER_{name}, for which there is no key" for name in sorted(set(env) - _KNOWN)]
    remarks += (
        [f"not taken over: Watchtower's arguments {' '.join(shown_arguments(have['arguments']))}"] if have["arguments"] else []
    )
    return keys, remarks


def _fits(key: str, value: str) -> bool:
    try:
        WatchtowerSpec.model_validate({key: value})
    except ValueError:
        return False
    return True


def _age(delay: str) -> str | None:
    """ "3d" -> "3 days"; None for no delay, or one that is not whole hours, days or weeks."""
    number, unit = delay[:-1], delay[-1:]
    return f"{number} {_UNITS[unit]}" if number.isdecimal() and int(number) and unit in _UNITS else None
