"""What a compose file may not say because zerotoil says it: its name, other files, who updates it. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from zerotoil.error_codes import Code
from zerotoil.model.compose.app import App
from zerotoil.model.compose.findings import Finding
from zerotoil.model.compose.service import entry

WATCHTOWER = "com.centurylinklabs.watchtower"
OWNER_LABEL = "zerotoil.owner"
APP_LABEL = "zerotoil.app"
_OURS = (OWNER_LABEL, APP_LABEL)
_POLICY = (f"{WATCHTOWER}.enable", f"{WATCHTOWER}.monitor-only")


def structure(app: App) -> Iterator[Finding]:
    """Findings about the file as a whole and what a service is made of."""
    name = app.document.get("name")
    if name not in (None, app.name):
        what = f"name: {name} differs from the app's folder; leave it out, the app is {app.name}"
        yield app.finding(Code.COMPOSE_RULE, ("name",), what)
    if "include" in app.document:
        what = "include: brings in files that are not checked; write everything into this one"
        yield app.finding(Code.COMPOSE_RULE, ("include",), what)
    for service in app.services:
        yield from _service(app, service)


def _service(app: App, name: str) -> Iterator[Finding]:
    service, place = app.services[name], ("services", name)
    if service.build:
        what = f"services.{name}: build: is not done on a host; push the image to a registry and write image:"
        yield app.finding(Code.COMPOSE_RULE, (*place, "build"), what)
    given = app.document["services"][name]
    for key in ("extends", "label_file"):
        if key in given:
            right = "repeat it with a YAML anchor (&name, <<: *name)" if key == "extends" else "write labels: here"
            what = f"services.{name}: {key}: hides what the service is made of; {right}"
            yield app.finding(Code.COMPOSE_RULE, (*place, key), what)
    for label in service.labels:
        at = (*place, "labels", entry(given.get("labels"), label))
        if label in _POLICY:
            what = f'services.{name}: the label {label} is written by zerotoil; say zerotoil.updates: "off", "notify" or "auto"'
            yield app.finding(Code.COMPOSE_RULE, at, what)
        elif label in _OURS:
            yield app.finding(Code.COMPOSE_RULE, at, f"services.{name}: the label {label} is written by zerotoil; leave it out")
