"""What two apps of one host cannot both have. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from zerotoil.error_codes import Code
from zerotoil.model.compose import hostpath
from zerotoil.model.compose.app import App
from zerotoil.model.compose.findings import Finding, ordered
from zerotoil.model.compose.ports import Port
from zerotoil.model.compose.service import Service
from zerotoil.model.compose.source import Place


def across(apps: Sequence[App]) -> list[Finding]:
    """Everything that clashes among the apps of one host, at the later one of two."""
    return ordered([*_names(apps), *_containers(apps), *_ports(apps), *_private_files(apps)])


def _names(apps: Sequence[App]) -> Iterator[Finding]:
    seen: set[str] = set()
    for app in apps:
        if app.name in seen:
            yield app.finding(Code.APPS_CLASH, (), f"{app.name} is in the host's apps twice; remove one")
        seen.add(app.name)


def _containers(apps: Sequence[App]) -> Iterator[Finding]:
    """Names of containers, those that Compose makes up included: app a-b with service c is app a with service b-c."""
    taken: dict[str, str] = {}
    for app, service in _services(apps):
        names = [service.container_name] if service.container_name else []
        names = names or [f"{app.name}-{service.name}-{number + 1}" for number in range(service.replicas)]
        for name in names:
            other = taken.setdefault(name, _where(app, service))
            if other != _where(app, service):
                place: Place = ("services", service.name, "container_name")
                what = f"services.{service.name}: the container's name {name} is taken by {other}; every container needs its own"
                yield app.finding(Code.APPS_CLASH, place, what)
                break


def _ports(apps: Sequence[App]) -> Iterator[Finding]:
    taken: list[tuple[Port, str]] = []
    for app, service in _services(apps):
        if service.network_mode == "host":
            continue  # Docker ignores ports there
        told: set[int] = set()
        for port in service.ports:
            other = next((where for theirs, where in taken if port.clashes(theirs)), None)
            if other and port.index not in told:
                place: Place = ("services", service.name, "ports", port.index)
                what = f"services.{service.name}.ports[{port.index}]: port {port} is taken by {other}; publish another"
                yield app.finding(Code.APPS_CLASH, place, what)
                told.add(port.index)
            taken.append((port, f"{_where(app, service)}"))


def _private_files(apps: Sequence[App]) -> Iterator[Finding]:
    """Z keeps files for one container; another app that mounts them loses them at its next start."""
    mounts = [(app, service, bind) for app, service in _services(apps) for bind in service.binds if bind.where.labelled]
    for app, service, bind in mounts:
        for other, owner, theirs in mounts:
            if other.name == app.name or theirs.selinux != "Z" or not hostpath.overlap(bind.path, theirs.path):
                continue
            place: Place = ("services", service.name, "volumes", bind.index)
            what = (
                f"services.{service.name}.volumes[{bind.index}]: {bind.source} is kept by Z for {_where(other, owner)} alone; "
                "write z there"
            )
            yield app.finding(Code.APPS_CLASH, place, what)


def _services(apps: Sequence[App]) -> Iterator[tuple[App, Service]]:
    """Of every app, each once."""
    for app in {app.name: app for app in apps}.values():
        for service in app.services.values():
            yield app, service


def _where(app: App, service: Service) -> str:
    return f"{service.name} in {app.file}:{app.line('services', service.name)}"
