"""One guest, read in one round trip.

Every shell command costs an SSH round trip, so one script prints all that is observed as one JSON object; it is kept
for the run and forgotten at every write. CoreOS has no Python: the script is POSIX sh with jq.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from importlib import resources
from typing import Any

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.data_volume import Filesystem
from zerotoil.model.places import DATA
from zerotoil.model.volumes import Volume
from zerotoil.render.butane import escape_unit
from zerotoil.resources.guest import files

Shell = Callable[[str], str]  # runs a POSIX sh script as root (the script travels on stdin), returns its output
_NEW_MACHINE: dict[str, Any] = {
    "data": None, "units": {}, "containers": [], "notify_sha256": "", "sums": "", "modes": "", "notes": "", "os": "", "boot": "",
}  # fmt: skip


class Guest:
    """A guest reached through `shell`, which raises LabError when a script fails."""

    def __init__(self, name: str, shell: Shell) -> None:
        self.name = name
        self._shell = shell
        self._facts: dict[str, Any] | None = None
        self._texts: dict[str, str | None] = {}
        self.exists = True
        self.writes = 0

    @classmethod
    def new_machine(cls, name: str) -> Guest:
        """A guest that is not there yet: everything in it is to be made."""

        def refuse(_script: str) -> str:
            raise LabError(f"{name}: the VM is not up yet", "run the deploy", code=Code.NEEDS_ANOTHER_FIRST)

        guest = cls(name, refuse)
        guest.exists, guest._facts = False, _NEW_MACHINE
        return guest

    def facts(self) -> dict[str, Any]:
        """What is observed: data (mount, type, label, uuid), mounts (the same of all that is mounted right below /var/mnt, by
        place; empty where that is the data alone), mount_units (of the OS, for these places), units, containers, notify_sha256,
        os, boot; sums, modes and notes are about files of ours, see `files`; podman, k3s, tailnet and os_updates are what their
        scripts say of themselves.
        """
        if self._facts is None:
            script = resources.files("zerotoil.resources.guest").joinpath("observe.sh").read_text()
            answer = self._shell(script)
            try:
                self._facts = json.loads(answer)
            except json.JSONDecodeError as error:
                raise LabError(
                    f"{self.name}: the guest answered no JSON ({answer[:200]!r})",
                    "is jq in its OS image?",
                    code=Code.GUEST_COMMAND_FAILED,
                ) from error
        assert self._facts is not None
        return self._facts

    def texts(self, paths: Sequence[str]) -> dict[str, str]:
        """The texts of files, in one round trip; what is no text or not there is left out. Kept until something is written."""
        if missing := [path for path in paths if path not in self._texts]:
            self._texts |= dict.fromkeys(missing) | files.read_answer(self.ask(files.read_script(missing)))
        return {path: text for path in paths if (text := self._texts[path]) is not None}

    def forget(self) -> None:
        """Read afresh the next time."""
        self._facts = None
        self._texts = {}

    @property
    def seen(self) -> dict[str, Any]:
        """What was observed already; empty where nothing has asked yet."""
        return self._facts or {}

    def ask(self, script: str) -> str:
        """Run a script that only reads."""
        return self._shell(script)

    def write(self, script: str) -> str:
        """Run a script that changes the guest; what was observed is forgotten."""
        self.writes += 1
        self.forget()
        return self._shell(script)

    def data_filesystem(self) -> Filesystem:
        """The filesystem mounted at /var/mnt/data. Raises LabError when the data disk is not mounted."""
        return self._mounted(DATA, self.facts().get("data"))

    def filesystem(self, volume: Volume) -> Filesystem:
        """The filesystem mounted where the volume belongs. Raises LabError when nothing is."""
        if volume.is_data:
            return self.data_filesystem()
        return self._mounted(volume.mount, (self.facts().get("mounts") or {}).get(volume.mount))

    def knows(self, volume: Volume) -> bool:
        """Was the running OS made with this volume: does it mean to mount it?"""
        return volume.is_data or _mount_unit(volume.mount) in (self.facts().get("mount_units") or [])

    def _mounted(self, place: str, found: dict[str, Any] | None) -> Filesystem:
        if not found:
            raise LabError(
                f"{self.name}: {place} is not mounted",
                f"nothing was changed in the guest; see `zerotoil ssh {self.name} -- systemctl status {_mount_unit(place)}`",
                code=Code.DATA_NOT_MOUNTED,
            )
        return Filesystem(found["type"], found["label"], found["uuid"])


def _mount_unit(place: str) -> str:
    return f"{escape_unit(place.removeprefix('/'))}.mount"
