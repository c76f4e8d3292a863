"""Disks of a running VM: found by serial, taken out, and plugged in, without a restart.

Only the running VM is changed, never its definition: whatever happens here, the next start has what is declared. Who
takes a disk out has seen to it that nothing in the guest uses it.
"""

from __future__ import annotations

import time

from lxml import etree

from zerotoil.clients.hypervisor import Hypervisor
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.render.domain_devices import free_disk_name

_SECONDS = 60  # an emulated guest on a busy machine takes its time to let go
_AGAIN = 15  # seconds after which a request to let go that the guest did not hear is repeated
_LOOK_SECONDS = 0.2


def live_disks(hypervisor: Hypervisor, vm: str) -> dict[str, etree._Element]:
    """The disks of the running VM by serial, read afresh; those without one are left out."""
    hypervisor.forget()
    tree = etree.fromstring(hypervisor.domain_xml(vm, live=True).encode())
    return {serial: disk for disk in tree.findall("devices/disk") if (serial := disk.findtext("serial") or "")}


def detach(hypervisor: Hypervisor, vm: str, serial: str) -> None:
    """Take a disk out and wait until it is gone. Raises LabError when the VM has none, or the guest does not let go of it."""
    disk = live_disks(hypervisor, vm).get(serial)
    if disk is None:
        raise LabError(
            f"{vm}: the running VM has no disk {serial}", f"look at virsh domblklist {vm} --details", code=Code.DISK_NOT_ATTACHED
        )
    end, asked = time.monotonic() + _SECONDS, float("-inf")
    while serial in live_disks(hypervisor, vm):
        now = time.monotonic()
        if now > end:
            raise LabError(
                f"{vm}: the guest does not let go of the disk {serial} within {_SECONDS} s",
                "it is still attached and nothing was changed on it; run again",
                code=Code.DISK_NOT_RELEASED,
            )
        if now - asked > _AGAIN:
            hypervisor.detach_device(vm, etree.tostring(disk, encoding="unicode"))
            asked = now
        time.sleep(_LOOK_SECONDS)


def attach(hypervisor: Hypervisor, vm: str, xml: str) -> None:
    """Plug a disk in, and read back that it is there. Harmless when it is plugged in already. Raises LabError."""
    disk = etree.fromstring(xml)
    serial = disk.findtext("serial") or ""
    there = live_disks(hypervisor, vm)
    if serial in there:
        if _source(there[serial]) != _source(disk):
            raise LabError(
                f"{vm}: another disk with the serial {serial} is attached",
                f"look at virsh domblklist {vm} --details",
                code=Code.DISK_NOT_ATTACHED,
            )
        return
    _give_target(disk, hypervisor, vm)
    hypervisor.attach_device(vm, etree.tostring(disk, encoding="unicode"))
    if serial not in live_disks(hypervisor, vm):
        raise LabError(
            f"{vm}: the hypervisor attached the disk {serial}, but it is not there", "run again", code=Code.CHANGE_NOT_MADE
        )


def _give_target(disk: etree._Element, hypervisor: Hypervisor, vm: str) -> None:
    """A name that no other disk of the VM has, neither now nor at its next start. The guest finds disks by serial."""
    target = disk.find("target")
    if target is None:
        target = etree.SubElement(disk, "target", bus="virtio")
    taken = {
        str(other.get("dev"))
        for text in (hypervisor.domain_xml(vm, live=True), hypervisor.domain_xml(vm))
        for entry in etree.fromstring(text.encode()).findall("devices/disk")
        if entry.findtext("serial") != disk.findtext("serial") and (other := entry.find("target")) is not None
    }
    if target.get("dev") in (None, *taken):
        target.set("dev", free_disk_name(taken))


def _source(disk: etree._Element) -> dict[str, str]:
    source = disk.find("source")
    return {} if source is None else {str(key): str(value) for key, value in source.attrib.items() if key != "index"}
