"""pool.dataset.*: filesystems and volumes. A volume never shrinks."""

from __future__ import annotations

import errno
import re
from typing import Any

from zerotoil.minilab.nas.errors import CallError, Problems, does_not_exist
from zerotoil.minilab.nas.methods import extents
from zerotoil.minilab.nas.methods.properties import entries as rows_of
from zerotoil.minilab.nas.methods.properties import local_properties
from zerotoil.minilab.nas.methods.serving import reload
from zerotoil.minilab.nas.middleware import Middleware, method
from zerotoil.minilab.nas.state import Row
from zerotoil.minilab.nas.storage import Dataset, StorageError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:\- ]*")


@method("pool.dataset.query")
def query(nas: Middleware, wanted: Any = None, options: Any = None) -> Any:
    """Flat; every row carries its children."""
    return nas.select(list(entries(nas).values()), wanted, options)


@method("pool.dataset.get_instance")
def get_instance(nas: Middleware, name: str, options: Any = None) -> Row:
    """By name."""
    found = entries(nas).get(name)
    if found is None:
        raise does_not_exist(f"PoolDataset {name}")
    return found


@method("pool.dataset.create")
def create(nas: Middleware, data: Row) -> Row:
    """A filesystem, or a volume; thick volumes reserve their size."""
    name, volume = data["name"], data.get("type") == "VOLUME"
    problems = Problems("pool_dataset_create")
    known = {dataset.name: dataset for dataset in nas.storage.datasets()}
    ancestors = _check_place(problems, name, known, bool(data.get("create_ancestors")))
    block = _bytes(data.get("volblocksize") or "16K")
    if volume:
        _check_size(problems, data, block, _nearest(name, known).available)
    problems.check()
    properties = {key: value for key, value in local_properties(data).items() if value is not None}
    try:
        for ancestor in ancestors:
            nas.storage.create(ancestor, {})
        if volume and not data.get("sparse"):
            properties["refreservation"] = str(data["volsize"])
        nas.storage.create(name, properties, data["volsize"] if volume else 0, block if volume else 0)
    except StorageError as error:
        raise CallError(f"Failed to create dataset: {error.reason}", errno.EFAULT) from error
    if volume and nas.faults.late_device:
        nas.late[name] = nas.faults.late_device
    return get_instance(nas, name)


@method("pool.dataset.update")
def update(nas: Middleware, name: str, data: Row) -> Row:
    """Growing a volume lets the iSCSI server announce the new size."""
    dataset = _dataset(nas, name)
    problems = Problems("pool_dataset_update")
    size = data.get("volsize")
    if size is not None and not dataset.volsize:
        problems.add("volsize", "This field is not valid for FILESYSTEM")
    elif size is not None and size != dataset.volsize:
        if size < dataset.volsize:
            problems.add("volsize", "You cannot shrink a zvol from GUI, this may lead to data loss.")
        _check_size(problems, data, dataset.volblocksize, dataset.available + dataset.used)
    problems.check()
    properties = local_properties(data)
    thick = size is not None and int(dataset.local.get("refreservation", 0)) >= dataset.volsize > 0
    if thick and "refreservation" not in properties:
        properties["refreservation"] = str(size)
    if properties:
        nas.storage.set(name, properties)
    if size is not None and size > dataset.volsize:
        nas.storage.grow(name, size)
        reload(nas)
    return get_instance(nas, name)


@method("pool.dataset.delete")
def delete(nas: Middleware, name: str, options: Row | None = None) -> bool:
    """First deletes the extents on it, forced, with mappings and orphaned targets (facts of truenas/middleware)."""
    options = options or {}
    _dataset(nas, name)
    names = sorted(d.name for d in nas.storage.datasets() if d.name == name or d.name.startswith(name + "/"))
    recursive = bool(options.get("recursive"))
    if len(names) > 1 and not recursive:
        raise CallError(f"Failed to delete dataset: cannot destroy '{name}': filesystem has children", errno.ENOTEMPTY)
    if nas.faults.take("busy"):
        raise CallError(f"Failed to delete dataset: cannot destroy '{name}': dataset is busy", errno.EBUSY)
    _check_snapshots(nas, names, recursive)
    _drop_users(nas, names)
    if nas.faults.delete_is_dropped:
        return True
    for one in reversed(names):
        for snapshot in [s.name for s in nas.storage.snapshots() if s.dataset == one]:
            nas.storage.destroy_snapshot(snapshot)
        nas.storage.destroy(one)
    return True


