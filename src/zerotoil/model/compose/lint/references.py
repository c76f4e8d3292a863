"""Names that a compose file uses and does not declare, and what Compose checks besides its schema. Pure.

Source: compose-go's loader/validate.go.
"""

from __future__ import annotations

import graphlib
import posixpath
from collections.abc import Iterable, Iterator

from zerotoil.error_codes import Code
from zerotoil.model.compose.app import App
from zerotoil.model.compose.findings import Finding
from zerotoil.model.compose.mounts import is_true
from zerotoil.model.compose.service import Service, entry
from zerotoil.model.compose.source import Place
from zerotoil.model.wording import near


def references(app: App) -> Iterator[Finding]:
    """Findings about names that lead nowhere."""
    for service in app.services.values():
        place = ("services", service.name)
        if not service.image and not service.build and service.name not in app.misread:
            yield _finding(app, place, f"services.{service.name}: image is missing")
        given = app.document["services"][service.name]
        for dependency in service.depends_on:
            if dependency not in app.services:
                at = (*place, "depends_on", entry(given.get("depends_on"), dependency))
                yield _undeclared(app, at, "service", dependency, app.services)
        for volume in service.volumes:
            if volume.name not in app.part("volumes"):
                yield _undeclared(app, (*place, "volumes", volume.index), "volume", volume.name, app.part("volumes"))
        yield from _listed(app, service)
        yield from _other(app, service)
    yield from _circle(app)


def _listed(app: App, service: Service) -> Iterator[Finding]:
    """Networks, secrets and configs."""
    given = app.document["services"][service.name].get("networks") or []
    for network in given:
        if network is not None and network not in (*app.part("networks"), "default"):
            place = ("services", service.name, "networks", entry(given, str(network)))
            yield _undeclared(app, place, "network", str(network), app.part("networks"))
    for kind, names in (("secrets", service.secrets), ("configs", service.configs)):
        for index, name in enumerate(names):
            if name not in app.part(kind):
                yield _undeclared(app, ("services", service.name, kind, index), kind[:-1], name, app.part(kind))


def _other(app: App, service: Service) -> Iterator[Finding]:
    where, place = f"services.{service.name}", ("services", service.name)
    if service.replicas > 1 and service.container_name:
        what = f"{where}: {service.replicas} containers cannot have one container_name; leave it out"
        yield _finding(app, (*place, "container_name"), what)
    given = app.document["services"][service.name]
    if service.network_mode and given.get("networks"):
        yield _finding(app, (*place, "network_mode"), f"{where}: network_mode and networks exclude each other; leave one out")
    test = (given.get("healthcheck") or {}).get("test")
    if isinstance(test, list) and test and test[0] not in ("CMD", "CMD-SHELL", "NONE", None):
        what = f'{where}.healthcheck.test begins with {test[0]}; write ["CMD", …] or ["CMD-SHELL", "…"]'
        yield _finding(app, (*place, "healthcheck", "test"), what)
    entries = given.get("env_file")
    for index, item in enumerate(entries if isinstance(entries, list) else [entries]):
        name = item.get("path", "") if isinstance(item, dict) else item or ""
        optional = isinstance(item, dict) and "required" in item and not is_true(item["required"])
        if name and not optional and posixpath.normpath(name) not in app.files:
            yield _finding(app, (*place, "env_file", index), f"{where}.env_file: there is no {name} in apps/{app.name}")


def _circle(app: App) -> Iterator[Finding]:
    known = {name: [other for other in service.depends_on if other in app.services] for name, service in app.services.items()}
    try:
        graphlib.TopologicalSorter(known).prepare()
    except graphlib.CycleError as error:
        names = list(reversed(error.args[1]))
        what = f"services.{names[0]}: depends_on goes round in a circle: {' -> '.join(names)}"
        yield _finding(app, ("services", names[0], "depends_on"), what)


def _undeclared(app: App, place: Place, kind: str, name: str, known: Iterable[str]) -> Finding:
    meant = near(name, known)
    section = f"{kind}s"
    right = f"did you mean {meant}?" if meant else f"write it below {section}: at the left margin"
    if kind == "service" and not meant:
        right = f"there are {', '.join(known)}"
    return _finding(app, place, f"services.{place[1]}: there is no {kind} {name}; {right}")


def _finding(app: App, place: Place, what: str) -> Finding:
    return app.finding(Code.COMPOSE_WRONG, place, what)
