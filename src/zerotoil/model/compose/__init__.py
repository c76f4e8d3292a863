"""The owner's apps: apps/NAME/compose.yaml, read, checked and judged before anything is touched. Pure.

    parse(name, text)      the app; raises with all that Compose would refuse
    lint(app)              what zerotoil's rules have against it
    check(name, text)      both at once, for whoever tells people
    across(apps)           what clashes among the apps of one host

`source` reads YAML with line numbers, `variables` replaces ${…}, `schema` holds Compose's own schema, `settings` what is ours
(x-zerotoil), `service`, `ports` and `mounts` bring each syntax into one form, `hostpath` knows the host's paths.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from zerotoil.model.compose.app import NAME, App, parse, read
from zerotoil.model.compose.clashes import across
from zerotoil.model.compose.findings import AppProblems, Finding, ordered
from zerotoil.model.compose.hostpath import Where, within
from zerotoil.model.compose.lint import lint
from zerotoil.model.compose.mounts import Bind, NamedVolume
from zerotoil.model.compose.ports import Port
from zerotoil.model.compose.service import Service
from zerotoil.model.compose.settings import ALLOWABLE, UPDATES, UPDATES_LABEL, AppSettings, Updates

__all__ = [
    "ALLOWABLE",
    "NAME",
    "UPDATES",
    "UPDATES_LABEL",
    "App",
    "AppProblems",
    "AppSettings",
    "Bind",
    "Finding",
    "NamedVolume",
    "Port",
    "Service",
    "Updates",
    "across",
    "check",
    "lint",
    "parse",
]


def check(
    name: str,
    text: str,
    default_updates: Updates = "auto",
    files: Mapping[str, str] | None = None,
    volumes: Collection[str] = (),
) -> tuple[App | None, list[Finding]]:
    """The app as far as it can be read, and everything that is wrong with it, as it stands in its files.

    `volumes`: where the host's volumes beside its data are mounted; an app may keep data there as on the data disk.
    """
    app, found = read(name, text, default_updates, files)
    app = _on_volumes(app, volumes) if app and volumes else app
    return app, ordered([*found, *(lint(app) if app else ())])


def _on_volumes(app: App, volumes: Collection[str]) -> App:
    """The same app, with its mounts of these places known as such."""

    def known(bind: Bind) -> Bind:
        return replace(bind, where=Where.VOLUME) if any(within(bind.path, volume) for volume in volumes) else bind

    services = {name: replace(one, binds=tuple(map(known, one.binds))) for name, one in app.services.items()}
    return replace(app, services=services)
