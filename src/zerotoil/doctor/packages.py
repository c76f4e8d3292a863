"""Which package brings what, and the command that installs it, by family of distribution.

Sources: packages.debian.org, packages.fedoraproject.org. Debian and Ubuntu use the same names. Pure, but for
`this_family`, which reads /etc/os-release.
"""

from __future__ import annotations

import os
import shlex
from enum import StrEnum
from pathlib import Path


class Family(StrEnum):
    """Distributions that install by the same command and names. Red Hat's rebuilds lack some of Fedora's packages."""

    DEBIAN = "Debian, Ubuntu"
    FEDORA = "Fedora"
    RED_HAT = "Red Hat"
    UNKNOWN = "unknown"


_OS_RELEASE = (Path("/etc/os-release"), Path("/usr/lib/os-release"))
_INSTALL = {Family.DEBIAN: "apt-get install", Family.FEDORA: "dnf install", Family.RED_HAT: "dnf install"}
_BINARY = "run `make setup` in a checkout (Debian), or put the release binary of github.com/coreos/{} on the PATH"

_PACKAGES: dict[str, tuple[str, str]] = {  # what -> (Debian's packages, Fedora's)
    "python": ("python3.11 python3.11-venv", "python3.13"),
    "libvirt library": ("libvirt0", "libvirt-libs"),
    "libvirt headers": ("gcc libvirt-dev pkg-config python3-dev", "gcc libvirt-devel pkgconf python3-devel"),
    "libvirt daemon": ("libvirt-daemon-system", "libvirt-daemon-kvm"),
    "virsh": ("libvirt-clients", "libvirt-client"),
    "ssh": ("openssh-client", "openssh-clients"),
    "qemu-img": ("qemu-utils", "qemu-img"),
    "QEMU's iSCSI driver": ("qemu-block-extra", "qemu-block-iscsi"),
    "iscsiadm": ("open-iscsi", "iscsi-initiator-utils"),
    "butane": ("", "butane"),
    "ignition-validate": ("", "ignition-validate"),
}
_UNPACKAGED = {  # where no package brings it
    "butane": _BINARY.format("butane"),
    "ignition-validate": _BINARY.format("ignition"),
    "QEMU's iSCSI driver": 'no package has it (Red Hat dropped it): declare data_attach = "block"',
}
_NOT_IN_RED_HAT = {"QEMU's iSCSI driver", "butane", "ignition-validate"}


def family(os_release: str) -> Family:
    """The family that a text of /etc/os-release tells (by ID, then ID_LIKE)."""
    fields = dict(line.split("=", 1) for line in os_release.splitlines() if "=" in line and not line.startswith("#"))
    names = [name for key in ("ID", "ID_LIKE") for name in fields.get(key, "").strip("\"' ").lower().split()]
    if names and names[0] == "fedora":
        return Family.FEDORA
    if {"rhel", "centos"} & set(names):
        return Family.RED_HAT
    if "fedora" in names:
        return Family.FEDORA
    return Family.DEBIAN if {"debian", "ubuntu"} & set(names) else Family.UNKNOWN


def this_family() -> Family:
    """This machine's."""
    for path in _OS_RELEASE:
        if path.is_file():
            return family(path.read_text(errors="replace"))
    return Family.UNKNOWN


def install(what: str, where: Family) -> str:
    """The command that installs `what` there; both families' where it is unknown which one this is."""
    if where is Family.UNKNOWN:
        return "; ".join(f"{one}: {install(what, one)}" for one in (Family.DEBIAN, Family.FEDORA))
    debian, fedora = _PACKAGES[what]
    names = debian if where is Family.DEBIAN else fedora
    if not names or (where is Family.RED_HAT and what in _NOT_IN_RED_HAT):
        return _UNPACKAGED[what]
    return as_root(f"{_INSTALL[where]} {names}")


def as_root(command: str) -> str:
    """The command as this user has to type it."""
    return command if os.geteuid() == 0 else f"sudo {command}"


def join_libvirt_group() -> str:
    """The command that lets this user manage the local libvirt; it counts from the next login on."""
    user = shlex.quote(os.environ.get("USER") or str(os.geteuid()))
    return f"{as_root(f'usermod -aG libvirt {user}')}, then log in again"
