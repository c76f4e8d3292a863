"""What a Fedora CoreOS mirror serves, for the stand-in image: stream metadata and the compressed disk.

Shape: https://builds.coreos.fedoraproject.org/streams/stable.json (coreos/stream-metadata-go), with the one artefact
that libvirt uses. `sha256` covers the .xz, `uncompressed-sha256` the qcow2. There is no signature: `location` only.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.minilab.cache import cached
from zerotoil.minilab.guest import RELEASE


def stream(directory: Path, image: Path, base_url: str, release: str = RELEASE, name: str = "stable") -> Path:
    """Writes `streams/NAME.json` and the .qcow2.xz under `directory`, to be served at `base_url`. The JSON's path.

    The disk is hard-linked from the cache where it can be, so a second call costs two checksums.
    """
    packed = compressed(image)
    file = f"zerotoil-standin-{release}-qemu.x86_64.qcow2.xz"
    relative = f"prod/streams/{name}/builds/{release}/x86_64/{file}"
    _place(packed, directory / relative)
    disk = {
        "location": f"{base_url.rstrip('/')}/{relative}",
        "sha256": _sha256(packed),
        "uncompressed-sha256": _sha256(image),
    }
    qemu = {"release": release, "formats": {"qcow2.xz": {"disk": disk}}}
    metadata = {
        "stream": name,
        "metadata": {"last-modified": "2026-08-02T00:00:00Z", "generator": "zerotoil stand-in"},
        "architectures": {"x86_64": {"artifacts": {"qemu": qemu}, "images": {}}},
    }
    target = directory / "streams" / f"{name}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{name}.json.new")
    fresh.write_text(json.dumps(metadata, indent=4) + "\n")
    fresh.replace(target)
    return target


def compressed(image: Path) -> Path:
    """The image as .xz, from the cache. It is compressed inside already, so the lowest preset does."""
    return cached("image", [_sha256(image).encode()], lambda target: _xz(image, target), suffix=".qcow2.xz")


def _xz(image: Path, target: Path) -> None:
    with target.open("wb") as out:
        done = subprocess.run(
            ["xz", "-0", "--threads=0", "--stdout", str(image)], stdout=out, stderr=subprocess.PIPE, timeout=1800, check=False
        )
    if done.returncode:
        raise LabError(f"xz failed on {image}", remedy=done.stderr.decode(errors="replace").strip(), code=Code.LAB_STEP_FAILED)


def _place(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another filesystem
        subprocess.run(["cp", "--reflink=auto", str(source), str(target)], timeout=600, check=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
