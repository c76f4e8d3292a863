"""The lab's guests at `down`: every domain with a disk in the lab's storage pool is shut down and undefined.

Disk files and volumes on the NAS stay. libvirt secrets and pools that only served these domains go with them.
"""

from __future__ import annotations

import time
from typing import Any
from xml.etree import ElementTree

from zerotoil.minilab import layout, libvirtd

GRACE = 60  # seconds for all guests together to shut down by themselves


def lives_in_lab(xml: str) -> bool:
    """Whether one of the domain's disks is a file or a volume of the lab's storage pool."""
    for source in ElementTree.fromstring(xml).iterfind("./devices/disk//source"):
        if source.get("pool") == layout.STORAGE_POOL or (source.get("file") or "").startswith(f"{layout.STORAGE_POOL_PATH}/"):
            return True
    return False


def names() -> list[str]:
    """The lab's domains, as libvirt knows them."""
    connection = libvirtd.connect()
    try:
        return sorted(domain.name() for domain in _domains(connection))
    finally:
        connection.close()


def down() -> str:
    """Shut down gracefully, by force after GRACE seconds; then undefine."""
    connection = libvirtd.connect()
    try:
        mine = _domains(connection)
        secrets = {uuid for domain in mine for uuid in _secrets(connection, domain.XMLDesc())}
        forced = _shut_down(mine)
        for domain in mine:
            _undefine(domain)
        _forget_secrets(connection, secrets)
        _forget_iscsi_pools(connection)
    finally:
        connection.close()
    if not mine:
        return "none"
    return f"{len(mine)} removed" + (f", {len(forced)} of them by force ({', '.join(forced)})" if forced else "")


def _domains(connection: Any) -> list[Any]:
    return [domain for domain in connection.listAllDomains() if lives_in_lab(domain.XMLDesc())]


def _shut_down(mine: list[Any]) -> list[str]:
    """Names of those that had to be forced."""
    import libvirt

    for domain in mine:
        try:
            if domain.isActive():
                domain.shutdown()
        except libvirt.libvirtError:
            continue  # it ended meanwhile, or cannot be asked: forced below
    end = time.monotonic() + GRACE
    while any(domain.isActive() for domain in mine) and time.monotonic() < end:
        time.sleep(0.3)
    forced = [domain for domain in mine if domain.isActive()]
    for domain in forced:
        domain.destroy()
    return [domain.name() for domain in forced]


def _undefine(domain: Any) -> None:
    import libvirt

    if domain.isPersistent():
        domain.undefineFlags(
            libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
            | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
            | libvirt.VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA
            | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
        )


def _secrets(connection: Any, xml: str) -> set[str]:
    """UUIDs of the libvirt secrets that a domain's disks name."""
    import libvirt

    found = set()
    for secret in ElementTree.fromstring(xml).iterfind("./devices/disk//auth/secret"):
        usage, uuid = secret.get("usage"), secret.get("uuid")
        try:
            found.add(uuid or connection.secretLookupByUsage(libvirt.VIR_SECRET_USAGE_TYPE_ISCSI, usage).UUIDString())
        except libvirt.libvirtError:
            continue  # already gone
    return found


def _forget_secrets(connection: Any, uuids: set[str]) -> None:
    """Undefine the secrets, except those that a remaining domain names too."""
    for domain in connection.listAllDomains():
        uuids = uuids - _secrets(connection, domain.XMLDesc())
    for secret in connection.listAllSecrets():
        if secret.UUIDString() in uuids:
            secret.undefine()


def _forget_iscsi_pools(connection: Any) -> None:
    """Log out of and undefine libvirt's iSCSI pools on the lab's NAS."""
    for pool in connection.listAllStoragePools():
        tree = ElementTree.fromstring(pool.XMLDesc())
        if tree.get("type") == "iscsi" and any(host.get("name") == layout.ADDRESS for host in tree.iterfind("./source/host")):
            if pool.isActive():
                pool.destroy()
            pool.undefine()
