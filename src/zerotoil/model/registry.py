"""Where the host's images come from: logins, mirrors, and an airgap in which nothing comes from anywhere else. Pure.

Docker itself mirrors Docker Hub and no other registry (daemon.json, registry-mirrors), without a path and without a login.
Every other image gets its reference rewritten to the mirror; render/registry.py does both. Podman mirrors any registry.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, field_validator

from zerotoil.model.image import DOCKER_HUB, ImageRef, check_repository, registry_name
from zerotoil.model.secret import SecretKey
from zerotoil.model.section import Section
from zerotoil.model.units import Bool

_LOGIN = '{"ghcr.io": {"user": "me", "password": "file:~/.config/zerotoil/ghcr"}}'


class RegistryLogin(Section):
    """Who logs in to one registry. For Docker Hub and ghcr.io the password is an access token that may only read."""

    user: str = Field(min_length=1, description="User name")
    password: SecretKey = Field(description="Password or access token, as file:PATH or env:NAME")

    @field_validator("user")
    @classmethod
    def _no_colon(cls, user: str) -> str:
        if ":" in user:  # it parts user and password where they travel (RFC 7617)
            raise ValueError("a user name has no colon; write the password apart, as password")
        return user


def _mirror(text: str) -> str:
    host, slash, path = text.rstrip("/").partition("/")
    name = registry_name(text if "://" in text else host)
    if slash:
        check_repository(path)
    return f"{name}/{path}" if slash else name


class RegistrySpec(Section):
    """Registries that the host's images come from."""

    logins: dict[str, RegistryLogin] = Field(
        default_factory=dict, description=f"User and password per registry, a 0600 file in the guest: {_LOGIN}"
    )
    mirrors: dict[str, Annotated[str, AfterValidator(_mirror)]] = Field(
        default_factory=dict,
        description='Registry -> mirror, HOST[:PORT][/PATH] over TLS: {"docker.io": "mirror.lan:5000"}; your own -> itself',
    )
    airgapped: Bool = Field(False, description="Refuse every image that is not on a mirror, or on a registry that is one")
    ca: Path | None = Field(
        None, description="CA of your registries (PEM), for this machine and Watchtower; a guest's engine trusts it by os_butane"
    )

    @field_validator("logins", "mirrors", mode="after")
    @classmethod
    def _by_name(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Under the names that references have; two names of one registry are refused."""
        named: dict[str, Any] = {}
        for text, value in given.items():
            name = registry_name(text)
            if name in named:
                raise ValueError(f"{text!r} is {name}, which stands there already; keep one of them")
            named[name] = value
        return named

    def mirror(self, registry: str) -> tuple[str, str] | None:
        """Host and path of a registry's mirror; None without one, or where the registry is its own."""
        declared = self.mirrors.get(registry, registry)
        host, _, path = declared.partition("/")
        return None if declared == registry else (host, path)

    def places(self, ref: ImageRef) -> list[ImageRef]:
        """Where an image may be got, first choice first: the mirror, then the registry itself unless there is an airgap."""
        place = self.mirror(ref.registry)
        if place is None:
            return [ref]
        moved = ref.moved(*place)
        return [moved] if self.airgapped else [moved, ref]

    def is_inside(self, image: ImageRef) -> bool:
        """Whether an airgapped host can have the image: its registry has a mirror, or is one."""
        return image.registry in self.mirrors or any(image.registry == place.partition("/")[0] for place in self.mirrors.values())

    def outside(self, image: str) -> str | None:
        """Why an airgapped host must not have the image, in words; None where it may. Raises ValueError for no reference."""
        ref = ImageRef.parse(image)
        if not self.airgapped or self.is_inside(ref):
            return None
        own = "" if ref.registry == DOCKER_HUB else f'; if it is your own: "{ref.registry}": "{ref.registry}"'
        return (
            f"{image} comes from {ref.registry}, and registry_airgapped allows mirrors only; "
            f'declare registry_mirrors {{"{ref.registry}": "mirror.lan:5000"}}{own}'
        )
