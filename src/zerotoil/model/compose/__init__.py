"""The owner's apps: apps/NAME/compose.yaml, read, checked and judged before anything is touched. Pure.

    parse(name, text)      the app; raises with all that Compose would refuse
    lint(app)              what zerotoil's rules have against it
    check(name, text)      both at once, for whoever tells people
    across(apps)           what clashes among the apps of one host

`source` reads YAML with line numbers, `variables` replaces ${…}, `schema` holds Compose's own schema, `settings` what is ours
(x-zerotoil), `service`, `ports` and `mounts` bring each syntax into one form, `hostpath` knows the host's paths.
"""

from __future__ import annotations

from collections.abc import Mapping

from zerotoil.model.compose.app import NAME, App, parse, read
from zerotoil.model.compose.clashes import across
from zerotoil.model.compose.findings import AppProblems, Finding, ordered
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
    name: str, text: str, default_updates: Updates = "auto", files: Mapping[str, str] | None = None
) -> tuple[App | None, list[Finding]]:
    """The app as far as it can be read, and everything that is wrong with it, as it stands in its files."""
    app, found = read(name, text, default_updates, files)
    return app, ordered([*found, *(lint(app) if app else ())])
