"""Builds the guest whose root is an ostree deployment, and the same tree as the layer of a container image."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.minilab import guest
from zerotoil.minilab.cache import cached
from zerotoil.minilab.commands import run
from zerotoil.minilab.tools import tool

RELEASE = f"{guest.RELEASE}-ostree"
_HERE = Path(__file__).parent
_GUEST = Path(guest.__file__).parent


@dataclass(frozen=True)
class Built:
    """A build of the guest: its disk, and the OS tree as a packed layer of a container image."""

    disk: Path  # qcow2
    layer: Path  # .tar.gz
    digest: str  # sha256:… of the packed layer
    diff_id: str  # sha256:… of the tar in it


def build() -> Built:
    """The image (8 GiB, about 0.6 GB on disk) and its layer (0.5 GB); made in about 4 minutes when not cached. Needs root."""
    ignition = tool("ignition-unlabelled")  # the tree has no /etc/selinux/config
    own = [_HERE / name for name in ("packages.txt", "customize.sh", "assemble.sh", "grub.cfg", "files")]
    shared = [_GUEST / name for name in ("packages.txt", "customize.sh", "disk.sh", "files")]
    folder = cached("ostree", [ignition, *own, *shared, RELEASE.encode()], lambda target: _build(ignition, target))
    layer = json.loads((folder / "layer.json").read_text())
    return Built(folder / "disk.qcow2", folder / "layer.tar.gz", layer["digest"], layer["diff_id"])


def packages() -> list[str]:
    """Names of the Debian packages in the image."""
    return guest.packages() + guest.packages(_HERE / "packages.txt")


def _build(ignition: Path, target: Path) -> None:
    if os.geteuid() != 0:
        raise LabError("building the guest image needs root", code=Code.LAB_NEEDS_ROOT)
    work = target.with_name(f"{target.name}.work")  # a fixed name, so that a killed build's is found and removed
    _remove(work)
    work.mkdir(parents=True)
    try:
        customize = [str(_HERE / "customize.sh"), str(_HERE / "files"), str(_GUEST), str(ignition), RELEASE]
        guest.mmdebstrap(packages(), work / "tree", work / "apt.conf", f'{shlex.join(customize)} "$1"')
        run(str(_HERE / "assemble.sh"), str(work), str(target), RELEASE, timeout=1800)
    finally:
        _remove(work)


def _remove(work: Path) -> None:
    """Delete a build's folder; libostree makes a deployment's folder immutable."""
    for deployment in work.glob("root/ostree/deploy/*/deploy/*.0"):
        run("chattr", "-i", str(deployment))
    shutil.rmtree(work, ignore_errors=True)
