"""A libvirt domain as the inventory would declare it. `parse` is pure; `read` asks the hypervisor, and only reads."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from zerotoil.clients.hypervisor import Hypervisor, network
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.names import NAME
from zerotoil.render.domain_mark import read_mark
from zerotoil.resources.hypervisor.domain_fields import firmware, hostdev_name
from zerotoil.resources.hypervisor.iscsi_disk import IscsiDisk, iscsi_disk


@dataclass(frozen=True)
class Surroundings:
    """The hypervisor's pools and networks: name -> XML. A domain names them."""

    pools: Mapping[str, str] = field(default_factory=dict)
    networks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FoundVm:
    """One domain. `remarks`: what its definition says and no key declares, and ("not known: …") what it does not say."""

    name: str
    memory: int  # bytes
    cpus: int
    firmware: str
    nics: list[dict[str, Any]]
    usb: list[str]
    pci: list[str]
    lun: IscsiDisk
    serial: str
    os_pool: str  # empty: not in a pool
    remarks: list[str]
    autostart: bool = False


@dataclass(frozen=True)
class NotAdopted:
    """A domain that is left as it is, and why."""

    name: str
    reason: str
    code: Code


def read(hypervisor: Hypervisor, names: Iterable[str] = ()) -> list[FoundVm | NotAdopted]:
    """The named domains, or all. Raises LabError for a name that the hypervisor does not know."""
    there, wanted = hypervisor.domains(), list(names)
    unknown = [name for name in wanted if name not in there]
    if unknown:
        raise LabError(
            f"{hypervisor.uri} has no VM {', '.join(unknown)}",
            f"it has: {', '.join(sorted(there)) or 'none'}",
            code=Code.NOT_THERE_TO_ADOPT,
        )
    around = Surroundings(
        {name: hypervisor.storage.pool_xml(name) for name in hypervisor.storage.pools()},
        {name: network.network_xml(hypervisor, name) for name in network.networks(hypervisor)},
    )
    found: list[FoundVm | NotAdopted] = []
    for name in wanted or sorted(there):
        if not there[name].persistent:
            found.append(NotAdopted(name, "it is transient: libvirt keeps no definition of it", Code.VM_UNFIT_TO_ADOPT))
            continue
        try:
            found.append(parse(hypervisor.domain_xml(name), around, autostart=there[name].autostart))
        except LabError as error:
            found.append(NotAdopted(name, str(error), error.code))
    return found


def parse(xml: str, around: Surroundings, *, autostart: bool = False) -> FoundVm:
    """A domain's definition. Raises LabError with the reason why it cannot be adopted."""
    domain = etree.fromstring(xml.encode())
    mark = read_mark(domain)
    if mark:
        raise LabError(f"it carries zerotoil's mark already ({mark.owner})", code=Code.VM_UNFIT_TO_ADOPT)
    if not re.fullmatch(NAME, domain.findtext("name", "")):
        raise LabError(
            "its name is no host name (a-z, 0-9 and '-')", "virsh domrename gives it another", code=Code.VM_UNFIT_TO_ADOPT
        )
    disk, lun = _data_disk(domain, around)
    remarks: list[str] = []
    nics = _nics(domain, around, remarks)
    usb, pci = _hostdevs(domain, remarks)
    return FoundVm(
        name=domain.findtext("name", ""),
        memory=int(domain.findtext("memory", "0")) * 1024,
        cpus=int(domain.findtext("vcpu", "1")),
        firmware=firmware(domain),
        nics=nics,
        usb=usb,
        pci=pci,
        lun=lun,
        serial=disk.findtext("serial", ""),
        os_pool=_os_pool(domain, disk, around, remarks),
        remarks=remarks,
        autostart=autostart,
    )


