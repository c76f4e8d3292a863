"""What serves a snapshot beside the data: a clone of it, an extent on that, and a target of its own.

Its own target, because a LUN that is added to the host's restarts all connections of that one. The extent is writable: the
filesystem replays its journal when it is mounted; what is read-only is the mount.
"""

from __future__ import annotations

from dataclasses import dataclass

from zerotoil.clients.truenas import Nas
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.restore import Restore
from zerotoil.resources.nas import access, full_name
from zerotoil.resources.nas.clone import Clone
from zerotoil.resources.nas.mark import dataset, property_of
from zerotoil.resources.nas.targets import Extent, Mapping, Target

MARK = "restore"  # zerotoil:restore=NAME


@dataclass(frozen=True)
class Served:
    """All that is made on the NAS for one restore, in the order in which it is made."""

    clone: Clone
    extent: Extent
    target: Target
    mapping: Mapping

    @property
    def iqn(self) -> str:
        """The target's full name."""
        return full_name(self.clone.nas, self.target.name)


def served(nas: Nas, restore: Restore, volume: str, snapshot: str = "") -> Served:
    """What serves it, as it is wanted. `snapshot` (DATASET@NAME) is needed only to make the clone."""
    spec = restore.spec
    clone = Clone(nas, clone_name(nas, restore, volume), snapshot, {"owner": spec.owner, MARK: restore.name})
    target = Target(nas, restore.target, *access(spec, nas), clone.name)
    extent = Extent(nas, restore.extent, clone.name, restore.comment)
    return Served(clone, extent, target, Mapping(nas, target, extent, spec.iscsi.lun))


def clone_name(nas: Nas, restore: Restore, volume: str) -> str:
    """The clone that bears the mark, wherever it lies; else the one that would be made."""
    marked = [entry["id"] for entry in _volumes(nas, volume) if entry["type"] == "VOLUME" and is_marked(entry, restore)]
    return str(marked[0]) if marked else restore.clone_of(volume)


def make_clone(served: Served) -> None:
    """Make and mark the clone. Raises LabError, and touches nothing, where its name belongs to something else."""
    with served.clone.nas.lock:
        served.clone.nas.forget()
        check_clone(served)
        served.clone.make()


def check_clone(served: Served) -> None:
    """Raise LabError where the name of the clone belongs to something else."""
    clone = served.clone
    entry = dataset(clone.nas, clone.name) or {}
    other = {key: found for key, mine in clone.marks.items() if (found := property_of(entry, key)) not in ("", mine)}
    if other or property_of(entry, "state"):
        what = ", ".join(f"{key} {value}" for key, value in other.items()) or "a data volume"
        raise LabError(
            f"{clone.name} exists and is marked as another's ({what})",
            "nothing was touched; choose another name (--as)",
            code=Code.CLONE_DIFFERS,
        )
    clone.exists()


def is_marked(entry: dict[str, object], restore: Restore) -> bool:
    """Does a dataset bear the marks of this restore, both of its own?"""
    return (local(entry, "owner"), local(entry, MARK)) == (restore.spec.owner, restore.name)


def local(entry: dict[str, object], name: str) -> str:
    """One of our properties that was set on this dataset itself; empty when there is any doubt about that."""
    properties = entry.get("user_properties")
    value = properties.get(f"zerotoil:{name}") if isinstance(properties, dict) else None
    return str(value.get("value") or "") if isinstance(value, dict) and value.get("source") == "LOCAL" else ""


def _volumes(nas: Nas, volume: str) -> list[dict[str, object]]:
    return nas.query("pool.dataset", ["pool", "=", volume.split("/")[0]])
