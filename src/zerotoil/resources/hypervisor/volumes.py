"""Names of what one host owns in the hypervisor's pool, and which of it is in use.

`HOST-os-N.qcow2` is the OS disk of generation N, `HOST-HASH.ign` an Ignition config, `RELEASE-HASH.qcow2` a base image
that all hosts share. A volume of these names is never overwritten; its content follows from its name.
"""

from __future__ import annotations

import hashlib
import re
import time

from zerotoil.clients.hypervisor import Hypervisor
from zerotoil.clients.hypervisor.storage import Progress
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.spec import HostSpec
from zerotoil.render.domain_storage import render_overlay
from zerotoil.resources.hypervisor.image import LocalImage

QCOW2 = b"QFI\xfb"
PRISTINE = 2 * 1024**2  # an overlay that holds less than this was never booted (a first boot writes tens of MiB)
CONFIG_BYTES = 4 * 1024**2  # more than any config
STILL_GROWING = 3  # seconds between two looks at a volume that somebody may be uploading


def digest(text: str) -> str:
    """SHA-256 of an Ignition config."""
    return hashlib.sha256(text.encode()).hexdigest()


def overlay_name(host: str, generation: int) -> str:
    """The OS disk of a generation."""
    return f"{host}-os-{generation}.qcow2"


def config_name(host: str, sha256: str) -> str:
    """An Ignition config by its content."""
    return f"{host}-{sha256[:12]}.ign"


def base_name(image: LocalImage) -> str:
    """A base image by release and content."""
    return f"{re.sub(r'[^A-Za-z0-9._-]', '_', image.release)}-{image.sha256[:12]}.qcow2"


def release_of(base_path: str) -> str:
    """The release that `base_name` put into a path; empty for an image that is not ours."""
    found = re.fullmatch(r"(.+)-[0-9a-f]{12}\.qcow2", base_path.rsplit("/", 1)[-1])
    return found[1] if found else ""


def overlays(spec: HostSpec, hypervisor: Hypervisor) -> dict[int, str]:
    """The host's OS disks: generation -> volume."""
    pattern = re.compile(rf"{re.escape(spec.name)}-os-(\d+)\.qcow2")
    names = hypervisor.storage.names(spec.hypervisor.pool)
    return {int(found[1]): name for name in names if (found := pattern.fullmatch(name))}


def configs(spec: HostSpec, hypervisor: Hypervisor) -> list[str]:
    """The host's Ignition configs in the pool."""
    pattern = re.compile(rf"{re.escape(spec.name)}-[0-9a-f]{{12}}\.ign")
    return sorted(name for name in hypervisor.storage.names(spec.hypervisor.pool) if pattern.fullmatch(name))


def put_base(hypervisor: Hypervisor, pool: str, image: LocalImage, progress: Progress | None = None) -> bool:
    """Upload the base image where it is missing or was left half uploaded. False: it was there already."""
    name, storage = base_name(image), hypervisor.storage
    with hypervisor.alone(f"upload {pool}/{name}"):
        hypervisor.forget()
        if name in storage.names(pool):
            if hypervisor.is_test or storage.read(pool, name, 4) == QCOW2:
                return False
            _refuse_while_growing(hypervisor, pool, name)
            storage.delete(pool, name)  # no overlay can stand on it: it never had a header
        storage.upload(pool, name, image.path, progress)
        storage.refresh(pool)
        if not hypervisor.is_test and storage.read(pool, name, 4) != QCOW2:
            raise LabError(
                f"image {name}: after the upload the volume is no qcow2 image",
                "check that os_image is one",
                code=Code.UPLOAD_DIFFERS,
            )
    return True


def _refuse_while_growing(hypervisor: Hypervisor, pool: str, name: str) -> None:
    before = hypervisor.storage.volume(pool, name)
    time.sleep(STILL_GROWING)
    hypervisor.forget()
    if hypervisor.storage.volume(pool, name) != before:
        raise LabError(
            f"image {name} is being uploaded by another run right now", "run again when that one is done", code=Code.ANOTHER_RUN
        )


def put_overlay(spec: HostSpec, hypervisor: Hypervisor, generation: int, image: LocalImage) -> str:
    """Create the OS disk of a generation over its base image; returns its name."""
    pool, size = spec.hypervisor.pool, spec.os.disk_size
    base = hypervisor.storage.volume(pool, base_name(image))
    if base is None:
        raise LabError(
            f"base image {base_name(image)} is not in pool {pool}",
            "run again: it is uploaded first",
            code=Code.NEEDS_ANOTHER_FIRST,
        )
    if image.virtual_size > size:
        raise LabError(
            f"{spec.name}: os_disk_size is smaller than the image ({image.virtual_size / 2**30:.1f} GiB)",
            "raise os_disk_size",
            code=Code.WRONG_VALUE,
        )
    name = overlay_name(spec.name, generation)
    hypervisor.storage.create(pool, name, render_overlay(name, size, base.path))
    return name


def put_config(spec: HostSpec, hypervisor: Hypervisor, text: str) -> str:
    """Upload an Ignition config where it is missing or incomplete; returns its name."""
    name, pool, content = config_name(spec.name, digest(text)), spec.hypervisor.pool, text.encode()
    if name in hypervisor.storage.names(pool):
        if config_is_whole(hypervisor, pool, name, len(content) + 1):
            return name
        hypervisor.storage.delete(pool, name)  # cut off while it was written: no VM was defined with it yet
    hypervisor.storage.upload(pool, name, content)
    if not config_is_whole(hypervisor, pool, name, len(content) + 1):
        raise LabError(
            f"Ignition config {name}: read back, it differs from what was sent",
            "look at the hypervisor's disk",
            code=Code.UPLOAD_DIFFERS,
        )
    return name


def config_is_whole(hypervisor: Hypervisor, pool: str, name: str, length: int = CONFIG_BYTES) -> bool:
    """Does the volume hold what its name promises?"""
    return hypervisor.is_test or hashlib.sha256(hypervisor.storage.read(pool, name, length)).hexdigest()[:12] in name