def _data_disk(domain: etree._Element, around: Surroundings) -> tuple[etree._Element, IscsiDisk]:
    disks = domain.findall("devices/disk")
    luns = [(disk, lun) for disk in disks if (lun := iscsi_disk(disk, around.pools))]
    if not luns:
        reads = ", ".join(_place(disk) for disk in disks if disk.get("device", "disk") == "disk")
        raise LabError(f"it has no iSCSI disk (it reads {reads or 'no disk'})", code=Code.VM_UNFIT_TO_ADOPT)
    if len(luns) > 1:
        raise LabError(f"it has {len(luns)} iSCSI disks, zerotoil keeps one per VM", code=Code.VM_UNFIT_TO_ADOPT)
    if luns[0][1].partition:
        raise LabError(
            f"it reads a partition of its LUN ({_place(luns[0][0])}), zerotoil hands on the whole disk",
            code=Code.VM_UNFIT_TO_ADOPT,
        )
    return luns[0]


def _place(disk: etree._Element) -> str:
    source = disk.find("source")
    if source is None:
        return "nothing"
    pool = f"{source.get('pool')}/{source.get('volume')}" if source.get("pool") else ""
    return pool or source.get("file") or source.get("dev") or source.get("name") or "a disk of another kind"


def _nics(domain: etree._Element, around: Surroundings, remarks: list[str]) -> list[dict[str, Any]]:
    nics: list[dict[str, Any]] = []
    for card in domain.findall("devices/interface"):
        mac, source = card.find("mac"), card.find("source")
        address = mac.get("address", "").lower() if mac is not None else ""
        kind = card.get("type", "")
        name = source.get(kind) if source is not None and kind in ("network", "bridge") else None
        if not name:
            remarks.append(f"the card {address} is of type {kind}: it stays, and is not declared")
            continue
        reserved = _reservation(around.networks.get(name, ""), address) if kind == "network" else {}
        nics.append({kind: name, "mac": address, **reserved})
        if not reserved:
            remarks.append(f"not known: the address of the card {address} (by DHCP, or set inside the guest)")
    if not nics:
        raise LabError("it has no card on a libvirt network or a bridge", code=Code.VM_UNFIT_TO_ADOPT)
    return nics


def _reservation(xml: str, mac: str) -> dict[str, Any]:
    """What the network's DHCP keeps for the card."""
    if not xml:
        return {}
    for ip in etree.fromstring(xml.encode()).findall("ip"):
        for host in ip.findall("dhcp/host"):
            if host.get("mac", "").lower() == mac and host.get("ip"):
                prefix = ip.get("prefix") or ip.get("netmask") or "24"
                return {"address": str(ipaddress.ip_interface(f"{host.get('ip')}/{prefix}")), "reserve": True}
    return {}


def _hostdevs(domain: etree._Element, remarks: list[str]) -> tuple[list[str], list[str]]:
    usb, pci = [], []
    for device in domain.findall("devices/hostdev"):
        kind, name = device.get("type"), hostdev_name(device)
        if kind == "usb" and device.find("source/vendor") is not None:
            usb.append(name)
        elif kind == "pci":
            pci.append(name)
        else:
            remarks.append(f"a device of type {kind} that is handed through: it stays, and is not declared")
    return usb, pci


def _os_pool(domain: etree._Element, data: etree._Element, around: Surroundings, remarks: list[str]) -> str:
    """The pool of the first other disk; the rest is only named."""
    others = [disk for disk in domain.findall("devices/disk") if disk is not data and disk.find("source") is not None]
    system = next((disk for disk in others if disk.get("device", "disk") == "disk"), None)
    remarks += [f"the disk {_place(disk)}: it stays, and is not declared" for disk in others if disk is not system]
    source = system.find("source") if system is not None else None
    if source is None:
        return ""
    if source.get("pool"):
        return source.get("pool", "")
    folder = source.get("file", "").rpartition("/")[0]
    targets = {etree.fromstring(xml.encode()).findtext("target/path"): name for name, xml in around.pools.items()}
    return targets.get(folder, "") if folder else ""
