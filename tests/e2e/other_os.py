"""OS images beside the lab's own: the same system as another file, and a disk with nothing on it."""

import hashlib
import shutil
import subprocess
from pathlib import Path

from zerotoil.minilab import guest


def another_release(folder: Path) -> list[str]:
    """An image that is no more the same file: path and SHA-256, as `zerotoil migrate` takes them."""
    path = folder / "other-release.qcow2"
    shutil.copyfile(guest.guest_image(), path)
    with path.open("ab") as file:
        file.write(bytes(512))  # behind the end of what a qcow2 holds
    return [str(path), _sha256(path)]


def unbootable(folder: Path) -> list[str]:
    """An empty disk: path and SHA-256."""
    path = folder / "broken.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(path), "8G"], check=True, timeout=60)
    return [str(path), _sha256(path)]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
