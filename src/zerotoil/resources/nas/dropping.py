"""Taking apart what serves a snapshot beside the data. The only calls in here that destroy anything, and what forbids them.

Deleted is a clone that bears our marks of this very restore, set on itself; that is a clone of the host's volume; that the
host does not run with; that nothing serves; and that no other clone needs. Its snapshots go one by one, never recursively: on
TrueNAS 26 a recursive delete takes clones elsewhere along. Every answer is proven by a look, since a NAS may say yes and not
have done it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from zerotoil.clients.truenas import Nas, NasError
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.restore import Restore
from zerotoil.resources.nas.beside import MARK, Served, is_marked, local
from zerotoil.resources.nas.clone import ancestry, clones_of, origin
from zerotoil.resources.nas.kept import Entry, Kept
from zerotoil.resources.nas.mark import dataset, property_of
from zerotoil.resources.nas.patience import when_idle


@dataclass(frozen=True)
class Dropping:
    """One restore on the NAS, to be taken apart. `volumes`: the host's present volume, and others that are its data."""

    restore: Restore
    served: Served
    volumes: Collection[str]

    @property
    def nas(self) -> Nas:
        """The NAS."""
        return self.served.clone.nas

    def check(self) -> list[str]:
        """What is there and would go, in that order, in words. Raises LabError for what must not go; reads only."""
        self.nas.forget()
        entry = self._clone()
        parts = [part for part in (self.served.mapping, self.served.target, self.served.extent) if self._of_ours(part)]
        gone = [part.key for part in parts]
        if entry:
            gone += [f"snapshot {name}" for name in self._snapshots()]
            gone.append(f"clone {entry['id']} of {origin(entry)}")
        return gone

    def mapping(self) -> None:
        """Serve it no more."""
        self._delete(self.served.mapping)

    def target(self) -> None:
        """Delete the target."""
        self._delete(self.served.target)

    def extent(self) -> None:
        """Delete the extent. The volume below it stays."""
        self._delete(self.served.extent)

    def clone(self) -> None:
        """Delete the clone's snapshots, then the clone."""
        with self.nas.lock:
            self.nas.forget()
            if self._clone() is None:
                return
            name = self.served.clone.name
            if served := self.nas.found("iscsi.extent", "disk", f"zvol/{name}"):  # TrueNAS would delete that first, forced
                raise LabError(
                    f"{name} is still served by the extent {served[0]['name']}", "nothing was deleted", code=Code.STILL_IN_USE
                )
            for snapshot in self._snapshots():
                gone = lambda one=snapshot: one not in self._snapshots()  # noqa: E731
                self._gone(f"snapshot {snapshot}", gone, f"{self.nas.capabilities.snapshots}.delete", snapshot, {})
            options = {"recursive": False, "force": False}
            self._gone(f"clone {name}", lambda: dataset(self.nas, name) is None, "pool.dataset.delete", name, options)

    def _delete(self, part: Kept) -> None:
        with self.nas.lock:
            self.nas.forget()
            entry = self._of_ours(part)
            if entry:
                self._gone(part.key, lambda: part.find() is None, f"{part.kind}.delete", entry["id"])

    def _of_ours(self, part: Kept) -> Entry | None:
        """Its entry; LabError for one that is somebody else's."""
        entry = part.find()
        part.check(entry)
        if entry and part.kind == "iscsi.extent" and entry["comment"] != self.restore.comment:
            raise LabError(
                f"{part.key} is not marked as ours (its comment is {entry['comment']!r})",
                "nothing was deleted; remove it on the NAS yourself",
                code=Code.EXTENT_TAKEN,
            )
        return entry

    def _clone(self) -> Entry | None:
        """The clone's entry. Raises LabError for one that must not go."""
        name = self.served.clone.name
        entry = dataset(self.nas, name)
        if entry:
            self._refuse_in_use(name, entry)
            self._refuse_not_ours(name, entry)
            self._refuse_needed(name)
        return entry

    def _refuse_in_use(self, name: str, entry: Entry) -> None:
        spec = self.restore.spec
        runs = [item for item in self.nas.found("iscsi.extent", "name", spec.iscsi.extent) if item.get("disk") == f"zvol/{name}"]
        present = name in {spec.zvol, *(of for volume in self.volumes for of in ancestry(self.nas, volume))}
        if runs or present or property_of(entry, "state"):
            why = f"the extent {runs[0]['name']} serves it" if runs else "it is marked so" if not present else "as declared"
            raise LabError(
                f"{name} is a data volume of {spec.name} ({why}), no restore", "nothing was deleted", code=Code.STILL_IN_USE
            )

    def _refuse_not_ours(self, name: str, entry: Entry) -> None:
        spec = self.restore.spec
        if not is_marked(entry, self.restore):
            found = f"owner {local(entry, 'owner') or 'nobody'}, {MARK} {local(entry, MARK) or 'none'}"
            raise LabError(
                f"{name} does not bear the marks of this restore ({found})",
                "nothing was deleted; one that was interrupted is finished, and marked, by the same "
                f"`zerotoil restore {spec.name} SNAPSHOT --beside --as {self.restore.name}`",
                code=Code.VOLUME_NOT_OURS,
            )
        of = origin(entry).partition("@")[0]
        # a volume that the host ran with before an undo is still its own, and says so
        own = bool(of) and local(dataset(self.nas, of) or {}, "owner") == spec.owner
        if not own and of not in {name for volume in self.volumes for name in ancestry(self.nas, volume)}:
            what = f"a clone of {origin(entry)}" if origin(entry) else "no clone"
            raise LabError(
                f"{name} is {what}, not of the data of {spec.name}", "nothing was deleted; look at it", code=Code.CLONE_DIFFERS
            )

    def _refuse_needed(self, name: str) -> None:
        if needed := sorted(clones_of(self.nas, name)):
            raise LabError(
                f"{name} cannot go: {', '.join(needed)} is a clone of it",
                "nothing was deleted; remove that one first",
                code=Code.CLONE_NEEDED,
            )

    def _snapshots(self) -> list[str]:
        name = self.served.clone.name
        entries = self.nas.query(self.nas.capabilities.snapshots, ["dataset", "=", name])
        return [str(entry["id"]) for entry in entries if str(entry["id"]).startswith(f"{name}@")]

    def _gone(self, what: str, is_gone: Callable[[], bool], method: str, *params: Any) -> None:
        """Delete one thing, wait while it is busy, and prove that it is gone. Raises LabError."""
        try:
            when_idle(self.nas, method, *params)
        except NasError as error:
            if error.errname == "EACCES":
                role = "give nas_user the roles DATASET_DELETE and SNAPSHOT_DELETE (docs/truenas.md), then run again"
                raise NasError(error.what, role, error.errname, code=error.code) from error
            raise
        self.nas.forget()
        if not is_gone():
            raise NasError(
                f"{what}: the NAS says that it deleted it, and it is still there",
                "look at the NAS's own log, then run again",
                code=Code.CHANGE_NOT_MADE,
            )
