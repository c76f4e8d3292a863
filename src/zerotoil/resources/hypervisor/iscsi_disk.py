"""The iSCSI disk of a domain in each of the three forms that libvirt has for it. Pure.

By QEMU's own initiator (`network`), by the device of the hypervisor's kernel (`block`), or by a volume of a libvirt pool
of type `iscsi` (`volume`). All three say the same: which LUN of which target, reached where.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree

_BY_PATH = re.compile(r"/dev/disk/by-path/(?:pci-[^/]*-)?ip-(.+):(\d+)-iscsi-(.+)-lun-(\d+)(-part\d+)?")
_UNIT = re.compile(r"unit:\d+:\d+:(\d+)")


@dataclass(frozen=True)
class IscsiDisk:
    """A LUN as a domain reads it. What its form does not say is empty."""

    form: str  # "network", "block", "pool"
    iqn: str
    lun: int
    address: str
    port: int
    initiator: str = ""
    chap_user: str = ""
    pool: str = ""
    partition: bool = False  # only a partition of it is handed on


def iscsi_disk(disk: etree._Element, pools: Mapping[str, str]) -> IscsiDisk | None:
    """The LUN that a `<disk>` reads, None for a disk of another kind. `pools`: the XML of the pools that disks name."""
    source = disk.find("source")
    if source is None or disk.get("device", "disk") not in ("disk", "lun"):
        return None
    if disk.get("type") == "network" and source.get("protocol") == "iscsi":
        return _network(disk, source)
    if disk.get("type") == "block":
        return _block(source.get("dev", ""))
    if disk.get("type") == "volume" and source.get("pool", "") in pools:
        return _volume(source.get("pool", ""), source.get("volume", ""), pools[source.get("pool", "")])
    return None


def _network(disk: etree._Element, source: etree._Element) -> IscsiDisk:
    iqn, _, lun = source.get("name", "").partition("/")
    auth = source.find("auth") if source.find("auth") is not None else disk.find("auth")
    return IscsiDisk(
        "network",
        iqn,
        int(lun or 0),
        _attribute(source, "host", "name"),
        int(_attribute(source, "host", "port") or 3260),
        _attribute(source, "initiator/iqn", "name"),
        auth.get("username", "") if auth is not None else "",
    )


def _block(path: str) -> IscsiDisk | None:
    found = _BY_PATH.fullmatch(path)
    if not found:
        return None
    return IscsiDisk("block", found[3], int(found[4]), found[1].strip("[]"), int(found[2]), partition=bool(found[5]))


def _volume(pool: str, volume: str, xml: str) -> IscsiDisk | None:
    root, unit = etree.fromstring(xml.encode()), _UNIT.fullmatch(volume)
    if root.get("type") != "iscsi" or not unit:
        return None
    return IscsiDisk(
        "pool",
        _attribute(root, "source/device", "path"),
        int(unit[1]),
        _attribute(root, "source/host", "name"),
        int(_attribute(root, "source/host", "port") or 3260),
        _attribute(root, "source/initiator/iqn", "name"),
        _attribute(root, "source/auth", "username"),
        pool,
    )


def _attribute(element: etree._Element, path: str, name: str) -> str:
    found = element.find(path)
    return found.get(name, "") if found is not None else ""
