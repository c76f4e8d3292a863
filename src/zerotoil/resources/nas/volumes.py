"""A host's dataset and the zvol in it.

Natural key: the path. Nothing here shrinks, deletes or overwrites: only `deletion` and `dropping` do, which no deploy imports.
Source: pool.dataset.* ; TrueNAS wraps properties as {value, rawvalue, parsed, source}; `sparse` is create-only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from zerotoil.clients.truenas import NasError
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.data_volume import DataMark, VolumeState
from zerotoil.model.units import format_size
from zerotoil.resources.nas.kept import Entry, Kept
from zerotoil.resources.nas.mark import PREFIX, as_properties, dataset, neighbour, of_entry, property_of, write_mark
from zerotoil.resources.nas.remains import remains
from zerotoil.resources.resource import Change, updated

_ANOTHER = "nothing was touched; declare another nas_dataset or lab_name"


@dataclass(frozen=True)
class Dataset(Kept):
    """A host's dataset, under which its volumes live."""

    name: str
    owner: str
    kind: ClassVar[str] = "pool.dataset"

    @property
    def key(self) -> str:
        """See Kept."""
        return f"dataset {self.name}"

    def find(self) -> Entry | None:
        """See Kept. A missing pool is said before anything is made."""
        if there := dataset(self.nas, self.name):
            return there
        pool = self.name.split("/")[0]
        pools = [entry["name"] for entry in self.nas.query("pool")]
        if pool not in pools:
            raise LabError(
                f"the NAS has no pool {pool}",
                f"nas_dataset starts with one of: {', '.join(pools) or 'none'}",
                code=Code.NO_NAS_POOL,
            )
        return None

    def check(self, entry: Entry | None) -> None:
        """See Kept."""
        owner = property_of(entry, "owner") if entry else ""
        if owner not in ("", self.owner):
            raise LabError(
                f"{self.key} is {owner}'s, not {self.owner}'s", "declare another nas_dataset or lab_name", code=Code.DATASET_TAKEN
            )

    def declared(self) -> dict[str, Any]:
        """See Kept."""
        return {"type": "FILESYSTEM"}

    def observed(self, entry: Entry) -> dict[str, Any]:
        """See Kept."""
        return {"type": entry["type"]}

    def write(self, entry: Entry | None) -> None:
        """See Kept."""
        if entry:
            raise LabError(f"{self.key} is a volume, not a dataset", "declare another nas_dataset", code=Code.DATASET_TAKEN)
        properties = [{"key": f"{PREFIX}owner", "value": self.owner}]
        wanted = {"name": self.name, "type": "FILESYSTEM", "create_ancestors": True, "user_properties": properties}
        self.nas.write("pool.dataset.create", wanted)


