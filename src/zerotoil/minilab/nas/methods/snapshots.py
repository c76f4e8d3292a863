"""Snapshots: `zfs.snapshot.*` up to 25.04, `pool.snapshot.*` from 25.10. No rollback: nothing here undoes data."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from typing import Any

from zerotoil.minilab.nas.errors import CallError, Problems, ValidationErrors, does_not_exist
from zerotoil.minilab.nas.methods.properties import wrapped
from zerotoil.minilab.nas.middleware import METHODS, Middleware, Registered
from zerotoil.minilab.nas.state import Row
from zerotoil.minilab.nas.storage import Snapshot, StorageError


def snapshot_method(name: str) -> Callable[[Registered], Registered]:
    """Register under both namespaces; the version's schemas decide which one answers."""

    def register(function: Registered) -> Registered:
        METHODS[f"zfs.snapshot.{name}"] = METHODS[f"pool.snapshot.{name}"] = function
        return function

    return register


@snapshot_method("query")
def query(nas: Middleware, wanted: Any = None, options: Any = None) -> Any:
    """All snapshots of the pool."""
    return nas.select([_shown(nas, snapshot) for snapshot in nas.storage.snapshots()], wanted, options)


@snapshot_method("get_instance")
def get_instance(nas: Middleware, name: str, options: Any = None) -> Row:
    """By dataset@name."""
    return _shown(nas, _find(nas, name))


@snapshot_method("create")
def create(nas: Middleware, data: Row) -> Row:
    """By `name` or `naming_schema`, one of them."""
    dataset = data["dataset"]
    problems = Problems("snapshot_create")
    if bool(data.get("name")) == bool(data.get("naming_schema")):
        problems.add("naming_schema", "You must specify either name or naming schema")
    known = [d.name for d in nas.storage.datasets()]
    if dataset not in known:
        problems.add("dataset", f"{dataset} does not exist", errno.ENOENT)
    problems.check()
    name = data.get("name") or time.strftime(data["naming_schema"])
    names = [dataset]
    if data.get("recursive"):
        names += [n for n in known if n.startswith(dataset + "/") and n not in (data.get("exclude") or [])]
    try:
        nas.storage.snapshot([f"{n}@{name}" for n in names], {k: str(v) for k, v in (data.get("properties") or {}).items()})
    except StorageError as error:
        if error.errno == errno.EEXIST and nas.at_least("26"):
            raise ValidationErrors([("snapshot_create.name", error.reason, errno.EEXIST)]) from error
        raise CallError(f"Failed to snapshot {dataset}@{name}: {error.reason}", error.errno) from error
    return get_instance(nas, f"{dataset}@{name}")


@snapshot_method("update")
def update(nas: Middleware, name: str, data: Row) -> Row:
    """User properties. 26 says yes and changes nothing."""
    snapshot = _find(nas, name)
    changes = {e["key"]: None if e.get("remove") else str(e["value"]) for e in data.get("user_properties_update") or []}
    changes |= dict.fromkeys(data.get("user_properties_remove") or [])
    if changes and not nas.at_least("26"):
        nas.storage.set(snapshot.name, changes)
    return get_instance(nas, name)


@snapshot_method("delete")
def delete(nas: Middleware, name: str, options: Row | None = None) -> bool:
    """`defer` frees it when its last clone goes. Recursion into clones is not played."""
    snapshot, defer = _find(nas, name), bool((options or {}).get("defer"))
    if snapshot.clones and not defer:
        if nas.at_least("26"):
            raise ValidationErrors([("id", f"{name} has clones: {', '.join(snapshot.clones)}", errno.EBUSY)])
        message = f"Please set this attribute as '{name}' snapshot has dependent clones: {', '.join(snapshot.clones)}"
        raise ValidationErrors([("options.defer", message, errno.EINVAL)])
    try:
        nas.storage.destroy_snapshot(name, defer)
    except StorageError as error:
        raise CallError(error.reason, errno.EBUSY if nas.at_least("26") else errno.EFAULT) from error
    return True


@snapshot_method("clone")
def clone(nas: Middleware, data: Row) -> bool:
    """A new dataset in the same pool."""
    properties = {key: str(value) for key, value in (data.get("dataset_properties") or {}).items()}
    try:
        nas.storage.clone(data["snapshot"], data["dataset_dst"], properties)
    except StorageError as error:
        raise CallError(error.reason, errno.EINVAL if nas.at_least("26") else errno.EFAULT) from error
    if nas.faults.late_device:
        nas.late[data["dataset_dst"]] = nas.faults.late_device
    return True


@snapshot_method("hold")
def hold(nas: Middleware, name: str, options: Any = None) -> None:
    """With the tag `truenas`."""
    _find(nas, name)
    nas.storage.hold(name)


@snapshot_method("release")
def release(nas: Middleware, name: str, options: Any = None) -> None:
    """All holds of the tag `truenas`."""
    _find(nas, name)
    nas.storage.release(name)


def _find(nas: Middleware, name: str) -> Snapshot:
    for snapshot in nas.storage.snapshots():
        if snapshot.name == name:
            return snapshot
    raise does_not_exist(f"Snapshot {name}")


def _shown(nas: Middleware, snapshot: Snapshot) -> Row:
    clones = ",".join(snapshot.clones)
    properties = {
        "creation": wrapped({"$date": snapshot.creation * 1000}, str(snapshot.creation), "NONE"),
        "used": wrapped(snapshot.used, str(snapshot.used), "NONE"),
        "referenced": wrapped(snapshot.referenced, str(snapshot.referenced), "NONE"),
        "clones": wrapped(clones, clones, "NONE"),
        "userrefs": wrapped(len(snapshot.holds), str(len(snapshot.holds)), "NONE"),
        **{key: wrapped(value, value, "LOCAL") for key, value in snapshot.local.items()},
    }
    return {
        "id": snapshot.name,
        "name": snapshot.name,
        "pool": snapshot.name.partition("/")[0].partition("@")[0],
        "type": "SNAPSHOT",
        "snapshot_name": snapshot.name.partition("@")[2],
        "dataset": snapshot.dataset,
        "createtxg": str(snapshot.createtxg),
        "properties": {k: {f: v for f, v in p.items() if f != "source_info"} for k, p in properties.items()},
    }
