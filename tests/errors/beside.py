"""How each failure of a snapshot beside the data is provoked."""

from typing import Any

from tests.errors.world import Provoke, World
from tests.workflows.restore_lab import VOLUME, Lab
from tests.workflows.test_restore import SNAPSHOT
from zerotoil.error_codes import Code
from zerotoil.resources.hypervisor import hot_disk
from zerotoil.workflows.restore import drop, mount_beside, wanted


def made(w: World) -> Lab:
    """A host with the snapshot beside its data."""
    lab = Lab(w.tmp, w.sim(), w.patch)
    w.stack.callback(lab.nas.close)
    mount_beside(wanted(lab.site, SNAPSHOT, "x"))
    return lab


def another_disk(w: World) -> Any:
    lab = made(w)
    (disk,) = (disk for serial, disk in lab.hypervisor._disks("matrix").items() if serial.startswith("zr-"))
    disk.find("source").set("name", "iqn.x:other/0")  # type: ignore[union-attr]
    return drop(lab.site, "x")


def deaf_guest(w: World) -> Any:
    lab = made(w)
    lab.hypervisor.deaf = 1000
    w.patch.setattr(hot_disk, "_SECONDS", 0.1)
    return drop(lab.site, "x")


def other_snapshot(w: World) -> Any:
    lab = made(w)
    lab.snapshot("other")
    return wanted(lab.site, "other", "x")


def busy(w: World) -> Any:
    lab = made(w)
    lab.program("umount", "exit 32")
    return drop(lab.site, "x")


def needed(w: World) -> Any:
    lab = made(w)
    lab.sim.storage.snapshot([f"{VOLUME}-restore-x@mine"], {})
    lab.sim.storage.clone(f"{VOLUME}-restore-x@mine", "tank/mine", {})
    return drop(lab.site, "x")


CASES: dict[Code, Provoke] = {
    Code.DISK_NOT_ATTACHED: another_disk,
    Code.DISK_NOT_RELEASED: deaf_guest,
    Code.NO_SUCH_SNAPSHOT: lambda w: wanted(made(w).site, "nosuch"),
    Code.CLONE_DIFFERS: other_snapshot,
    Code.NO_SUCH_RESTORE: lambda w: drop(made(w).site, "nosuch"),
    Code.DATA_IN_USE: busy,
    Code.CLONE_NEEDED: needed,
}
