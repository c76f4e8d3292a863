"""The record of a volume: written to the zvol once a healthy guest has it mounted.

It is what the guard trusts before a later first boot. Natural key: the zvol.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.data_volume import DataMark, Filesystem, VolumeState
from zerotoil.model.volumes import Volume
from zerotoil.resources.guest.guest import Guest
from zerotoil.resources.resource import Change, must_match, updated


@dataclass(frozen=True)
class DataRecord:
    """Type, label and UUID of a volume as the guest has it mounted, kept with the zvol."""

    volume: Volume
    guest: Guest
    read: Callable[[], DataMark | None]
    write: Callable[[DataMark], None]

    @property
    def key(self) -> str:
        """The natural key in words."""
        return f"record of {self.volume.spec.zvol}"

    def plan(self) -> list[Change]:
        """The changes that are needed now. Raises LabError when the guest mounts another filesystem than recorded.

        None for a volume that the running OS was made without: its next OS disk brings it (a notice says so).
        """
        if not self.guest.exists:
            return self._of_a_new_machine()
        volume, spec = self.volume, self.volume.spec
        if not self.guest.knows(volume):
            return []
        filesystem, mark = self.guest.filesystem(volume), self.read()
        if filesystem.label != spec.data.label or filesystem.type != spec.data.filesystem:
            wanted = Filesystem(spec.data.filesystem, spec.data.label)
            which = "the data disk" if volume.is_data else volume.words
            raise LabError(
                f"{spec.name}: {which} holds {filesystem}, declared is {wanted}",
                "declare what is there",
                code=Code.DATA_DIFFERS,
            )
        if mark and mark.filesystem and mark.filesystem.uuid != filesystem.uuid:
            raise LabError(
                f"{spec.name}: {volume.mount} is {filesystem}, but {volume.words} is recorded as {mark.filesystem}",
                "another disk is attached; nothing was changed",
                code=Code.DATA_DIFFERS,
            )
        want = {"state": str(VolumeState.DATA), "filesystem": str(filesystem)}
        have = {"state": str(mark.state), "filesystem": str(mark.filesystem or "")} if mark else {}
        return updated(self.key, want, have)

    def _of_a_new_machine(self) -> list[Change]:
        """What a first healthy boot will record; nothing where an earlier one did."""
        mark = self.read()
        if mark and mark.state is VolumeState.DATA:
            return []
        return updated(self.key, {"state": str(VolumeState.DATA)}, {"state": str(mark.state) if mark else None})

    def apply(self) -> list[Change]:
        """Write the record."""
        changes = self.plan()
        if changes:
            mark = self.read()
            adopted = mark is not None and mark.adopted
            self.write(DataMark(self.volume.spec.owner, VolumeState.DATA, self.guest.filesystem(self.volume), adopted))
            must_match(self.key, self.plan())
        return changes
