"""An OS image, built like an application: pin its base, build, push only what changed, compare with what a host runs.

What the last build and the last push were is kept in .zerotoil/os-image/VARIANT.json; all of it can be deleted.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from zerotoil.clients.image_engine import Access, ImageEngine
from zerotoil.clients.registry import Registry
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers.os_image import ImageFolder
from zerotoil.model.image import ImageRef
from zerotoil.model.os_image import (
    BASE,
    CONTENT_LABEL,
    LOCK,
    PACKAGES,
    PACKAGES_LABEL,
    Base,
    Difference,
    Package,
    content,
    differences,
    labels,
    read_packages,
)

_KEPT = Path(".zerotoil/os-image")
_LISTED = "add RUN sh /usr/libexec/zerotoil/list-packages.sh to that stage, after its dnf"
# What a host runs: its image's own list, else what its package database says (a stock host, or another's image).
RUNNING = f"""if [ -s {PACKAGES} ]; then cat {PACKAGES}
elif command -v rpm >/dev/null; then timeout 60 rpm -qa --queryformat '%{{NAME}} %{{EVR}} %{{SIZE}}\\n' | sed '/^gpg-pubkey /d'
else timeout 60 dpkg-query --show --showformat '${{Package}} ${{Version}}\\n'
fi
"""


@dataclass(frozen=True)
class Built:
    """One finished build. `packages` is the list as it is in the image, `reference` where it was pushed last (or is to be)."""

    variant: str
    image: str
    base: str
    content: str
    packages: str
    size: int = 0
    reference: str = ""

    @property
    def installed(self) -> dict[str, Package]:
        """The packages by name."""
        return read_packages(self.packages)


@dataclass(frozen=True)
class Pushed:
    """What a registry has behind a tag: its digest, the hash of its content (empty where it is not ours), its packages."""

    digest: str
    content: str
    packages: dict[str, Package]


def pin(folder: ImageFolder, reference: str, registry: Registry) -> tuple[Base | None, Base]:
    """Write down what the tag stands for now: what base.lock had before, and has now. Raises LabError, with nothing written."""
    try:
        before: Base | None = folder.base
    except LabError:
        before = None
    ref = ImageRef.parse(reference or (before.reference if before else BASE))
    info = registry.image(ref.at(tag=ref.tag or "latest"))
    after = Base(str(ref.at(tag=ref.tag or "latest")), info.digest, info.version)
    if after != before:
        draft = folder.root / f".{LOCK}"
        try:
            draft.write_text(after.lock)
            draft.replace(folder.root / LOCK)
        except OSError as error:
            what = f"{folder.root / LOCK} cannot be written ({error.strerror})"
            raise LabError(what, "zerotoil image init makes the folder", code=Code.FILE_UNWRITABLE) from error
    return before, after


def build(folder: ImageFolder, variant: str, engine: ImageEngine, access: Access, say: Callable[[str], None]) -> Built:
    """Check everything, build, label. Raises LabError with all that is wrong; nothing of an earlier build is lost then."""
    folder.check()
    folder.check_variant(variant)
    base = folder.base
    say(f"{variant}: everything that is checked before a build is right; building on {base.pinned}")
    image = engine.build(folder.root, variant, base.pinned, access)
    text = engine.read(image, PACKAGES)
    packages = read_packages(text or "")
    if not packages:
        raise LabError(f"{variant} has no {PACKAGES}", _LISTED, code=Code.IMAGE_NO_PACKAGES)
    made = content(base, variant, folder.files(), packages)
    named = engine.label(image, labels(base, made, packages), f"localhost/zerotoil-os:{variant}")
    before = _read(variant)
    built = Built(variant, named, base.pinned, made, text or "", engine.size(named), before.reference if before else "")
    _write(built)
    return built


def last_build(variant: str) -> Built:
    """The last build of a variant. Raises LabError without one."""
    found = _read(variant)
    if found is None:
        raise LabError(f"no {variant} image was built here", f"zerotoil image build {variant}", code=Code.NO_IMAGE_BUILT)
    return found


def pushed(ref: ImageRef, registry: Registry) -> Pushed | None:
    """What the registry has behind the tag; None when that is nothing. Raises LabError when it does not say."""
    try:
        info = registry.image(ref)
    except LabError as error:
        if error.code is Code.REGISTRY_NO_IMAGE:
            return None
        raise
    return Pushed(info.digest, info.labels.get(CONTENT_LABEL, ""), read_packages(info.labels.get(PACKAGES_LABEL, "")))


def push(built: Built, ref: ImageRef, there: Pushed | None, engine: ImageEngine, access: Access) -> str | None:
    """The new digest; None when the registry has the same content already. Raises LabError, with the registry as it was."""
    _write(Built(**{**vars(built), "reference": str(ref)}))
    if there and there.content == built.content:
        return None
    return engine.push(built.image, ref, access)


def is_signed(ref: ImageRef, digest: str, registry: Registry) -> bool:
    """Whether a signature is attached to the image, whoever made it: a push that was cut off before is signed by the next one."""
    return f"{digest.replace(':', '-')}.sig" in registry.tags(ref)


def compare(running: str, built: Built) -> list[Difference]:
    """What the built image has otherwise than a host, of which `running` is the list."""
    return differences(read_packages(running), built.installed)


def _read(variant: str) -> Built | None:
    try:
        return Built(**json.loads((_KEPT / f"{variant}.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _write(built: Built) -> None:
    _KEPT.mkdir(parents=True, exist_ok=True)
    draft = _KEPT / f".{built.variant}.json"
    draft.write_text(json.dumps(vars(built), indent=1))
    draft.replace(_KEPT / f"{built.variant}.json")