@dataclass(frozen=True)
class Zvol(Kept):
    """A data volume: sparse, marked as ours, growing when declared larger, never shrinking.

    With `adopt` one that carries nobody's mark gets ours. It is never marked as blank, whoever made it.
    """

    name: str
    owner: str
    size: int
    blocksize: int | None = None
    was_used: Callable[[], bool] = lambda: False
    size_key: str = "data_size"  # where its size is declared
    label: str = ""  # of its filesystem: the volumes of one host are told apart by it
    kind: ClassVar[str] = "pool.dataset"

    @property
    def key(self) -> str:
        """See Kept."""
        return f"zvol {self.name}"

    def find(self) -> Entry | None:
        """See Kept."""
        return dataset(self.nas, self.name)

    def declared(self) -> dict[str, Any]:
        """See Kept."""
        return {"size": format_size(self.size)}

    def observed(self, entry: Entry) -> dict[str, Any]:
        """See Kept."""
        return {"size": format_size(entry["volsize"]["parsed"])}

    def check(self, entry: Entry | None) -> None:
        """Refuse what is not ours, what would shrink, and what does not fit."""
        if entry is None:
            self._refuse_if_lost()
            self._check_space(self.size)
            return
        self._check_owner(entry)
        have = entry["volsize"]["parsed"]
        if self.size < have:
            raise LabError(
                f"{self.key} is {format_size(have)}, declared are {format_size(self.size)}: a volume is never shrunk",
                f'declare {self.size_key} = "{format_size(have)}" or more',
                code=Code.VOLUME_SHRINKS,
            )
        if self.size > have:
            self._check_space(self.size, entry["used"]["parsed"])

    def _refuse_if_lost(self) -> None:
        """A volume that was in use and is gone is never made anew: an empty one would look like all is well."""
        if why := self._why_lost():
            raise LabError(
                f"{self.key} is gone, and {why}; {remains(self.nas, self.name, self.owner)}",
                "nothing was made: an empty volume would take its place; bring it back on the NAS under its name",
                code=Code.VOLUME_GONE,
            )

    def _why_lost(self) -> str:
        """What tells that there was one; empty for a volume that is new."""
        if any(item.get("disk") == f"zvol/{self.name}" for item in self.nas.query("iscsi.extent")):
            return "an extent still serves it"
        if self.was_used():
            return "its VM ran with it before"
        return "another volume holds data under its mark" if self.label and self._is_elsewhere() else ""

    def _is_elsewhere(self) -> bool:
        """Is there a volume of this host that holds a filesystem of this label? It was renamed, or an undo left it."""
        for entry in self.nas.query("pool.dataset", ["pool", "=", self.name.split("/")[0]]):
            if entry["type"] != "VOLUME" or property_of(entry, "owner") != self.owner:
                continue
            mark = of_entry(entry)
            if mark and mark.filesystem and mark.filesystem.label == self.label:
                return True
        return False

    def _check_owner(self, entry: Entry) -> None:
        mark, owner = of_entry(entry), property_of(entry, "owner")
        if owner not in ("", self.owner) or (mark is None and neighbour(entry) not in ("", self.owner)):
            what = f"marked as {owner}'s" if owner else f"in a dataset that is marked as {neighbour(entry)}'s"
            raise LabError(f"{self.key} exists and is {what}", _ANOTHER, code=Code.VOLUME_NOT_OURS)
        if entry["type"] != "VOLUME":
            raise LabError(f"{self.key} exists and is not marked as ours: it is a dataset", _ANOTHER, code=Code.VOLUME_NOT_OURS)
        if mark is None and not self.adopt:
            raise LabError(
                f"{self.key} exists and is not marked as ours",
                f"{_ANOTHER}, or adopt it (docs/guides/adopt.md)",
                code=Code.VOLUME_NOT_OURS,
            )

    def diff(self, entry: Entry | None) -> list[Change]:
        """See Kept. An unmarked volume gets this far only with `adopt`."""
        changes = super().diff(entry)
        if entry and of_entry(entry) is None:
            want = {"owner": self.owner, "state": f"{VolumeState.FIRST_BOOT}, adopted"}
            changes += updated(self.key, want, {name: "unmarked" for name in want})
        return changes

    def _check_space(self, size: int, used: int = 0) -> None:
        """The server's own rule: at most 80 % of what the nearest dataset above has left, and of what is used already."""
        above = self.name
        entry = None
        while not entry and "/" in above:
            above = above.rpartition("/")[0]
            entry = dataset(self.nas, above)
        room = entry["available"]["parsed"] + used if entry else None
        if entry and room is not None and size > room * 8 // 10:
            raise LabError(
                f"{self.key}: {format_size(size)} do not fit into {above}, which has room for {room >> 20} MiB "
                "(TrueNAS refuses more than 80 % of that)",
                f'declare {self.size_key} = "{(room * 8 // 10) >> 30} GiB" or less, or free space',
                code=Code.VOLUME_DOES_NOT_FIT,
            )

    def write(self, entry: Entry | None) -> None:
        """See Kept."""
        if entry:
            if of_entry(entry) is None:
                write_mark(self.nas, self.name, DataMark(self.owner, VolumeState.FIRST_BOOT, adopted=True))
            if entry["volsize"]["parsed"] != self.size:
                self.nas.write("pool.dataset.update", self.name, {"volsize": self.size})
            return
        mark = as_properties(DataMark(self.owner, VolumeState.BLANK))
        wanted: dict[str, Any] = {
            "name": self.name,
            "type": "VOLUME",
            "volsize": self.size,
            "sparse": True,
            "user_properties": [{"key": key, "value": value} for key, value in mark.items()],
        }
        if self.blocksize:
            wanted["volblocksize"] = f"{self.blocksize // 1024}K"
        self.nas.write("pool.dataset.create", wanted)
        made = self.find()
        if made is None or of_entry(made) != DataMark(self.owner, VolumeState.BLANK):
            raise NasError(
                f"the NAS did not keep the mark on {self.name}",
                "look at its user properties (zfs get all)",
                code=Code.MARK_NOT_KEPT,
            )
