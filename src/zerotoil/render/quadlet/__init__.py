"""A compose app as quadlets: the units that podman's generator makes services of. Pure.

The same compose.yaml that Docker Compose runs, in the terms of podman 5 (podman-systemd.unit(5)). All that cannot be
expressed is refused at once, each with app, service, key and what to write instead.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zerotoil.error_codes import Code
from zerotoil.errors import LabError, coded
from zerotoil.render.quadlet import networks, reading
from zerotoil.render.quadlet.app import App, Service
from zerotoil.render.quadlet.container import UNIT_LABEL, container_unit
from zerotoil.render.quadlet.text import Line, Refused, unit

__all__ = ["UNIT_LABEL", "Refusal", "Refusals", "container_names", "quadlets", "service_of", "unit_clashes"]

_TOP = {"name", "version", "services", "networks", "volumes", "secrets", "configs"}
_SERVICE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Refusal:
    """One thing in an app's compose file that podman cannot be given. `service` is empty for a top-level key."""

    app: str
    service: str
    key: str
    what: str
    remedy: str
    code: Code

    def __str__(self) -> str:
        place = ": ".join(part for part in (f"service {self.service}" if self.service else "", self.key) if part)
        return f"app {self.app}: {place}: {self.what}; {self.remedy}"

    @property
    def shown(self) -> str:
        """The line with the code at its end."""
        return coded(str(self), self.code)


class Refusals(LabError):
    """All that podman cannot be given of one app, a line each; the error has the code of the first."""

    def __init__(self, found: Sequence[Refusal]) -> None:
        self.found = list(found)
        super().__init__("\n".join(map(str, self.found)), code=self.found[0].code)

    @property
    def shown(self) -> str:
        """All lines, each with its code."""
        return "\n".join(refusal.shown for refusal in self.found)


def quadlets(
    name: str,
    compose: Mapping[str, Any],
    owner: str,
    updates: Mapping[str, str],
    digests: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The unit files of an app, by file name.

    `compose` is the parsed compose.yaml, its variables put in (model/compose does that); `updates` is the policy in force of
    each service (none: off); `digests` are the sha256 of the app's other files by relative path, so that a changed file
    brings a new container. Raises Refusals with all that cannot be expressed.
    """
    found: list[Refusal] = []

    def report(service: str, key: str, refused: Refused) -> None:
        found.append(Refusal(name, service, key, refused.what, refused.remedy, refused.code))

    app = App(name, compose, owner, updates, digests or {})
    try:
        files = dict(_files(app, report))
    except Refused as refused:  # the file as a whole is no compose file
        report("", "compose.yaml", refused)
        files = {}
    if found:
        raise Refusals(list(dict.fromkeys(found)))
    return files


def _files(app: App, report: Callable[[str, str, Refused], None]) -> Iterator[tuple[str, str]]:
    for key in app.compose:
        if key not in _TOP and not str(key).startswith("x-"):
            report("", str(key), Refused("podman's quadlets have nothing like it", "write it out in this file"))
    if app.compose.get("name", app.name) != app.name:
        report("", "name", reading.wrong(f"{app.compose['name']!r} is not the app's name", "leave it out"))
    if not app.services:
        report("", "services", reading.wrong("there are none", "declare at least one"))
    for service in app.services.values():
        if not _SERVICE_NAME.fullmatch(service.name):
            report(service.name, "", reading.wrong("this cannot be a service's name", "letters, digits, and . _ - inside"))
        yield f"{service.unit}.container", container_unit(service, lambda key, why, name=service.name: report(name, key, why))  # type: ignore[misc]
    yield from _shared(app, report)
    for name, owners in _own_clashes(app):
        report("", owners, Refused(f"both would be {name}", "rename one of them", Code.QUADLET_CLASH))


def _shared(app: App, report: Callable[[str, str, Refused], None]) -> Iterator[tuple[str, str]]:
    """The units of the networks and volumes that a service uses, as Compose makes no others."""
    for kind, name in _used(app):
        make, file = _KINDS[kind]
        try:
            lines = make(app, name)
        except Refused as refused:
            if name in app.section(kind):  # else the service that names it was told
                report("", f"{kind}.{name}", refused)
            continue
        if lines:
            source = f"apps/{app.name}/compose.yaml"
            digest = hashlib.sha256(unit(lines, source).encode()).hexdigest()[:16]
            label = [Line("Network", "Label", f"{UNIT_LABEL}={digest}")] if kind == "networks" else []
            yield file(app, name), unit([*lines, *label], source)


_KINDS: dict[str, tuple[Callable[[App, str], list[Line]], Callable[[App, str], str]]] = {
    "networks": (networks.network_unit, networks.network_file),
    "volumes": (networks.volume_unit, networks.volume_file),
}


def _used(app: App) -> Iterator[tuple[str, str]]:
    joined = dict.fromkeys(name for service in app.services.values() for name in _joined(service))
    yield from (("networks", name) for name in joined)
    sources = dict.fromkeys(name for service in app.services.values() for name in _volumes(service))
    yield from (("volumes", name) for name in sources)


def _joined(service: Service) -> list[str]:
    try:
        return list(networks.joined(service))
    except Refused:  # was told with the service
        return []


def _volumes(service: Service) -> Iterator[str]:
    given = service.spec.get("volumes")
    for written in given if isinstance(given, list) else []:
        source = written.get("source") if isinstance(written, dict) else str(written).partition(":")[0]
        if source in service.app.section("volumes"):
            yield str(source)


def service_of(file: str) -> str:
    """The systemd service that podman's generator makes of a quadlet file."""
    stem, _, kind = file.rpartition(".")
    return f"{stem}.service" if kind == "container" else f"{stem}-{kind}.service"


def container_names(files: Mapping[str, str]) -> dict[str, str]:
    """Container name -> its quadlet file."""
    found = {file: re.search(r"^ContainerName=(.+)$", text, re.MULTILINE) for file, text in files.items()}
    return {match[1]: file for file, match in found.items() if match}


def _own_clashes(app: App) -> Iterator[tuple[str, str]]:
    units = [(service_of(f"{service.unit}.container"), f"services.{name}") for name, service in app.services.items()]
    units += [(service_of(_KINDS[kind][1](app, name)), f"{kind}.{name}") for kind, name in _used(app)]
    containers = [(service.container, f"services.{name}") for name, service in app.services.items()]
    for made in (units, containers):
        for taken, count in Counter(name for name, _ in made).items():
            if count > 1:
                yield taken, " and ".join(owner for name, owner in made if name == taken)


def unit_clashes(apps: Mapping[str, Mapping[str, str]]) -> list[Refusal]:
    """Units and containers that two apps of one host would both make: app a-b with c, and app a with b-c."""
    taken: dict[str, str] = {}
    found = []
    for app, files in apps.items():
        for name in [*map(service_of, files), *container_names(files)]:
            other = taken.setdefault(name, app)
            if other != app:
                what, remedy = f"the app {other} makes {name} too", "rename the app or the service"
                found.append(Refusal(app, "", "services", what, remedy, Code.QUADLET_CLASH))
    return found
