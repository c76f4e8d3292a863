"""Periodic snapshot tasks.

Natural key: dataset and naming schema; the server has none and allows duplicates, so of several the closest is ours.
A partial schedule is refilled with defaults by the server, so it is always sent whole. Source: pool.snapshottask.*
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

from zerotoil.model.units import Cron, Lifetime
from zerotoil.resources.nas.kept import Entry, Kept

_FIELDS = ("minute", "hour", "dom", "month", "dow")
_WHOLE_DAY = ("00:00", "23:59")


@dataclass(frozen=True)
class SnapshotTask(Kept):
    """The nightly snapshot of a host's dataset; recursive, so that a clone which takes a volume's place is covered."""

    dataset: str
    schedule: Cron
    keep: Lifetime
    naming: str
    kind: ClassVar[str] = "pool.snapshottask"
    create_only: ClassVar[frozenset[str]] = frozenset({"allow_empty"})

    @property
    def key(self) -> str:
        """See Kept."""
        return f"snapshot task {self.dataset}"

    def find(self) -> Entry | None:
        """See Kept."""
        same = [e for e in self.nas.found(self.kind, "dataset", self.dataset) if e["naming_schema"] == self.naming]
        return min(same, key=lambda entry: (len(self.diff(entry)), entry["id"]), default=None)

    def declared(self) -> dict[str, Any]:
        """See Kept."""
        return {
            "schedule": " ".join(_plain(getattr(self.schedule, name)) for name in _FIELDS),
            "keep": str(self.keep),
            "recursive": True,
            "enabled": True,
            "hours": "-".join(_WHOLE_DAY),
        }

    def observed(self, entry: Entry) -> dict[str, Any]:
        """See Kept."""
        schedule = entry["schedule"]
        return {
            "schedule": " ".join(_plain(schedule[name]) for name in _FIELDS),
            "keep": str(Lifetime(entry["lifetime_value"], entry["lifetime_unit"].lower())),
            "recursive": entry["recursive"],
            "enabled": entry["enabled"],
            "hours": f"{schedule.get('begin', _WHOLE_DAY[0])}-{schedule.get('end', _WHOLE_DAY[1])}",
        }

    def payload(self) -> dict[str, Any]:
        """See Kept."""
        cron = {name: getattr(self.schedule, name) for name in _FIELDS}
        return {
            "dataset": self.dataset,
            "recursive": True,
            "lifetime_value": self.keep.value,
            "lifetime_unit": self.keep.unit.upper(),
            "naming_schema": self.naming,
            "schedule": {**cron, "begin": _WHOLE_DAY[0], "end": _WHOLE_DAY[1]},
            "allow_empty": True,
            "enabled": True,
        }


def _plain(cron_field: str) -> str:
    """ "00,30" and "0,30" are the same minutes."""
    return re.sub(r"\d+", lambda number: str(int(number[0])), cron_field)
