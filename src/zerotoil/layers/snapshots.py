"""The snapshots of a host's data volume: what each is, where it comes from, and what depends on it. Reads only."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from zerotoil.clients.truenas import Nas
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.snapshots import fits, former_tier, namings
from zerotoil.model.spec import HostSpec
from zerotoil.resources.nas.manual import BY, NOTE, QUIESCED, local
from zerotoil.resources.nas.present import lineage

MANUAL_ORIGIN, BY_HAND = "manual", "by hand"


@dataclass(frozen=True)
class Found:
    """One snapshot; sizes in bytes. `used` is what only this snapshot holds, `referenced` all that it shows."""

    name: str
    created: datetime
    used: int
    referenced: int
    origin: str  # a tier, "manual", or "by hand"
    note: str = ""
    quiesced: str = ""
    clones: tuple[str, ...] = ()
    volume: str = ""  # the present one, or one that an undo replaced

    @property
    def id(self) -> str:
        """As the NAS names it: VOLUME@NAME."""
        return f"{self.volume}@{self.name}"

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {**vars(self), "created": self.created.isoformat(), "clones": list(self.clones)}


def look(spec: HostSpec, nas: Nas) -> list[Found]:
    """The snapshots of the host's data, newest first: of the volume that serves, and of those before it while they served."""
    newest_first = sorted(of_lineage(spec, nas), key=lambda entry: int(entry["createtxg"]), reverse=True)
    return [_found(spec, entry) for entry in newest_first]


def of_lineage(spec: HostSpec, nas: Nas) -> Iterator[dict[str, Any]]:
    """The NAS's entries of these snapshots; a query per volume."""
    for past in lineage(spec, nas):
        for entry in nas.query(nas.capabilities.snapshots, ["dataset", "=", past.volume]):
            if past.until == float("inf") or int(_raw(entry, "creation")) <= past.until:
                yield entry


def nearest(found: Sequence[Found], wanted: str) -> list[str]:
    """The names that are most like the wanted one, for an error."""
    return difflib.get_close_matches(wanted, [one.name for one in found], 3, 0.3) or [one.name for one in found[:3]]


def named(found: Sequence[Found], host: str, wanted: str) -> Found:
    """The snapshot of that name (with or without its volume before an @), "latest" for the newest. Raises LabError."""
    for one in found:
        if wanted in (one.name, one.id) or wanted == "latest":
            return one
    known = ", ".join(nearest(found, wanted.rpartition("@")[2]))
    raise LabError(
        f"{host}: its data has no snapshot {wanted}",
        f"the nearest are {known}" if known else "it has none at all: take one with zerotoil snapshot",
        code=Code.NO_SUCH_SNAPSHOT,
    )


def before(found: Sequence[Found], host: str, time: datetime) -> Found:
    """The newest snapshot that is not younger than `time`. Raises LabError with the oldest there is."""
    for one in found:
        if one.created <= time:
            return one
    oldest = f"the oldest is {found[-1].name}" if found else "it has none at all: take one with zerotoil snapshot"
    raise LabError(
        f"{host}: its data has no snapshot from before {time.astimezone():%Y-%m-%d %H:%M}", oldest, code=Code.NO_SUCH_SNAPSHOT
    )


def _found(spec: HostSpec, entry: dict[str, Any]) -> Found:
    name, clones = entry["snapshot_name"], _raw(entry, "clones")
    return Found(
        name,
        datetime.fromtimestamp(int(_raw(entry, "creation")), UTC),
        int(_raw(entry, "used")),
        int(_raw(entry, "referenced")),
        _origin(spec, name, local(entry, BY)),
        local(entry, NOTE),
        local(entry, QUIESCED),
        tuple(clone for clone in clones.split(",") if clone not in ("", "-")),
        entry["dataset"],
    )


def _raw(entry: dict[str, Any], name: str) -> str:
    return str((entry["properties"].get(name) or {}).get("rawvalue") or "")


def _origin(spec: HostSpec, name: str, by: str) -> str:
    """Which of our marks or schemas it bears. What a person named like a tier's snapshot cannot be told from one."""
    if by:
        return MANUAL_ORIGIN if by == spec.owner else f"{MANUAL_ORIGIN} ({by})"
    for tier, schema in namings(spec.data.snapshot_naming, spec.data.snapshot_tiers).items():
        if fits(schema, name):
            return tier
    former = former_tier(name)
    return f"{former} (declared no more)" if former else BY_HAND
