"""pool.snapshottask: periodic snapshots are kept as rows only; nothing runs them."""

from __future__ import annotations

import errno
from typing import Any

from zerotoil.minilab.nas.errors import Problems
from zerotoil.minilab.nas.methods.tables import readable
from zerotoil.minilab.nas.middleware import Middleware, method
from zerotoil.minilab.nas.state import Row

TASK = "pool.snapshottask"
SCHEDULE = {"minute": "00", "hour": "*", "dom": "*", "month": "*", "dow": "*", "begin": "00:00", "end": "23:59"}
DEFAULTS: Row = {
    "recursive": False,
    "lifetime_value": 2,
    "lifetime_unit": "WEEK",
    "enabled": True,
    "exclude": [],
    "naming_schema": "auto-%Y-%m-%d_%H-%M",
    "allow_empty": True,
}

readable(TASK, lambda nas, row: {**row, "state": {"state": "PENDING"}, "vmware_sync": False})


@method("pool.snapshottask.create")
def create(nas: Middleware, data: Row) -> Row:
    """Duplicates are allowed."""
    row = {**DEFAULTS, **data, "schedule": {**SCHEDULE, **(data.get("schedule") or {})}}
    _check(nas, "periodic_snapshot_create", row)
    return _shown(nas.state.add(TASK, row))


@method("pool.snapshottask.update")
def update(nas: Middleware, number: int, data: Row) -> Row:
    """A partial schedule is refilled with defaults, not with what it was (facts of truenas/middleware)."""
    row = nas.row(TASK, number)
    data = {key: value for key, value in data.items() if key != "fixate_removal_date"}
    if "schedule" in data:
        data["schedule"] = {**SCHEDULE, **data["schedule"]}
    merged = {**row, **data}
    _check(nas, "periodic_snapshot_update", merged)
    row.update(merged)
    return _shown(row)


@method("pool.snapshottask.delete")
def delete(nas: Middleware, number: int, options: Any = None) -> bool:
    """The snapshots it made stay."""
    nas.row(TASK, number)
    nas.state.remove(TASK, number)
    return True


def _shown(row: Row) -> Row:
    return {**row, "state": {"state": "PENDING"}, "vmware_sync": False}


def _check(nas: Middleware, argument: str, row: Row) -> None:
    problems = Problems(argument)
    if row["dataset"] not in [dataset.name for dataset in nas.storage.datasets()]:
        problems.add("dataset", "ZFS dataset or zvol not found", errno.ENOENT)
    if row["exclude"] and not row["recursive"]:
        problems.add("exclude", "Excluding datasets is not necessary for non-recursive snapshots")
    for excluded in row["exclude"]:
        if not excluded.startswith(row["dataset"] + "/"):
            problems.add("exclude", f"{excluded} is not a child of {row['dataset']}")
    schema = row["naming_schema"]
    if "%s" not in schema and not all(part in schema for part in ("%Y", "%m", "%d", "%H", "%M")):
        problems.add("naming_schema", "must contain %Y, %m, %d, %H and %M (or %s)")
    problems.check()
