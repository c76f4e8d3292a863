"""Images come from a registry that is named, by a version that is named. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from zerotoil.error_codes import Code
from zerotoil.model.compose.app import App
from zerotoil.model.compose.findings import Finding
from zerotoil.model.compose.image import HUB, reference
from zerotoil.model.compose.lint.reason import unless


def images(app: App) -> Iterator[Finding]:
    """Findings about the services' images."""
    for service in app.services.values():
        if not service.image:
            continue
        place, where, image = ("services", service.name, "image"), f"services.{service.name}.image", service.image
        parts = reference(image)
        if parts is None:
            what = f"{where}: {image!r} is no image; write for instance docker.io/library/postgres:18"
            yield app.finding(Code.COMPOSE_WRONG, place, what)
            continue
        full = parts.full_name + (parts.version or ":VERSION")
        if not parts.registry or (parts.registry == HUB and "/" not in parts.repository):
            what = f"{where}: {image} does not name its registry, which podman and mirrors need; write {full}"
            yield app.finding(Code.COMPOSE_RULE, place, what + unless("no-registry"), "no-registry")
        if not parts.version:
            what = f"{where}: {image} names no version; write {parts.full_name}:VERSION (:latest, if the newest is meant)"
            yield app.finding(Code.COMPOSE_RULE, place, what)
