"""Which containers of a host's apps are well, and whether its k3s is, from what was observed of the guest. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_DOCKER = "docker.service"


def healthy(facts: Mapping[str, Any], apps: list[str], backend: str) -> frozenset[str]:
    """The services of these apps, as APP/SERVICE, whose container runs and does not say that it is unhealthy; k3s as k3s/UNIT;
    docker.service where Docker is the backend.
    """
    engine = {_DOCKER} if backend == "docker" and facts.get("units", {}).get(_DOCKER, {}).get("active") == "active" else set()
    units = (facts.get("k3s") or {}).get("units") or {}
    k3s = {f"k3s/{unit}" for unit in units if unit.startswith("k3s") and units[unit].get("ActiveState") == "active"}
    return frozenset({name for name, well in _containers(facts) if well and name.partition("/")[0] in apps} | k3s | engine)


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
        yield _compose(labels, item["Name"].lstrip("/")), state.get("Status") == "running" and word in (None, "", "healthy")
    for item in (facts.get("podman") or {}).get("containers") or []:
        status = str(item.get("Status") or "")
        name = _quadlet(item.get("Labels") or {}, next(iter(item.get("Names") or [""])))
        yield name, item.get("State") == "running" and not any(f"({word})" in status for word in ("unhealthy", "starting"))


def _compose(labels: Mapping[str, str], fallback: str) -> str:
    app, service = (labels.get(f"com.docker.compose.{key}", "") for key in ("project", "service"))
    return f"{app}/{service or fallback}" if app else fallback


def _quadlet(labels: Mapping[str, str], fallback: str) -> str:
    """By the unit that made the container, which is named APP-SERVICE (podman sets this label)."""
    app, unit = labels.get("zerotoil.app", ""), labels.get("PODMAN_SYSTEMD_UNIT", "")
    return f"{app}/{unit.removesuffix('.service').removeprefix(f'{app}-') or fallback}" if app else fallback
