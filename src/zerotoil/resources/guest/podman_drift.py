"""Where an app's quadlets and containers differ from what is declared. Pure.

Compared with what `podman.sh observe` prints: the installed quadlets, `podman ps --all --format json` (podman 5.4,
ListContainer), and `systemctl show` of their services. A container says by a label from which unit it was made, as Compose
does by its config hash. It goes when its unit stops (quadlet runs it with --rm): systemd says why one is not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.render.quadlet import UNIT_LABEL, container_names, service_of
from zerotoil.resources.resource import Action, Change, Risk, created, updated

_RESTART = frozenset({"image", "made from unit"})
_LIVE = ("active", "activating", "reloading", "refreshing")


@dataclass(frozen=True)
class Seen:
    """What a guest has: installed quadlets by app, containers by name, services by name."""

    quadlets: Mapping[str, Mapping[str, str]]
    containers: Mapping[str, Mapping[str, Any]]
    units: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(cls, observed: Mapping[str, Any]) -> Seen:
        """From the JSON of `podman.sh observe`; an empty mapping is a guest that has nothing yet."""
        containers = {name: container for container in observed.get("containers", []) for name in container.get("Names") or []}
        return cls(observed.get("quadlets", {}), containers, _units(observed.get("units", "")))


def _units(shown: str) -> dict[str, dict[str, str]]:
    """`systemctl show` of several units: a block each, KEY=VALUE."""
    blocks = [dict(line.partition("=")[::2] for line in block.splitlines()) for block in shown.split("\n\n") if block.strip()]
    return {block["Id"]: block for block in blocks if "Id" in block}


def drift(app: str, files: Mapping[str, str], seen: Seen, owner: str) -> list[Change]:
    """What a deploy would change of one app. Raises LabError for a container of its name that is not ours."""
    return [*_quadlets(app, files, seen), *_containers(app, files, seen, owner)]


def left_over(apps: Mapping[str, Any], seen: Seen) -> list[Change]:
    """Apps that are installed and declared no more: they are stopped, and their data is kept."""
    gone = [app for app in seen.quadlets if app not in apps]
    return [Change(f"app {app}", Action.DELETE, "containers", "installed", "stopped, data kept", Risk.RESTART) for app in gone]


def _quadlets(app: str, files: Mapping[str, str], seen: Seen) -> Iterator[Change]:
    installed = seen.quadlets.get(app, {})
    for file, text in files.items():
        if file not in installed:
            yield Change(f"quadlet {file}", Action.CREATE, "file", None, text)
        elif installed[file] != text:
            yield Change(f"quadlet {file}", Action.UPDATE, "file", installed[file], text, Risk.RESTART)
    for file in installed:
        if file not in files:
            yield Change(f"quadlet {file}", Action.DELETE, "file", installed[file], None, Risk.RESTART)


def _containers(app: str, files: Mapping[str, str], seen: Seen, owner: str) -> Iterator[Change]:
    declared = container_names(files)
    for name, file in declared.items():
        container = seen.containers.get(name)
        if container is not None:
            _check_owner(name, container, owner)
        yield from _container(f"container {name}", files[file], container, seen.units.get(service_of(file)))
    for name, container in seen.containers.items():
        labels = container.get("Labels") or {}
        if name not in declared and (labels.get("zerotoil.app"), labels.get("zerotoil.owner")) == (app, owner):
            yield Change(f"container {name}", Action.DELETE, "container", container["Image"], None, Risk.RESTART)


def _check_owner(name: str, container: Mapping[str, Any], owner: str) -> None:
    found = (container.get("Labels") or {}).get("zerotoil.owner")
    if found != owner:
        raise LabError(
            f"a container named {name} is there that is not ours" + (f" but {found}'s" if found else ""),
            f"remove or rename it: podman rename {name} {name}-old",
            code=Code.CONTAINER_NOT_OURS,
        )


def _container(key: str, text: str, container: Mapping[str, Any] | None, unit: Mapping[str, str] | None) -> list[Change]:
    want = {"image": _value(text, "Image"), "made from unit": _value(text, f"Label={re.escape(UNIT_LABEL)}"), "state": "running"}
    known = unit is not None and unit.get("LoadState") != "not-found"
    if container is None and not known:
        return created(key, want)
    want["unit"] = "loaded"
    have = {"unit": _loaded(unit), "state": _state(container, unit)}
    if container is None:  # what it was made from is not known: it starts from the unit as it is
        return updated(key, {field: want[field] for field in have}, have)
    have |= {"image": container["Image"], "made from unit": (container.get("Labels") or {}).get(UNIT_LABEL, "")}
    return updated(key, want, have, _RESTART)


def _value(text: str, key: str) -> str:
    match = re.search(rf"^{key}=(.*)$", text, re.MULTILINE)
    return match[1] if match else ""


def _loaded(unit: Mapping[str, str] | None) -> str:
    if unit is None or unit.get("LoadState") == "not-found":
        return "unknown to systemd"
    if unit.get("LoadState") != "loaded":
        return unit.get("LoadState", "")  # masked, bad-setting, …
    return "changed, not loaded again" if unit.get("NeedDaemonReload") == "yes" else "loaded"


def _state(container: Mapping[str, Any] | None, unit: Mapping[str, str] | None) -> str:
    active, sub, result = ((unit or {}).get(key, "") for key in ("ActiveState", "SubState", "Result"))
    if container is not None:
        state = str(container["State"])
        return "running outside its unit" if state == "running" and active not in _LIVE else state
    if sub.startswith("auto-restart"):
        return f"restarting ({result})"
    if active == "failed":
        return f"failed ({result})"
    if active in _LIVE:
        return "starting" if active == "activating" else "removed"
    return "stopped"
