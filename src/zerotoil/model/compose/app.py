"""One app: its compose file read, checked against Compose's schema, and each service in one form. Pure.

Everything that is wrong is found at once: what the schema refuses is left out, and the rest is read all the same.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from zerotoil.error_codes import Code
from zerotoil.model.compose import schema, settings, source, variables
from zerotoil.model.compose.findings import AppProblems, Finding, ordered
from zerotoil.model.compose.service import Service, read_service
from zerotoil.model.compose.settings import AppSettings, Updates
from zerotoil.model.compose.source import Place
from zerotoil.model.wording import inside, near

FILE = "compose.yaml"
ENV = ".env"
NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


@dataclass(frozen=True)
class App:
    """One app as declared. `document` is its compose file with variables replaced, `written` the same as it stands there."""

    name: str
    document: Mapping[str, Any]
    services: Mapping[str, Service]
    policy: AppSettings
    updates: Updates  # its own, else the host's; a service's label may say otherwise
    written: Mapping[str, Any] = field(repr=False)
    files: Mapping[str, str] = field(default_factory=dict, repr=False)  # texts of its other files, by path in its folder
    lines: Mapping[Place, int] = field(default_factory=dict, repr=False, compare=False)
    misread: frozenset[str] = frozenset()  # services of which the schema refused something

    @property
    def file(self) -> str:
        """The compose file's path in the project."""
        return path(self.name)

    def line(self, *place: str | int) -> int:
        """The line of a place in the compose file, or of what it would stand in."""
        return _line(self.lines, place)

    def finding(self, code: Code, place: Place, what: str, rule: str = "") -> Finding:
        """Something that is wrong at a place of the compose file."""
        return Finding(code, what, self.line(*place), self.file, rule)

    def part(self, key: str) -> Mapping[str, Any]:
        """A mapping at the top of the file: volumes, secrets and the like; empty where there is none."""
        found = self.document.get(key)
        return found if isinstance(found, Mapping) else {}


def path(app: str, file: str = FILE) -> str:
    """A file of an app, in the project."""
    return f"apps/{app}/{file}"


def parse(name: str, text: str, default_updates: Updates = "auto", files: Mapping[str, str] | None = None) -> App:
    """The app. Raises AppProblems (a LabError) with every reason why Compose, or zerotoil, could not read it.

    `files` are the texts of the app's other files by their path in its folder, as they arrive on the host: `.env` gives
    values to variables, env_files are looked into.
    """
    app, found = read(name, text, default_updates, files)
    if app is None or found:
        raise AppProblems(found)
    return app


def read(
    name: str, text: str, default_updates: Updates = "auto", files: Mapping[str, str] | None = None
) -> tuple[App | None, list[Finding]]:
    """The app as far as it can be read, and what stands against it; None where there is no YAML to read."""
    reader = _Reader(name, dict(files or {}))
    if not NAME.fullmatch(name):
        reader.add(Code.COMPOSE_WRONG, (), f"{name!r} cannot be the name of an app; write small letters, digits and dashes")
    try:
        reader.source = source.read(text)
    except source.SourceError as error:
        reader.found.append(Finding(Code.COMPOSE_MALFORMED, f"this is no YAML: {error}", error.line, path(name)))
        return None, ordered(reader.found)
    app = reader.app(default_updates)
    return app, ordered(reader.found)


class _Reader:
    """One reading of one app."""

    def __init__(self, name: str, files: dict[str, str]) -> None:
        self.name = name
        self.files = files
        self.source = source.Source()
        self.found: list[Finding] = []

    def add(self, code: Code, place: Place, what: str) -> None:
        self.found.append(Finding(code, what, _line(self.source.lines, place), path(self.name)))

    def app(self, default_updates: Updates) -> App | None:
        written = self.source.value
        document = variables.expanded(written, self._variables(), path(self.name, ENV), self._wrong)
        refused = list(schema.problems(document))
        for place, what in refused:
            code = Code.COMPOSE_WRONG if isinstance(document, dict) else Code.COMPOSE_MALFORMED
            self.add(code, place, what)
        if not isinstance(document, dict):
            return None
        right = _without(document, [place for place, _ in refused])
        policy = self._settings(right)
        updates = policy.updates or default_updates
        services = {
            service: read_service(self.name, service, given, updates, self._wrong)
            for service, given in (right.get("services") or {}).items()
        }
        for service in policy.tags:
            if service not in services:
                self.add(Code.APP_SETTINGS, (settings.KEY, "tags", service), f"x-zerotoil.tags: {_no_service(service, services)}")
        misread = frozenset(str(place[1]) for place, _ in refused if place[:1] == ("services",) and len(place) > 1)
        return App(self.name, right, services, policy, updates, written, self.files, self.source.lines, misread)

    def _wrong(self, place: Place, what: str) -> None:
        code = Code.APP_SETTINGS if place[2:3] == ("labels",) else Code.COMPOSE_WRONG
        self.add(code, place, what if what.startswith("services.") else f"{inside(place)}: {what}")

    def _variables(self) -> dict[str, str]:
        env = variables.read_env(self.files.get(ENV, ""))
        for line, what in env.troubles:
            self.found.append(Finding(Code.COMPOSE_WRONG, what, line, path(self.name, ENV)))
        return {"COMPOSE_PROJECT_NAME": self.name, **env.values}

    def _settings(self, document: Mapping[str, Any]) -> AppSettings:
        policy, wrong = settings.read_settings(document.get(settings.KEY))
        for place, what in wrong:
            where = inside((settings.KEY, *place))
            self.add(Code.APP_SETTINGS, (settings.KEY, *place), f"{where}: {what}")
        return policy


def _no_service(name: str, known: Iterable[str]) -> str:
    meant = near(name, known)
    return f"there is no service {name}; " + (f"did you mean {meant}?" if meant else f"there are {', '.join(known) or 'none'}")


def _without(document: dict[str, Any], places: Iterable[Place]) -> dict[str, Any]:
    """A copy without what is at these places; a list keeps its length, so that the places in it stay right."""
    made = copy.deepcopy(document)
    for place in places:
        holder: Any = made
        for part in place[:-1]:
            if isinstance(holder, dict):
                holder = holder.get(str(part))
            else:
                holder = holder[int(part)] if isinstance(holder, list) else None
        if place and isinstance(holder, dict):
            holder.pop(str(place[-1]), None)
        elif place and isinstance(holder, list):
            holder[int(place[-1])] = None
    return made


def _line(lines: Mapping[Place, int], place: Place) -> int:
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)
