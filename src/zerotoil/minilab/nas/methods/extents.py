"""iscsi.extent: zvols offered as disks (no file extents)."""

from __future__ import annotations

import errno
import secrets
from typing import Any

from zerotoil.minilab.nas.errors import CallError, Problems
from zerotoil.minilab.nas.methods.serving import reload
from zerotoil.minilab.nas.methods.tables import readable
from zerotoil.minilab.nas.methods.targets import MAPPING, refuse_connected
from zerotoil.minilab.nas.middleware import Middleware, method
from zerotoil.minilab.nas.state import Row

EXTENT = "iscsi.extent"
DEFAULTS: Row = {
    "type": "DISK",
    "disk": None,
    "serial": None,
    "path": None,
    "filesize": "0",
    "blocksize": 512,
    "pblocksize": False,
    "avail_threshold": None,
    "comment": "",
    "insecure_tpc": True,
    "xen": False,
    "rpm": "SSD",
    "ro": False,
    "enabled": True,
    "product_id": None,
}


def shown(nas: Middleware, row: Row) -> Row:
    """With the fields that the server fills."""
    dataset = row["disk"].removeprefix("zvol/")
    extra = {"dataset": dataset, "relative_path": None} if nas.at_least("26") else {}
    return {
        **row,
        "path": row["disk"],
        "vendor": "TrueNAS",
        "locked": False,
        "product_id": row["product_id"] or "iSCSI Disk",
    } | extra


readable(EXTENT, shown)


@method("iscsi.extent.disk_choices")
def disk_choices(nas: Middleware) -> dict[str, str]:
    """Volumes that have a device node and no extent yet."""
    used = {row["disk"] for row in nas.state.rows(EXTENT)}
    volumes = [d for d in nas.storage.datasets() if d.volsize and has_device(nas, d.name)]
    return {f"zvol/{d.name}": f"{d.name} ({d.volsize})" for d in volumes if f"zvol/{d.name}" not in used}


@method("iscsi.extent.create")
def extent_create(nas: Middleware, data: Row) -> Row:
    """The server chooses serial and naa."""
    row = {**DEFAULTS, **data}
    _check(nas, "iscsi_extent_create", row, None)
    row["serial"] = row["serial"] or secrets.token_hex(8)[:15]
    row["naa"] = f"0x6589cfc000000{secrets.token_hex(10)[:19]}"
    added = nas.state.add(EXTENT, row)
    reload(nas)
    return shown(nas, added)


@method("iscsi.extent.update")
def extent_update(nas: Middleware, number: int, data: Row) -> Row:
    """What is not given stays; serial and naa survive another disk."""
    row = nas.row(EXTENT, number)
    merged = {**row, **data, "serial": data.get("serial") or row["serial"]}
    _check(nas, "iscsi_extent_update", merged, number)
    row.update(merged)
    reload(nas)
    return shown(nas, row)


@method("iscsi.extent.delete")
def extent_delete(nas: Middleware, number: int, remove: bool = False, force: bool = False) -> bool:
    """Drops the mappings; never the volume."""
    nas.row(EXTENT, number)
    if nas.faults.take("busy"):
        raise CallError("device busy", errno.EBUSY)
    mappings = [row for row in nas.state.rows(MAPPING) if row["extent"] == number]
    for mapping in mappings:
        refuse_connected(nas, mapping["target"], force, "Associated target is in use.")
    drop(nas, number)
    reload(nas)
    return True


def drop(nas: Middleware, number: int) -> list[int]:
    """Forget an extent and its mappings; answers the ids of the targets that had them."""
    mappings = [row for row in nas.state.rows(MAPPING) if row["extent"] == number]
    for mapping in mappings:
        nas.state.remove(MAPPING, mapping["id"])
    nas.state.remove(EXTENT, number)
    return [mapping["target"] for mapping in mappings]


def has_device(nas: Middleware, volume: str) -> bool:
    """One look for the device node; a late one comes after some looks."""
    left = nas.late.get(volume, 0)
    if left:
        nas.late[volume] = left - 1
    return not left


def _check(nas: Middleware, argument: str, row: Row, own: int | None) -> None:
    problems = Problems(argument)
    others = [other for other in nas.state.rows(EXTENT) if other["id"] != own]
    if '"' in row["name"]:
        problems.add("name", "Double quotes are not allowed.")
    if _folded(nas, row["name"]) in [_folded(nas, other["name"]) for other in others]:
        problems.add("name", "Extent name must be unique", errno.EEXIST)
    if row["serial"] and (len(row["serial"]) > 20 or row["serial"] in [other["serial"] for other in others]):
        problems.add("serial", "Serial number must be unique and at most 20 characters.")
    if row["type"] != "DISK":
        problems.add("type", "This NAS has no file extents.")
    elif not row["disk"] or not row["disk"].startswith("zvol/"):
        problems.add("disk", "Disk must start with zvol/")
    else:
        _check_disk(nas, problems, row["disk"], others)
    problems.check()


def _check_disk(nas: Middleware, problems: Problems, disk: str, others: list[Any]) -> None:
    volumes = [d.name for d in nas.storage.datasets() if d.volsize]
    name = disk.removeprefix("zvol/")
    if name not in volumes or not has_device(nas, name):
        problems.add("disk", f"Device '/dev/{disk}' for volume '{name}' does not exist", errno.ENOENT)
    if nas.at_least("25.10") and disk in [other["disk"] for other in others]:
        problems.add("disk", "Disk currently in use by another extent", errno.EBUSY)


def _folded(nas: Middleware, name: str) -> str:
    return name.replace(".", "_").replace("/", "-") if nas.at_least("25.10") else name
