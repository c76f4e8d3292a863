"""Image names in full, as podman's updates need them: registry, path and tag. Pure."""

from __future__ import annotations

import re

from zerotoil.render.quadlet.reading import wrong

_IMAGE = re.compile(r"[a-z0-9][A-Za-z0-9._:/-]*(@sha256:[0-9a-f]{64})?")


def qualified(image: str) -> str:
    """postgres:16 -> docker.io/library/postgres:16, as Docker reads it; a name without a tag gets :latest."""
    if not _IMAGE.fullmatch(image) or "//" in image:
        raise wrong(f"{image!r} is no image", "write for instance docker.io/library/postgres:16")
    name, at, digest = image.partition("@")
    first, slash, _ = name.partition("/")
    if not slash:
        name = f"docker.io/library/{name}"
    elif not ("." in first or ":" in first or first == "localhost"):
        name = f"docker.io/{name}"
    tagged = ":" in name.rsplit("/", 1)[1]
    return name + ("" if tagged or at else ":latest") + at + digest
