"""Snapshot tasks of the tiers beside the nightly one, and tasks of tiers that are declared no more.

A task on the NAS has no comment and no owner. Which ones we made is therefore written down as user properties of the host's
own dataset (or of its volume, where that lies elsewhere): `zerotoil:task-NUMBER`, and `zerotoil:begun-TIER` while one is
being made, so that an interrupted run is finished by the next. A task without such a note is somebody else's: it is never
switched off, whatever its name looks like.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from zerotoil.clients.truenas import Nas
from zerotoil.resources.nas.kept import Entry
from zerotoil.resources.nas.mark import PREFIX, dataset, property_of
from zerotoil.resources.nas.snapshots import SnapshotTask
from zerotoil.resources.resource import Action, Change, must_match

_TASK, _BEGUN = "task-", "begun-"
_KIND = SnapshotTask.kind


@dataclass(frozen=True)
class _Note:
    """What is written down about one task of ours: by its number, or that all of a higher number may be it."""

    name: str  # of the property, without our prefix
    dataset: str
    naming: str
    after: int | None = None  # the highest number there was before it was made

    @property
    def said(self) -> dict[str, Any]:
        """What is written of a task that is there."""
        return {"dataset": self.dataset, "naming": self.naming}

    def task(self, nas: Nas) -> Entry | None:
        """The task; None when it is gone, was given another name by a person, or cannot be told for sure."""
        same = [e for e in nas.found(_KIND, "dataset", self.dataset) if e["naming_schema"] == self.naming]
        if self.after is None:
            return next((entry for entry in same if str(entry["id"]) == self.name.removeprefix(_TASK)), None)
        newer = [entry for entry in same if entry["id"] > self.after]
        return newer[0] if len(newer) == 1 else None


def _notes(nas: Nas, where: str) -> Iterator[_Note]:
    """What is written down at a dataset or volume."""
    entry = dataset(nas, where) or {}
    for key in sorted(entry.get("user_properties") or {}):
        name = key.removeprefix(PREFIX)
        if name.startswith((_TASK, _BEGUN)) and (text := property_of(entry, name)):
            try:
                note = json.loads(text)
                yield _Note(name, note["dataset"], note["naming"], note.get("after"))
            except (ValueError, KeyError, TypeError, AttributeError):
                continue  # not in our hand: proves nothing


def _write(nas: Nas, where: str, notes: dict[str, dict[str, Any] | None]) -> None:
    """Write notes down; None takes one away."""
    changes = [
        {"key": PREFIX + name, "remove": True} if note is None else {"key": PREFIX + name, "value": json.dumps(note)}
        for name, note in notes.items()
    ]
    nas.write("pool.dataset.update", where, {"user_properties_update": changes})


@dataclass(frozen=True)
class TierTask(SnapshotTask):
    """The task of one tier. `notes` is where it is written down that we made it."""

    tier: str = field(kw_only=True)
    notes: str = field(kw_only=True)

    @property
    def key(self) -> str:
        """See Kept."""
        return f"snapshot task {self.dataset} ({self.tier})"

    def diff(self, entry: Entry | None) -> list[Change]:
        """See Kept; a task that was made and not yet written down as ours is a difference too."""
        changes = super().diff(entry)
        begun = self._begun(entry) if entry else None
        return [*changes, Change(self.key, Action.UPDATE, "made by", "not noted", "zerotoil")] if begun else changes

    def write(self, entry: Entry | None) -> None:
        """See Kept. Said before, made, said after: interrupted anywhere, the next run knows what it finds."""
        if entry is None:
            highest = max((task["id"] for task in self.nas.query(_KIND)), default=0)
            begun = {"dataset": self.dataset, "naming": self.naming, "after": highest}
            _write(self.nas, self.notes, {f"{_BEGUN}{self.tier}": begun})
            entry = self.nas.write(f"{_KIND}.create", self.payload())
        elif super().diff(entry):
            super().write(entry)
            self.nas.forget()
        if entry and self._begun(entry):
            note = {"dataset": self.dataset, "naming": self.naming}
            _write(self.nas, self.notes, {f"{_TASK}{entry['id']}": note, f"{_BEGUN}{self.tier}": None})

    def _begun(self, entry: Entry) -> bool:
        notes = [note for note in _notes(self.nas, self.notes) if note.name == f"{_BEGUN}{self.tier}"]
        return any(found["id"] == entry["id"] for note in notes if (found := note.task(self.nas)))


@dataclass(frozen=True)
class FormerTiers:
    """Tasks that we made for tiers which are declared no more: switched off, never deleted. Their snapshots stay."""

    nas: Nas
    notes: str
    declared: frozenset[tuple[str, str]]  # dataset and naming schema of all tasks that are declared

    @property
    def key(self) -> str:
        """See Resource."""
        return f"former snapshot tiers of {self.notes}"

    def _found(self) -> list[tuple[_Note, Entry | None]]:
        """What is noted about tiers that are declared no more, and the task of each."""
        notes = [note for note in _notes(self.nas, self.notes) if (note.dataset, note.naming) not in self.declared]
        return [(note, note.task(self.nas)) for note in notes]

    def plan(self) -> list[Change]:
        """The tasks that are to be switched off, and notes of tasks that an interrupted run never made."""
        changes = []
        for note, task in self._found():
            what = f"snapshot task {note.dataset} ({note.naming})"
            if task and task["enabled"]:
                after = "False (declared no more; its snapshots stay)"
                changes.append(Change(what, Action.UPDATE, "enabled", True, after))
            if note.after is not None:
                changes.append(Change(what, Action.UPDATE, "made by", "not noted", "zerotoil" if task else "nobody"))
        return changes

    def apply(self) -> list[Change]:
        """Switch them off and read back."""
        with self.nas.lock:
            self.nas.forget()
            changes = self.plan()
            for note, task in self._found() if changes else []:
                if note.after is not None:  # or a task that a person makes later could pass for it
                    made = {f"{_TASK}{task['id']}": note.said} if task else {}
                    _write(self.nas, self.notes, {**made, note.name: None})
                if task and task["enabled"]:
                    self.nas.write(f"{_KIND}.update", task["id"], {"enabled": False})
            if changes:
                must_match(self.key, self.plan())
            return changes
