"""The snapshots of a host's data volume: what each is, where it comes from, and what depends on it. Reads only."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from zerotoil.clients.truenas import Nas
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.schedule import longest_gap
from zerotoil.model.snapshots import MANUAL, fits, former_tier, namings
from zerotoil.model.spec import HostSpec
from zerotoil.model.units import format_seconds
from zerotoil.model.volumes import Volume
from zerotoil.resources.nas.manual import BY, NOTE, QUIESCED, local
from zerotoil.resources.nas.mark import dataset
from zerotoil.resources.nas.present import Past, lineage, present

LATEST, _NEAREST = "latest", 3
MANUAL_ORIGIN, BY_HAND = "manual", "by hand"
_GRACE = timedelta(hours=1)  # clocks differ, and a busy NAS is late
_TIMES = ("dataset", "snapshot_name", "properties.creation")


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
            if past == Past(past.volume) or past.tells(int(_raw(entry, "creation"))):
                yield entry


def named(found: Sequence[Found], host: str, given: str, volume: Volume | None = None) -> Found:
    """The snapshot of that name (with or without its volume before an @), "latest" for the newest. Raises LabError."""
    for one in found:
        if given in (one.name, one.id) or given == LATEST:
            return one
    nearest = difflib.get_close_matches(given.rpartition("@")[2], [one.name for one in found], _NEAREST, cutoff=0.0)
    what = "its data" if volume is None or volume.is_data else volume.words
    raise LabError(
        f"{host}: {what} has no snapshot {given}" if found else f"{host}: {what} has no snapshots",
        f"the nearest are {', '.join(nearest)}" if nearest else f"zerotoil snapshot {host} takes one",
        code=Code.NO_SUCH_SNAPSHOT,
    )


def before(found: Sequence[Found], host: str, time: datetime) -> Found:
    """The newest snapshot that is not younger than `time`. Raises LabError with the oldest there is."""
    for one in found:
        if one.created <= time:
            return one
    oldest = f"the oldest is {found[-1].name}" if found else f"zerotoil snapshot {host} takes one"
    raise LabError(
        f"{host}: its data has no snapshot from before {time.astimezone():%Y-%m-%d %H:%M}", oldest, code=Code.NO_SUCH_SNAPSHOT
    )


def overdue(spec: HostSpec, nas: Nas, now: datetime) -> str:
    """Since when the data volume has had no snapshot that its schedule should have made, in words; empty where all is well.

    What `zerotoil snapshot` takes does not count. One query serves all hosts of a lab, and none is made for a young volume.
    """
    schedules = [spec.data.snapshot_schedule, *(tier.schedule for tier in spec.data.snapshot_tiers.values())]
    gap = min((gap for gap in map(longest_gap, schedules) if gap), default=None)
    name = present(spec, nas)
    volume = dataset(nas, name)
    if gap is None or volume is None:
        return ""
    limit = now - 2 * gap - _GRACE
    made = _time(str((volume.get("creation") or {}).get("rawvalue") or ""))
    if made is None or made >= limit:
        return ""
    inside = name.startswith(f"{spec.nas.dataset}/")
    which = ["dataset", "^", f"{spec.nas.dataset}/"] if inside else ["dataset", "=", name]
    entries = nas.found(nas.capabilities.snapshots, "dataset", name, which, select=_TIMES)
    times = [_time(_raw(entry, "creation")) for entry in entries if not fits(MANUAL, entry["snapshot_name"])]
    newest = max((time for time in times if time), default=None)
    if (newest and newest >= limit) or (times and not newest):  # a NAS that does not say when is not accused
        return ""
    since = f"no snapshot since {newest:%Y-%m-%d %H:%M} UTC" if newest else f"no snapshot, and it was made on {made:%Y-%m-%d}"
    return f"{since}; one is due every {format_seconds(int(gap.total_seconds()))}"


def _time(seconds: str) -> datetime | None:
    return datetime.fromtimestamp(int(seconds), UTC) if seconds.isdecimal() else None


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
    return str(((entry.get("properties") or {}).get(name) or {}).get("rawvalue") or "")


def _origin(spec: HostSpec, name: str, by: str) -> str:
    """Which of our marks or schemas it bears. What a person named like a tier's snapshot cannot be told from one."""
    if by:
        return MANUAL_ORIGIN if by == spec.owner else f"{MANUAL_ORIGIN} ({by})"
    for tier, schema in namings(spec.data.snapshot_naming, spec.data.snapshot_tiers).items():
        if fits(schema, name):
            return tier
    former = former_tier(name)
    return f"{former} (declared no more)" if former else BY_HAND
