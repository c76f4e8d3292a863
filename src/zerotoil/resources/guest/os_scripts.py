"""The scripts and units that look after an OS, as files of a guest. Placeholder until the guest's part is merged."""

from __future__ import annotations

from importlib import resources

from zerotoil.model.places import OS_TREE
from zerotoil.resources.guest.files import GuestFile
from zerotoil.resources.guest.packaged import joined, sent

_PARTS = {"os.sh": ("part-units.sh", "part-os.sh"), "health.sh": ("part-os.sh",)}


def os_scripts() -> list[GuestFile]:
    """os.sh and health.sh, each with the parts that it uses."""
    return [GuestFile(f"{OS_TREE}/{name}", 0o755, joined(name, *parts)) for name, parts in _PARTS.items()]


def os_unit(name: str) -> GuestFile:
    """One unit as it is in the package."""
    text = resources.files("zerotoil.resources.guest").joinpath("units", name).read_text()
    return GuestFile(f"{OS_TREE}/units/{name}", 0o644, text)


def observing() -> str:
    """A script that says what os.sh observes, where it is not there yet."""
    return sent("os.sh", "observe", parts=_PARTS["os.sh"])
