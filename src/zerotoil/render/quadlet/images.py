"""Image names in full, as podman's updates need them: registry, path and tag. Pure."""

from __future__ import annotations

from zerotoil.model.image import ImageRef
from zerotoil.render.quadlet.reading import wrong


def qualified(image: str) -> str:
    """postgres:16 -> docker.io/library/postgres:16, as Docker reads it; a name without a tag gets :latest."""
    try:
        ref = ImageRef.parse(image)
    except ValueError:
        raise wrong(f"{image!r} is no image", "write for instance docker.io/library/postgres:16") from None
    return str(ref if ref.tag or ref.digest else ref.at("latest"))