def entries(nas: Middleware) -> dict[str, Row]:
    """Every dataset as the API shows it, by name."""
    return rows_of(nas.storage.datasets(), nas.storage.pool().name)


def _check_snapshots(nas: Middleware, names: list[str], recursive: bool) -> None:
    inside = [s for s in nas.storage.snapshots() if s.dataset in names]
    if inside and not recursive:
        raise CallError(f"Failed to delete dataset: {inside[0].name} exists", errno.ENOTEMPTY)
    foreign = [clone for s in inside for clone in s.clones if clone not in names]
    if foreign or any(s.holds for s in inside):
        raise CallError(f"Failed to delete dataset: clones or holds exist: {foreign}", errno.EBUSY)


def _drop_users(nas: Middleware, names: list[str]) -> None:
    disks = {f"zvol/{name}" for name in names}
    touched: list[int] = []
    for extent in [row for row in nas.state.rows(extents.EXTENT) if row["disk"] in disks and row["enabled"]]:
        touched += extents.drop(nas, extent["id"])
    left = {row["target"] for row in nas.state.rows("iscsi.targetextent")}
    for target in set(touched) - left:
        nas.state.remove("iscsi.target", target)
    tasks = nas.state.rows("pool.snapshottask")
    tasks[:] = [task for task in tasks if task["dataset"] not in names or not task["enabled"]]
    if touched:
        reload(nas)


def _check_place(problems: Problems, name: str, known: dict[str, Dataset], make_ancestors: bool) -> list[str]:
    """Note what is wrong with a new name; answers the ancestors to make."""
    parts = name.split("/")
    if len(parts) < 2 or not all(NAME.fullmatch(part) for part in parts) or name != name.strip():
        problems.add("name", "You need a full name such as pool/dataset, without trailing spaces")
        return []
    if name in known:
        problems.add("name", f"Path /mnt/{name} already exists", errno.EEXIST)
    above = ["/".join(parts[:count]) for count in range(1, len(parts))]
    missing = [ancestor for ancestor in above if ancestor not in known]
    if missing and (not make_ancestors or above[0] in missing):
        problems.add("name", f"Parent dataset {missing[0]} does not exist", errno.ENOENT)
    for ancestor in above:
        if ancestor in known and known[ancestor].volsize:
            problems.add("name", "Parent dataset cannot be a volume")
        if ancestor in known and known[ancestor].local.get("readonly") == "on":
            problems.add("name", "Parent dataset is readonly")
    return missing


def _check_size(problems: Problems, data: Row, block: int, available: int) -> None:
    size = data.get("volsize")
    if not size:
        problems.add("volsize", "This field is required for VOLUME")
    elif size % block:
        problems.add("volsize", "Volume size should be a multiple of volume block size")
    elif size > available * 0.80 and not data.get("force_size"):
        problems.add("volsize", "It is not recommended to use more than 80% of your available space for VOLUME")


def _nearest(name: str, known: dict[str, Dataset]) -> Dataset:
    while name and name not in known:
        name = name.rpartition("/")[0]
    return known.get(name) or Dataset("")


def _dataset(nas: Middleware, name: str) -> Dataset:
    for dataset in nas.storage.datasets():
        if dataset.name == name:
            return dataset
    raise does_not_exist(f"PoolDataset {name}")


def _bytes(text: str) -> int:
    text = text.removesuffix("B")
    return int(text[:-1]) << 10 if text.endswith("K") else int(text)
