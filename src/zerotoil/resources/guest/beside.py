"""A snapshot's disk in the guest: mounted beside the data, and let go of again (scripts/beside.sh)."""

from __future__ import annotations

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.restore import FOLDER, Restore
from zerotoil.resources.guest.guest import Guest
from zerotoil.resources.guest.packaged import sent


class WrongFilesystem(LabError):
    """The snapshot holds another filesystem than its volume, or none."""


def make_ready(guest: Guest) -> None:
    """Before the disk is plugged in: the links by UUID and label stay with the data disk. Raises LabError."""
    answer = _run(guest, "ready")
    if answer != "ready":
        raise LabError(
            f"{guest.name}: the guest cannot be told to leave its links by UUID and label alone ({answer})",
            "nothing was attached: after a reboot it could mount the snapshot for its data; does udev run there?",
            code=Code.GUEST_COMMAND_FAILED,
        )


def mount(guest: Guest, restore: Restore, *, writable: bool) -> None:
    """Mount it, or mount it again as wanted. Raises LabError; WrongFilesystem when it is not what the volume is."""
    data = restore.of.spec.data
    mode = "rw" if writable else "ro"
    answer = _run(guest, "mount", restore.serial, restore.folder, data.filesystem, mode, data.partlabel or "")
    word, _, more = answer.partition(" ")
    if word == "mounted":
        return
    where = f"{guest.name}: {restore.folder}"
    if word == "other":
        what = "no filesystem: is it older than the filesystem?" if more == "nothing" else f"{more}, not {data.filesystem}"
        raise WrongFilesystem(f"{where}: the snapshot holds {what}", "choose another snapshot", code=Code.DATA_DIFFERS)
    if word == "nopart":
        raise WrongFilesystem(
            f"{where}: the snapshot has no partition {data.partlabel!r}", "choose another snapshot", code=Code.DATA_DIFFERS
        )
    why = {
        "absent": f"the guest sees no disk {restore.serial} after 30 s",
        "taken": "something else is mounted there",
        "failed": f"the guest cannot mount it ({more})",
    }
    raise LabError(
        f"{where}: {why.get(word, f'the guest answered {answer[:80]!r}')}",
        f"look there: zerotoil ssh {guest.name} -- lsblk",
        code=Code.GUEST_COMMAND_FAILED,
    )


def unmount(guest: Guest, restore: Restore) -> None:
    """Unmount it, where it is mounted. Raises LabError with the processes that keep it busy."""
    answer = _run(guest, "unmount", restore.serial, restore.folder)
    word, _, more = answer.partition(" ")
    if word == "busy":
        raise LabError(
            f"{guest.name}: {restore.folder} is in use by {more}",
            "nothing was taken apart; let them go, then run again",
            code=Code.DATA_IN_USE,
        )
    if word != "unmounted":
        raise LabError(
            f"{guest.name}: {restore.folder} cannot be unmounted ({answer[:80]!r})",
            f"look there: zerotoil ssh {guest.name} -- findmnt {restore.folder}",
            code=Code.GUEST_COMMAND_FAILED,
        )


def mounts(guest: Guest) -> dict[str, str]:
    """What is mounted in the folder of restores: NAME -> "ro" or "rw". Raises LabError."""
    lines = [line.partition(" ") for line in guest.ask(_script("list", FOLDER)).splitlines()]
    return {name: mode for name, _, mode in lines}


def _run(guest: Guest, *arguments: str) -> str:
    return guest.write(_script(*arguments)).strip()


def _script(*arguments: str) -> str:
    return sent("beside.sh", *arguments, parts=["part-users.sh"])
