"""What must be true before the lab can come up; every problem at once, each with its cure."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from zerotoil.error_codes import Code
from zerotoil.errors import LabError

# What the lab calls, by the Debian package that brings it (setup/packages.txt holds the same names).
COMMANDS = {
    "libvirtd": "libvirt-daemon-system",
    "virtlogd": "libvirt-daemon-system",
    "virsh": "libvirt-clients",
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-img": "qemu-utils",
    "dnsmasq": "dnsmasq-base",
    "iptables": "iptables",
    "ip": "iproute2",
    "tgtd": "tgt",
    "zpool": "zfs-fuse",  # or zfsutils-linux, which brings the same command
    "docker-registry": "docker-registry",
    "skopeo": "skopeo",
    "ssh-keygen": "openssh-client",
    "mmdebstrap": "mmdebstrap",
    "sgdisk": "gdisk",
    "mkfs.ext4": "e2fsprogs",
    "xz": "xz-utils",
}
FILES = {"/usr/lib/*/qemu/block-iscsi.so": "qemu-block-extra"}
NEEDED_BYTES = 6 << 30  # guest image, its compressed form, one OS disk and some data


def require_root() -> None:
    """Raise LabError for anybody but root."""
    if os.geteuid() != 0:
        raise LabError("the lab needs root (libvirt, ZFS, iSCSI)", "repeat with sudo", code=Code.LAB_NEEDS_ROOT)


def require_packages() -> str:
    """Raise LabError with the one command that installs all that is missing."""
    missing = {package for command, package in COMMANDS.items() if shutil.which(command, path=_path()) is None}
    missing |= {package for pattern, package in FILES.items() if not list(Path("/").glob(pattern[1:]))}
    if missing:
        names = " ".join(sorted(missing))
        raise LabError(
            f"Debian packages are missing: {names}",
            f"apt-get install --no-install-recommends {names}",
            code=Code.LAB_PART_MISSING,
        )
    return "all there"


def require_space(folder: Path) -> None:
    """Raise LabError when a first `up` could not hold its images."""
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(there).free
    if free < NEEDED_BYTES:
        raise LabError(
            f"{there} has {free >> 30} GiB free, the lab needs {NEEDED_BYTES >> 30}",
            "free some, or set ZEROTOIL_LAB_STATE",
            code=Code.LAB_PART_MISSING,
        )


def extend_path() -> None:
    """The lab's commands live in sbin folders that a root shell may not have in PATH."""
    os.environ["PATH"] = _path()


def _path() -> str:
    present = os.environ.get("PATH", "").split(":")
    return ":".join([*present, *(folder for folder in ("/usr/sbin", "/sbin") if folder not in present)])
