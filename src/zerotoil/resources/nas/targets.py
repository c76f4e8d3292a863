"""What the hypervisor sees: target, extent and the mapping that joins them.

Natural keys: names of target and extent (unique on the server); for the mapping target and extent. Our mark is the
extent's comment. Ids of portals, initiator groups and CHAP tags are the server's: they are compared by natural key.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from zerotoil.clients.truenas import NasError
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.resources.nas.access import Chap, InitiatorGroup, Portal
from zerotoil.resources.nas.kept import Entry, Kept
from zerotoil.resources.resource import Change, Risk

_ELSEWHERE = "nothing was touched; declare another iscsi_target"
_OURS = "zerotoil "  # a comment that begins so is our mark
_DEVICE_SECONDS = 15  # /dev/zvol/… appears a moment after the zvol (udev)
_LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Beside:
    """Volumes of a host beside its data: those that are declared, and those that were, right below its dataset and served by
    extents of our comment.
    """

    dataset: str
    comment: str
    declared: frozenset[str] = frozenset()

    def has(self, extent: Entry) -> bool:
        """Does an extent serve one of them?"""
        disk = str(extent.get("disk") or "")
        if disk.removeprefix("zvol/") in self.declared:
            return True
        above = disk.rpartition("/")[0]
        return above == f"zvol/{self.dataset}" and extent.get("comment") == self.comment


@dataclass(frozen=True)
class Target(Kept):
    """One target per VM: adding or removing a LUN restarts all connections of its target (libiscsi issue 153).

    What it serves beside the host's data is a volume of the same host, which may be declared no more: it stays.
    """

    name: str
    portal: Portal
    group: InitiatorGroup
    chap: Chap | None
    zvol: str
    beside: Beside | None = None
    kind: ClassVar[str] = "iscsi.target"

    @property
    def key(self) -> str:
        """See Kept."""
        return f"target {self.name}"

    @property
    def method(self) -> str:
        """How the two sides prove themselves."""
        return "NONE" if not self.chap else "CHAP_MUTUAL" if self.chap.peer_user else "CHAP"

    def find(self) -> Entry | None:
        """See Kept."""
        return next(iter(self.nas.found(self.kind, "name", self.name)), None)

    def check(self, entry: Entry | None) -> None:
        """A target of that name that serves a volume of somebody else is refused."""
        if entry is None:
            return
        mappings = self.nas.found("iscsi.targetextent", "target", entry["id"])
        for mapping in mappings:
            extent = next(iter(self.nas.found("iscsi.extent", "id", mapping["extent"])), {})
            if extent.get("disk") != f"zvol/{self.zvol}" and not (self.beside and self.beside.has(extent)):
                served = extent.get("disk") or extent.get("path")
                raise LabError(
                    f"{self.key} is taken: it serves the extent {extent.get('name')} ({served})",
                    _ELSEWHERE,
                    code=Code.TARGET_TAKEN,
                )
        group = self.group.find()
        if not mappings and not (group and group["id"] in [item["initiator"] for item in entry["groups"]]):
            raise LabError(
                f"{self.key} is taken: it neither serves our volume nor admits our initiators", _ELSEWHERE, code=Code.TARGET_TAKEN
            )

    def declared(self) -> dict[str, Any]:
        """See Kept."""
        tag = str(self.chap.tag) if self.chap else "-"
        return {"access": [f"{self.portal.key}, {self.group.key}, {self.method} {tag}"]}

    def observed(self, entry: Entry) -> dict[str, Any]:
        """See Kept. Ids become natural keys."""
        access = [
            f"{self._portal(item['portal'])}, {self._group(item['initiator'])}, {item['authmethod']} {item['auth'] or '-'}"
            for item in entry["groups"]
        ]
        return {"access": sorted(access)}

    def diff(self, entry: Entry | None) -> list[Change]:
        """See Kept. Who may log in to an adopted VM's volume matters at its next login."""
        return [replace(change, risk=Risk.RESTART) if self.adopt else change for change in super().diff(entry)]

    def _portal(self, number: int) -> str | None:
        own = self.portal.find()
        if own and own["id"] == number:
            return self.portal.key  # the order of addresses is no difference
        other = next(iter(self.nas.found("iscsi.portal", "id", number)), None)
        return f"portal {', '.join(listen['ip'] for listen in other['listen'])}" if other else None

    def _group(self, number: int | None) -> str | None:
        other = next(iter(self.nas.found("iscsi.initiator", "id", number)), None)
        return f"initiator group {other['comment']!r}" if other else None

    def payload(self) -> dict[str, Any]:
        """See Kept. `auth` is the tag, not an id."""
        portal, group = self.portal.find(), self.group.find()
        if not portal or not group:
            raise LabError(
                f"{self.key} needs {self.portal.key} and {self.group.key} first",
                "run the whole deploy",
                code=Code.NEEDS_ANOTHER_FIRST,
            )
        auth = self.chap.tag if self.chap else None
        access = {"portal": portal["id"], "initiator": group["id"], "authmethod": self.method, "auth": auth}
        return {"name": self.name, "groups": [access]}


