"""What every host is given whose OS is looked after. Placeholder: the guest's part brings the real one."""

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
_UNITS = resources.files("zerotoil.resources.guest").joinpath("units")


def os_scripts() -> list[GuestFile]:
    """os.sh and health.sh, each with the parts that it uses."""
    return [GuestFile(f"{OS_TREE}/{name}", 0o755, joined(name, "part-os.sh")) for name in ("os.sh", "health.sh")]


def os_units(names: Sequence[str]) -> list[GuestFile]:
    """Some of the units."""
    return [GuestFile(f"{OS_TREE}/units/{name}", 0o644, _UNITS.joinpath(name).read_text()) for name in names]


def os_sent(*arguments: str) -> str:
    """os.sh to be sent over SSH: where the tree is not there yet."""
    return sent("os.sh", *arguments, parts=("part-os.sh",))
