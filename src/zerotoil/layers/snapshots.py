"""The snapshots of a host's data volume: what each is, where it comes from, and what depends on it. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from zerotoil.clients.truenas import Nas
from zerotoil.model.snapshots import fits, former_tier, namings
from zerotoil.model.spec import HostSpec
from zerotoil.resources.nas.manual import BY, NOTE, QUIESCED, local

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

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {**vars(self), "created": self.created.isoformat(), "clones": list(self.clones)}


def look(spec: HostSpec, nas: Nas) -> list[Found]:
    """The snapshots of the host's data volume, newest first; asked in one query."""
    entries = nas.query(nas.capabilities.snapshots, ["dataset", "=", spec.zvol])
    newest_first = sorted(entries, key=lambda entry: int(entry["createtxg"]), reverse=True)
    return [_found(spec, entry) for entry in newest_first]


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
