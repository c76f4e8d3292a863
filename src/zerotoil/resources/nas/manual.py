"""A snapshot taken on demand, with its marks in its own ZFS user properties and nowhere else."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from zerotoil.clients.truenas import Nas, NasError
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.resources.nas.mark import PREFIX

NOTE, BY, QUIESCED = PREFIX + "note", PREFIX + "by", PREFIX + "quiesced"
NOTE_BYTES = 1000  # TrueNAS 25.10.0 shows no more than 1024 characters of a property
_UNSURE = (Code.NAS_DROPPED, Code.NAS_TIMEOUT)  # it may have been taken all the same


def check_note(note: str) -> None:
    """Raise LabError for a note that a property could not hold, or that would break a list of snapshots."""
    if len(note.encode()) > NOTE_BYTES or not note.isprintable() or note != note.strip():
        raise LabError(
            f"the note is no single line of at most {NOTE_BYTES} bytes", "leave out line breaks and tabs", code=Code.WRONG_OPTION
        )


def local(entry: dict[str, Any], name: str) -> str:
    """A user property that was set on this snapshot itself; empty when it is inherited from its volume, or not there."""
    value = (entry.get("properties") or {}).get(name) or {}
    return str(value.get("value") or "") if value.get("source") not in ("INHERITED", "NONE") else ""


class Manual:
    """One snapshot of a dataset and everything below it, all at the same moment."""

    def __init__(self, nas: Nas, dataset: str, volumes: Collection[str], name: str, marks: dict[str, str]) -> None:
        self.nas, self.dataset, self.volumes, self.name, self.marks = nas, dataset, volumes, name, marks

    @property
    def key(self) -> str:
        """The natural key in words."""
        return f"snapshot {self.dataset}@{self.name}"

    def take(self) -> NasError | None:
        """Take it; the error where the connection was lost, so that only `check` can say whether it was taken."""
        wanted = {"dataset": self.dataset, "name": self.name, "recursive": True, "properties": self.marks}
        try:
            self.nas.write(f"{self.nas.capabilities.snapshots}.create", wanted)
        except NasError as error:
            if error.code not in _UNSURE:
                raise
            return error
        return None

    def check(self, unsure: NasError | None) -> None:
        """Read back. Raises LabError when it is not there, on the dataset and on each volume, with its marks."""
        found = self._entries()
        if unsure and not found:
            raise unsure
        for dataset in sorted({self.dataset, *self.volumes}):
            entry = found.get(dataset)
            if not entry or any(local(entry, key) != value for key, value in self.marks.items()):
                what = "is not there" if not entry else "does not bear its marks"
                raise LabError(
                    f"{self.key}: the NAS took it, and {dataset}@{self.name} {what}",
                    "look at the NAS's own log, then take another",
                    code=Code.CHANGE_NOT_MADE,
                )

    def mark_again(self, key: str, value: str) -> None:
        """Change a mark. Raises LabError where the NAS does not (26.0 says yes and does nothing)."""
        namespace = self.nas.capabilities.snapshots
        for entry in self._entries().values():
            self.nas.write(f"{namespace}.update", entry["id"], {"user_properties_update": [{"key": key, "value": value}]})
        if any(local(entry, key) != value for entry in self._entries().values()):
            raise LabError(
                f"{self.key} is taken, but its mark {key} says {self.marks[key]} where {value} is true, and the NAS keeps it so",
                "take another one",
                code=Code.MARK_NOT_KEPT,
            )

    def _entries(self) -> dict[str, dict[str, Any]]:
        """By dataset."""
        pool = self.dataset.split("/")[0]
        self.nas.forget()
        entries = self.nas.query(self.nas.capabilities.snapshots, ["pool", "=", pool], ["snapshot_name", "=", self.name])
        below = [e for e in entries if f"{e['dataset']}/".startswith(f"{self.dataset}/")]
        return {entry["dataset"]: entry for entry in below}