@dataclass(frozen=True)
class Extent(Kept):
    """The zvol as a SCSI disk. The server gives it its serial and NAA, which stay for its life.

    With `adopt` the words that a person wrote on it stay.
    """

    name: str
    zvol: str
    comment: str
    kind: ClassVar[str] = "iscsi.extent"
    create_only: ClassVar[frozenset[str]] = frozenset({"name", "type", "disk", "rpm"})

    @property
    def key(self) -> str:
        """See Kept."""
        return f"extent {self.name}"

    def find(self) -> Entry | None:
        """See Kept. One of another name that serves our volume is refused: two extents on one disk destroy it."""
        for entry in self.nas.found(self.kind, "disk", f"zvol/{self.zvol}"):
            if entry["name"] != self.name:
                raise LabError(
                    f"zvol {self.zvol} is served by the extent {entry['name']} already",
                    "remove that one, or declare its name",
                    code=Code.VOLUME_USED_TWICE,
                )
        return next(iter(self.nas.found(self.kind, "name", self.name)), None)

    def check(self, entry: Entry | None) -> None:
        """Another disk under our name is not ours to change; our disk under another comment is drift."""
        if entry and entry.get("disk") != f"zvol/{self.zvol}":
            raise LabError(
                f"{self.key} is taken: it serves {entry.get('disk') or entry.get('path')}", _ELSEWHERE, code=Code.EXTENT_TAKEN
            )
        if entry and self.adopt and entry["comment"].startswith(_OURS) and entry["comment"] != self.comment:
            raise LabError(
                f"{self.key} is marked as {entry['comment'].removeprefix(_OURS)}'s", "nothing was touched", code=Code.EXTENT_TAKEN
            )

    def _comment(self) -> str:
        entry = self.find() if self.adopt else None
        return entry["comment"] if entry and entry["comment"] else self.comment

    def declared(self) -> dict[str, Any]:
        """See Kept."""
        return {"disk": f"zvol/{self.zvol}", "comment": self._comment(), "enabled": True, "read-only": False}

    def observed(self, entry: Entry) -> dict[str, Any]:
        """See Kept."""
        return {"disk": entry["disk"], "comment": entry["comment"], "enabled": entry["enabled"], "read-only": entry["ro"]}

    def payload(self) -> dict[str, Any]:
        """See Kept."""
        disk = f"zvol/{self.zvol}"
        return {
            "name": self.name,
            "type": "DISK",
            "disk": disk,
            "comment": self._comment(),
            "enabled": True,
            "ro": False,
            "rpm": "SSD",
        }

    def write(self, entry: Entry | None) -> None:
        """See Kept."""
        write = super().write
        patiently(lambda: write(entry))


def patiently(write: Callable[[], object]) -> None:
    """A zvol that was just made may have no device yet: such a refusal of an extent is met by waiting for it."""
    deadline = time.monotonic() + _DEVICE_SECONDS
    while True:
        try:
            write()
            return
        except NasError as error:
            late = any(name.endswith("disk") and "does not exist" in text for name, text in error.fields.items())
            if not late or time.monotonic() > deadline:
                raise
        time.sleep(_LOOK_SECONDS)


@dataclass(frozen=True)
class Mapping(Kept):
    """The LUN under which a target serves an extent. One that `stays` is never changed: who is logged in would read and write
    another volume under the old number.
    """

    target: Target
    extent: Extent
    lun: int
    stays: bool = False
    kind: ClassVar[str] = "iscsi.targetextent"

    @property
    def key(self) -> str:
        """See Kept."""
        return f"mapping {self.target.name} / {self.extent.name}"

    def find(self) -> Entry | None:
        """See Kept."""
        target, extent = self.target.find(), self.extent.find()
        if not extent:
            return None
        found = next(iter(self.nas.found(self.kind, "extent", extent["id"])), None)
        if found and (not target or found["target"] != target["id"]):
            other = next(iter(self.nas.found("iscsi.target", "id", found["target"])), {})
            raise LabError(
                f"{self.extent.key} is served by the target {other.get('name')} already",
                "nothing was touched: two targets on one disk destroy it; remove that mapping",
                code=Code.VOLUME_USED_TWICE,
            )
        return found

    def check(self, entry: Entry | None) -> None:
        """One that stays has the LUN that it has, and takes none that another has."""
        if not self.stays:
            return
        if entry and entry["lunid"] != self.lun:
            raise LabError(
                f"{self.key}: it is LUN {entry['lunid']}, declared is {self.lun}: the LUN of a volume never changes",
                f'nothing was touched; write "lun": {entry["lunid"]} for it in data_more',
                code=Code.LUN_TAKEN,
            )
        target = None if entry else self.target.find()
        for other in self.nas.found(self.kind, "target", target["id"]) if target else []:
            if other["lunid"] == self.lun:
                extent = next(iter(self.nas.found("iscsi.extent", "id", other["extent"])), {})
                raise LabError(
                    f"{self.key}: LUN {self.lun} is that of the extent {extent.get('name')} already",
                    'nothing was touched; write another "lun" for it in data_more',
                    code=Code.LUN_TAKEN,
                )

    def diff(self, entry: Entry | None) -> list[Change]:
        """See Kept. A LUN more is no small thing to who reads the others of the target: its connections may restart."""
        changes = super().diff(entry)
        if self.stays and entry is None and self.target.find():
            return [replace(change, risk=Risk.RESTART) for change in changes]
        return changes

    def declared(self) -> dict[str, Any]:
        """See Kept."""
        return {"LUN": self.lun}

    def observed(self, entry: Entry) -> dict[str, Any]:
        """See Kept."""
        return {"LUN": entry["lunid"]}

    def payload(self) -> dict[str, Any]:
        """See Kept."""
        target, extent = self.target.find(), self.extent.find()
        if not target or not extent:
            raise LabError(f"{self.key} needs its target and extent first", "run the whole deploy", code=Code.NEEDS_ANOTHER_FIRST)
        return {"target": target["id"], "extent": extent["id"], "lunid": self.lun}
