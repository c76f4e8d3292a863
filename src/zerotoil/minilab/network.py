"""The lab's libvirt network (NAT, DHCP on bridge ztlab0) and its storage pool (a folder).

Both carry UUIDs derived from the state folder: an object of the same name with another UUID is not ours and is refused.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.minilab import layout, libvirtd, processes
from zerotoil.minilab.commands import run


def own_uuid(kind: str) -> str:
    """The UUID of the lab's network or pool, the same in every run for one state folder."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"zerotoil-lab:{layout.STATE}:{kind}"))


def network_xml() -> str:
    """The network as defined at libvirt."""
    first, last = layout.DHCP_RANGE
    return f"""<network>
  <name>{layout.NETWORK}</name>
  <uuid>{own_uuid("network")}</uuid>
  <forward mode='nat'/>
  <bridge name='{layout.BRIDGE}' stp='off' delay='0'/>
  <ip address='{layout.ADDRESS}' netmask='255.255.255.0'>
    <dhcp><range start='{first}' end='{last}'/></dhcp>
  </ip>
</network>"""


def pool_xml() -> str:
    """The storage pool as defined at libvirt."""
    return f"""<pool type='dir'>
  <name>{layout.STORAGE_POOL}</name>
  <uuid>{own_uuid("pool")}</uuid>
  <target><path>{layout.STORAGE_POOL_PATH}</path></target>
</pool>"""


def network_up() -> str:
    """Define and start the network."""
    return _up("network", _remove_left_bridge, "networkDefineXML", network_xml())


def pool_up() -> str:
    """Define and start the storage pool."""
    return _up("pool", lambda: None, "storagePoolDefineXML", pool_xml())


def network_is_up() -> bool:
    """Active, and the bridge holds the lab's address."""
    return _is_active("network") and Path(f"/sys/class/net/{layout.BRIDGE}").exists()


def pool_is_up() -> bool:
    """Whether the storage pool is active."""
    return _is_active("pool")


def network_down() -> str:
    """Stop and undefine the network."""
    return _down("network")


def pool_down() -> str:
    """Stop and undefine the storage pool; its files stay for the next `up`."""
    return _down("pool")


def own(connection: Any, kind: str) -> Any | None:
    """The lab's network or pool, if it is defined. Raises LabError when the name belongs to something else."""
    import libvirt

    name, lookup = {
        "network": (layout.NETWORK, connection.networkLookupByName),
        "pool": (layout.STORAGE_POOL, connection.storagePoolLookupByName),
    }[kind]
    try:
        found = lookup(name)
    except libvirt.libvirtError:
        return None
    if found.UUIDString() != own_uuid(kind):
        raise LabError(
            f"a libvirt {kind} named {name} exists and is not this lab's",
            f"remove or rename it, then repeat ({layout.STATE})",
            code=Code.LAB_STATE,
        )
    return found


def _up(kind: str, prepare: Callable[[], None], define: str, xml: str) -> str:
    import libvirt

    connection = libvirtd.connect()
    try:
        found = own(connection, kind)
        if found is not None and found.isActive():
            return "already running"
        found = found or getattr(connection, define)(xml)
        prepare()
        found.create()
        return "started"
    except libvirt.libvirtError as error:
        raise LabError(f"libvirt could not start the lab's {kind}", str(error), code=Code.LAB_STEP_FAILED) from error
    finally:
        connection.close()


def _is_active(kind: str) -> bool:
    try:
        connection = libvirtd.connect()
    except LabError:
        return False
    try:
        found = own(connection, kind)
        return found is not None and bool(found.isActive())
    except LabError:
        return False
    finally:
        connection.close()


def _down(kind: str) -> str:
    connection = libvirtd.connect()
    try:
        found = own(connection, kind)
        if found is None:
            return "was not defined"
        if found.isActive():
            found.destroy()
        found.undefine()
        return "removed"
    finally:
        connection.close()


def _remove_left_bridge() -> None:
    """Take away a bridge that a killed libvirt left behind; refuse when somebody serves on it."""
    if not Path(f"/sys/class/net/{layout.BRIDGE}").exists():
        return
    users = processes.listeners(53, layout.ADDRESS)
    if users:
        who = ", ".join(processes.describe(pid) for pid in users)
        raise LabError(
            f"the bridge {layout.BRIDGE} belongs to another lab: {who} serves on it",
            "run `zerotoil lab down` there",
            code=Code.LAB_STATE,
        )
    run("ip", "link", "delete", layout.BRIDGE)
