"""What every host is given whose OS is looked after: its scripts, and its units, whatever is declared."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

from zerotoil.model.places import OS_TREE
from zerotoil.resources.guest.files import GuestFile
from zerotoil.resources.guest.packaged import joined, sent

GATE_UNITS = ("zerotoil-os-health.service",)  # a stream's: its updates are Zincati's
IMAGE_UNITS = (
    "zerotoil-os-rebase.service",
    "zerotoil-os-update.service",
    "zerotoil-os-update.timer",
    "zerotoil-os-reboot.service",
    "zerotoil-os-reboot.timer",
    *GATE_UNITS,
)
_COMMON = ("part-units.sh", "part-os-state.sh", "part-os.sh", "part-os-boot.sh")
_OS_PARTS = (*_COMMON, "part-os-window.sh", "part-os-update.sh", "part-os-install.sh")
_UNITS = resources.files("zerotoil.resources.guest").joinpath("units")


def os_scripts() -> list[GuestFile]:
    """os.sh and health.sh, each with the parts that it uses: they are copied to the OS disk, and need no other file there."""
    return [
        GuestFile(f"{OS_TREE}/os.sh", 0o755, _whole("os.sh", _OS_PARTS)),
        GuestFile(f"{OS_TREE}/health.sh", 0o755, _whole("health.sh", _COMMON)),
    ]


def os_units(names: Sequence[str]) -> list[GuestFile]:
    """Some of the units."""
    return [os_unit(name) for name in names]


def os_unit(name: str) -> GuestFile:
    """One of them."""
    return GuestFile(f"{OS_TREE}/units/{name}", 0o644, _UNITS.joinpath(name).read_text())


def observing() -> str:
    """The script that says what is there, where the tree is not there yet."""
    return os_sent("observe")


def os_sent(*arguments: str) -> str:
    """os.sh to be sent over SSH: where the tree is not there yet, or is about to be taken away."""
    root = "root=${ZEROTOIL_ROOT:-}"  # the parts make their paths of it
    return sent("os.sh", *arguments, parts=_OS_PARTS, more=root)


def _whole(name: str, parts: Sequence[str]) -> str:
    return f"#!/bin/sh\nroot=${{ZEROTOIL_ROOT:-}}\n{joined(name, *parts)}"
