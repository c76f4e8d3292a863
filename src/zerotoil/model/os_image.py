"""What an OS image is built on and what is in it. Pure.

base.lock: a line per fact, `NAME VALUE`, `#` begins a comment. packages.txt: `NAME VERSION [BYTES]` per line.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.image import ImageRef

CONTAINERFILE, LOCK, OVERLAY = "Containerfile", "base.lock", "overlay"
PACKAGES = "/usr/share/zerotoil/packages.txt"
BASE = "quay.io/fedora/fedora-coreos:stable"  # where an image of one's own starts
CONTENT_LABEL, PACKAGES_LABEL = "io.zerotoil.content", "io.zerotoil.packages"
VERSION_LABEL = "org.opencontainers.image.version"
_PIN = "run zerotoil image pin: it asks the registry and writes it"
_HEAD = "# What the images are built on. `zerotoil image pin` writes it; keep it in git.\n"


@dataclass(frozen=True)
class Base:
    """The image below ours: a moving tag, the digest that it stood for, and the version that its maker says it is."""

    reference: str
    digest: str
    version: str = ""

    @property
    def pinned(self) -> str:
        """What is built on: the repository at the digest, without the tag (engines take one or the other)."""
        return str(ImageRef.parse(self.reference).at(digest=self.digest))

    @property
    def lock(self) -> str:
        """The text of base.lock."""
        version = f"version {self.version}\n" if self.version else ""
        return f"{_HEAD}reference {self.reference}\ndigest {self.digest}\n{version}"


def read_lock(text: str) -> Base:
    """Of the text of base.lock. Raises LabError for one that pins nothing."""
    facts = dict(line.split(maxsplit=1) for line in text.splitlines() if len(line.split()) > 1 and not line.startswith("#"))
    reference, digest = facts.get("reference", "").strip(), facts.get("digest", "").strip()
    try:
        ref = ImageRef.parse(f"{reference}@{digest}")
    except ValueError as error:
        raise LabError(f"{LOCK} pins no base ({error})", _PIN, code=Code.BASE_NOT_PINNED) from error
    return Base(str(ref.at(tag=ref.tag)), digest, facts.get("version", "").strip())


@dataclass(frozen=True)
class Package:
    """One installed package; `size` in bytes, 0 where it is not known."""

    name: str
    version: str
    size: int = 0


def read_packages(text: str) -> dict[str, Package]:
    """By name. A name that is installed in several versions (a library for two architectures) has them all in one."""
    found: dict[str, Package] = {}
    for name, version, *size in (line.split() for line in text.splitlines() if len(line.split()) > 1):
        count = int(size[0]) if size and size[0].isdigit() else 0
        known = found.get(name)
        if known:
            versions = sorted({*known.version.split(","), version})
            found[name] = Package(name, ",".join(versions), known.size + count)
        else:
            found[name] = Package(name, version, count)
    return found


def without_sizes(packages: Mapping[str, Package]) -> str:
    """The list as it is compared: `NAME VERSION`, sorted."""
    return "".join(f"{name} {packages[name].version}\n" for name in sorted(packages))


@dataclass(frozen=True)
class Difference:
    """One package that is not the same on two sides; an empty version means that it is not there."""

    name: str
    before: str
    after: str

    def __str__(self) -> str:
        if not self.before:
            return f"+ {self.name} {self.after}"
        return f"- {self.name} {self.before}" if not self.after else f"~ {self.name} {self.before} -> {self.after}"


def differences(before: Mapping[str, Package], after: Mapping[str, Package]) -> list[Difference]:
    """What the second side has otherwise than the first, by name."""
    absent = Package("", "")
    pairs = ((name, before.get(name, absent).version, after.get(name, absent).version) for name in sorted({*before, *after}))
    return [Difference(*pair) for pair in pairs if pair[1] != pair[2]]


def content(base: Base, variant: str, files: Iterable[tuple[str, bool, bytes]], packages: Mapping[str, Package]) -> str:
    """A hash that is the same as long as an image would be: base, files (path, executable, content) and installed packages.

    Times are left out, which differ with each build. What a RUN line fetches by itself is seen only as far as it is a package.
    """
    made = hashlib.sha256(f"{base.digest}\n{variant}\n".encode())
    for path, executable, data in sorted(files):
        made.update(f"{path} {executable} {hashlib.sha256(data).hexdigest()}\n".encode())
    made.update(without_sizes(packages).encode())
    return made.hexdigest()


def labels(base: Base, made: str, packages: Mapping[str, Package]) -> dict[str, str]:
    """What an image says of itself: so the next push knows whether anything changed, without fetching its layers."""
    version = re.sub(r"[^\w.+-]", "-", f"{base.version}-{made[:8]}" if base.version else made[:8])
    return {CONTENT_LABEL: made, PACKAGES_LABEL: without_sizes(packages), VERSION_LABEL: version}
