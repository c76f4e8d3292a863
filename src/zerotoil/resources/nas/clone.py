"""A clone of a snapshot: a volume of its own that shares every block with it, so its making costs the same at any size.

Natural key: the path. One that exists is taken only when it was made from the same snapshot. Its marks are written after
it is made and read back: what `dataset_properties` of the clone call may hold differs between TrueNAS versions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zerotoil.clients.truenas import Nas, NasError
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.resources.nas.mark import PREFIX, dataset, property_of


@dataclass(frozen=True)
class Clone:
    """A clone as it is wanted. `snapshot` is DATASET@NAME; `marks` are our properties without their prefix."""

    nas: Nas
    name: str
    snapshot: str
    marks: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The natural key in words."""
        return f"clone {self.name}"

    def exists(self) -> bool:
        """Is it there? Raises LabError for something else of its name."""
        entry = dataset(self.nas, self.name)
        if entry is None:
            return False
        other = origin_of(self.nas, self.name)
        if other != self.snapshot:
            what = f"a clone of {other}" if other else "no clone"
            raise LabError(
                f"{self.name} exists and is {what}, not of {self.snapshot}",
                "nothing was touched; choose another name",
                code=Code.CLONE_DIFFERS,
            )
        return True

    def make(self) -> None:
        """Make it and mark it, as far as that is not done yet. Raises LabError."""
        with self.nas.lock:
            self.nas.forget()
            if not self.exists():
                self.nas.write(f"{self.nas.capabilities.snapshots}.clone", {"snapshot": self.snapshot, "dataset_dst": self.name})
                if not self.exists():
                    raise NasError(
                        f"the NAS says that it made {self.name}, and it is not there",
                        "look at the NAS's own log, then run again",
                        code=Code.CHANGE_NOT_MADE,
                    )
            write_marks(self.nas, self.name, self.marks)


def origin(entry: Mapping[str, Any]) -> str:
    """The snapshot that a dataset of this entry was cloned from, as DATASET@NAME; empty when it is no clone."""
    return str((entry.get("origin") or {}).get("value") or "")


def origin_of(nas: Nas, name: str) -> str:
    """The same of a dataset by its name."""
    return origin(dataset(nas, name) or {})


def ancestry(nas: Nas, volume: str) -> list[str]:
    """A volume, and those that it was cloned from in turn."""
    found = [volume]
    while (parent := origin_of(nas, found[-1]).partition("@")[0]) and parent not in found:
        found.append(parent)
    return found


def clones_of(nas: Nas, volume: str) -> dict[str, str]:
    """The clones of a volume's snapshots: name -> origin. By their own word, which is the pool's, whatever a snapshot lists."""
    entries = nas.query("pool.dataset", ["pool", "=", volume.split("/")[0]])
    return {str(entry["id"]): origin(entry) for entry in entries if origin(entry).startswith(f"{volume}@")}


def write_marks(nas: Nas, name: str, marks: Mapping[str, str | None]) -> None:
    """Set our properties of a dataset (None: take it away) where they differ, and read them back. Raises LabError."""
    entry = dataset(nas, name) or {}
    wanted = {key: value for key, value in marks.items() if property_of(entry, key) != (value or "")}
    if not wanted:
        return
    changes = [
        {"key": PREFIX + key, **({"remove": True} if value is None else {"value": value})} for key, value in wanted.items()
    ]
    nas.write("pool.dataset.update", name, {"user_properties_update": changes})
    entry = dataset(nas, name) or {}
    if any(property_of(entry, key) != (value or "") for key, value in wanted.items()):
        raise LabError(
            f"the NAS did not keep our marks on {name}", "look at its user properties (zfs get all)", code=Code.MARK_NOT_KEPT
        )
