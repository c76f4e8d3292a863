"""The files that an inventory names: secrets, which must be there and private, and public keys."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from zerotoil.doctor.check import Check, attempt, failure, ok
from zerotoil.model.secret import Secret
from zerotoil.model.spec import SECTIONS, HostSpec


def checks(specs: list[HostSpec]) -> list[Check]:
    """Every secret and every public key file, once. Nothing of a secret is shown but where it is."""
    sources = dict.fromkeys(source for spec in specs for source in _sources(spec))
    keys = dict.fromkeys(key for spec in specs for key in spec.ssh.authorized_keys if key.startswith("file:"))
    return [*(secret(source) for source in sources), *(public_key(key) for key in keys)]


def secret(source: str) -> Check:
    """The secret can be read, and nobody else can read its file."""
    name, (kind, _, where) = f"secret {source}", source.partition(":")

    def look() -> Check:
        path = Path(where).expanduser()
        if kind == "file" and not path.exists():
            make = f"install -D -m 600 /dev/stdin {shlex.quote(str(path))} (then paste it)"
            return failure(name, f"there is no file {path}", make)
        Secret(source=source).reveal()
        return ok(name, "there, and private" if kind == "file" else "there")

    return attempt(name, look)


def public_key(given: str) -> Check:
    """The public key file is there."""
    name, path = f"public key {given}", Path(given.removeprefix("file:")).expanduser()

    def look() -> Check:
        if path.is_file():
            return ok(name, "there")
        return failure(name, f"there is no file {path}", "ssh-keygen -t ed25519, or name another in ssh_authorized_keys")

    return attempt(name, look)


def _sources(spec: HostSpec) -> Iterator[str]:
    for section in SECTIONS:
        for value in vars(getattr(spec, section)).values():
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, Secret) and item.source:
                    yield item.source
