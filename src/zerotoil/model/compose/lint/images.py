"""Images come from a registry that is named, by a version that is named. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from zerotoil.error_codes import Code
from zerotoil.model.compose.app import App
from zerotoil.model.compose.findings import Finding
from zerotoil.model.compose.lint.reason import unless
from zerotoil.model.image import DOCKER_HUB, ImageRef, names_registry


def images(app: App) -> Iterator[Finding]:
    """Findings about the services' images."""
    for service in app.services.values():
        if not service.image:
            continue
        place, where, image = ("services", service.name, "image"), f"services.{service.name}.image", service.image
        try:
            ref = ImageRef.parse(image)
        except ValueError:
            what = f"{where}: {image!r} is no image; write for instance docker.io/library/postgres:18"
            yield app.finding(Code.COMPOSE_WRONG, place, what)
            continue
        versioned = bool(ref.tag or ref.digest)
        full = str(ref) if versioned else f"{ref.name}:VERSION"
        if not names_registry(image) or (ref.registry == DOCKER_HUB and "/" not in image.partition("/")[2]):
            what = f"{where}: {image} does not name its registry, which podman and mirrors need; write {full}"
            yield app.finding(Code.COMPOSE_RULE, place, what + unless("no-registry"), "no-registry")
        if not versioned:
            what = f"{where}: {image} names no version; write {ref.name}:VERSION (:latest, if the newest is meant)"
            yield app.finding(Code.COMPOSE_RULE, place, what)
