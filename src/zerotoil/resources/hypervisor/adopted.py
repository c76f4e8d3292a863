"""VMs that somebody else made and the owner adopted (`vm_adopt`): whose volume they read, and what is declared of them.

What works stays: the OS disk, how the VM is configured at first boot, the form and the login of its data disk, the
model of its cards. Declared are memory, CPUs, firmware, what its cards are on, devices handed through, and that the
VM pauses while the NAS is away.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator

from lxml import etree

from zerotoil.clients.hypervisor import Hypervisor
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.spec import HostSpec
from zerotoil.resources.hypervisor.iscsi_disk import IscsiDisk, iscsi_disk


def iscsi_disks(domain: etree._Element, hypervisor: Hypervisor) -> Iterator[tuple[etree._Element, IscsiDisk]]:
    """The domain's disks that are LUNs."""
    known = hypervisor.storage.pools()
    for disk in domain.findall("devices/disk"):
        source = disk.find("source")
        pool = source.get("pool", "") if source is not None else ""
        found = iscsi_disk(disk, {pool: hypervisor.storage.pool_xml(pool)} if pool in known else {})
        if found:
            yield disk, found


def data_disk(spec: HostSpec, hypervisor: Hypervisor, domain: etree._Element, iqn: str) -> etree._Element:
    """The disk by which an adopted VM reads the declared volume. Raises LabError where it reads another, or none."""
    read = []
    for disk, lun in iscsi_disks(domain, hypervisor):
        if (lun.iqn, lun.lun) == (iqn, spec.iscsi.lun) and not lun.partition:
            return disk
        read.append(f"{lun.iqn} LUN {lun.lun}")
    raise LabError(
        f"{spec.name}: the VM reads {', '.join(read) or 'no iSCSI disk'}, declared is {iqn} LUN {spec.iscsi.lun}",
        "nothing was touched; declare iscsi_target and iscsi_lun as they are",
        code=Code.VM_READS_OTHER_VOLUME,
    )


def reader(hypervisor: Hypervisor, iqn: str, luns: Collection[int]) -> tuple[str, int] | None:
    """A VM of the hypervisor that reads one of these LUNs, and which."""
    for name in hypervisor.domains():
        for lun in reads(hypervisor, name, iqn):
            if lun in luns:
                return name, lun
    return None


def reads(hypervisor: Hypervisor, vm: str, iqn: str) -> list[int]:
    """The LUNs of a target that a VM is defined with."""
    domain = etree.fromstring(hypervisor.domain_xml(vm).encode())
    return [found.lun for _, found in iscsi_disks(domain, hypervisor) if found.iqn == iqn]


def as_it_works(want: etree._Element, have: etree._Element, data: etree._Element) -> etree._Element:
    """The rendered domain, with the parts in it that are no declaration of an adopted VM taken from the VM itself."""
    old = want.findall("devices/disk")[1]
    new = copy.deepcopy(data)
    driver = new.find("driver")
    if driver is None:
        driver = etree.SubElement(new, "driver", name="qemu", type="raw")
    driver.set("error_policy", "stop")
    old.getparent().replace(old, new)  # type: ignore[union-attr]
    cards = {_mac(card): card for card in have.findall("devices/interface")}
    for card in want.findall("devices/interface"):
        if _mac(card) in cards:
            _take(card, cards[_mac(card)], "model")
    return want


def _take(mine: etree._Element, theirs: etree._Element, tag: str) -> None:
    for element in mine.findall(tag):
        mine.remove(element)
    mine.extend(copy.deepcopy(element) for element in theirs.findall(tag))


def _mac(card: etree._Element) -> str:
    mac = card.find("mac")
    return mac.get("address", "").lower() if mac is not None else ""
