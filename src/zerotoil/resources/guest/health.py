"""Which containers of a host's apps are well, and whether its k3s is, from what was observed of the guest. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_DOCKER = ("com.docker.compose.project", "com.docker.compose.service")
_PODMAN = ("zerotoil.app", "zerotoil.service")


def healthy(facts: Mapping[str, Any], apps: list[str]) -> frozenset[str]:
    """The services of these apps, as APP/SERVICE, whose container runs and does not say that it is unhealthy; k3s as k3s/UNIT."""
    units = (facts.get("k3s") or {}).get("units") or {}
    k3s = {f"k3s/{unit}" for unit in units if unit.startswith("k3s") and units[unit].get("ActiveState") == "active"}
    return frozenset({name for name, well in _containers(facts) if well and name.partition("/")[0] in apps} | k3s)


def others(facts: Mapping[str, Any], apps: list[str]) -> frozenset[str]:
    """Containers that run and belong to no app of the inventory: a new OS disk does not have them."""
    running = {name for name, well in _containers(facts) if well and name.partition("/")[0] not in apps}
    return frozenset(running - {"watchtower"})


def _containers(facts: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    for item in facts.get("containers") or []:
        state = item.get("State") or {}
        health = state.get("Health")
        word = health.get("Status") if isinstance(health, dict) else health
        labels = (item.get("Config") or {}).get("Labels") or {}
        yield _name(labels, _DOCKER, item["Name"].lstrip("/")), state.get("Status") == "running" and word in (None, "", "healthy")
    for item in (facts.get("podman") or {}).get("containers") or []:
        status = str(item.get("Status") or "")
        name = _name(item.get("Labels") or {}, _PODMAN, next(iter(item.get("Names") or [""])))
        yield name, item.get("State") == "running" and not any(f"({word})" in status for word in ("unhealthy", "starting"))


def _name(labels: Mapping[str, str], keys: tuple[str, str], fallback: str) -> str:
    app, service = (labels.get(key, "") for key in keys)
    return f"{app}/{service or fallback}" if app else fallback
