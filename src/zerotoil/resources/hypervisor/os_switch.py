"""Which OS disk a VM starts from next: written into its definition together with our mark, while it is off.

Everything else of the VM stays: UUID, cards, data disk. An adopted VM gets our OS disk in the place of the disk that it
boots from; that disk is no more part of the definition and stays where it is, and the whole definition is kept in the mark.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lxml import etree

from zerotoil.clients.hypervisor import Hypervisor
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.spec import HostSpec
from zerotoil.render.domain_devices import OS_SERIAL, free_disk_name
from zerotoil.render.domain_devices import os_disk as rendered_os_disk
from zerotoil.render.domain_mark import ADOPTED, Made, Mark, replace_mark
from zerotoil.resources.hypervisor import adopted, volumes
from zerotoil.resources.hypervisor.domain_fields import os_disk, set_config_path
from zerotoil.resources.hypervisor.observe import own_domain
from zerotoil.resources.hypervisor.redefine import redefine


def own(spec: HostSpec, hypervisor: Hypervisor) -> tuple[etree._Element, Mark]:
    """The VM's definition and mark. Raises LabError where there is none, or one that is not ours."""
    found = own_domain(spec, hypervisor)
    if found is None:
        raise LabError(f"{spec.name}: there is no VM", "create it with the deploy", code=Code.NEEDS_ANOTHER_FIRST)
    return found


def change_mark(spec: HostSpec, hypervisor: Hypervisor, change: Callable[[Mark], Mark]) -> None:
    """Write another mark, where it differs, and read it back."""
    hypervisor.forget()
    new = change(own(spec, hypervisor)[1])
    if new == own(spec, hypervisor)[1]:
        return
    redefine(hypervisor, spec.name, lambda domain: replace_mark(domain, new))
    if own(spec, hypervisor)[1] != new:
        raise LabError(
            f"{spec.name}: libvirt did not keep our mark in the definition", "look at virsh dumpxml", code=Code.CHANGE_NOT_MADE
        )


def switch(spec: HostSpec, hypervisor: Hypervisor, to: Made, iqn: Callable[[], str], *, proven: bool = False) -> None:
    """Let the VM start from `to` next. Raises LabError while it runs. Switching twice is harmless.

    The guard stands before that start, unless the OS is `proven`: it ran with this data, and is come back to. `iqn` reads the
    target of the data disk, and is asked only where an adopted OS is left.
    """
    hypervisor.forget()
    _, mark = own(spec, hypervisor)
    if mark.generation == to.generation:
        return
    if hypervisor.domains()[spec.name].active:
        raise LabError(
            f"{spec.name}: the VM still runs; its OS disk is not taken away under it",
            "shut it down first",
            code=Code.STILL_IN_USE,
        )
    new = replace(mark.with_os(to, booted=proven), earlier=_earlier(mark, to, proven), adopted=to.generation == ADOPTED)
    if to.generation == ADOPTED:
        text = _former(mark, replace(new, former=""))
    elif mark.adopted:
        text = _instead_of_adopted(spec, hypervisor, replace(new, former=hypervisor.domain_xml(spec.name)), to, iqn())
    else:
        text = _pointed(spec, hypervisor, new, to)
    if not proven and hypervisor.domains()[spec.name].autostart:
        hypervisor.set_autostart(spec.name, False)  # a VM that never booted must not start without the guard
    hypervisor.define(spec.name, text)
    if own(spec, hypervisor)[1].made != to:
        raise LabError(f"{spec.name}: libvirt did not keep the new OS disk", "look at virsh dumpxml", code=Code.CHANGE_NOT_MADE)


def _earlier(mark: Mark, to: Made, proven: bool) -> tuple[Made, ...]:
    """What may be gone back to later. One that failed is not, unless it had run before (it is the older one then)."""
    others = [made for made in mark.earlier if made.generation not in (to.generation, mark.generation)]
    if not mark.adopted and (not proven or mark.generation < to.generation):
        others.append(mark.made)
    return tuple(others)


def _former(mark: Mark, new: Mark) -> str:
    """The definition as it was when the VM was adopted."""
    domain = etree.fromstring(mark.former.encode())
    replace_mark(domain, new)
    return _text(domain)


def _config(spec: HostSpec, hypervisor: Hypervisor, to: Made) -> str:
    """The path of the Ignition config that belongs to an OS disk."""
    name = volumes.config_name(spec.name, to.ignition_sha256)
    config = hypervisor.storage.volume(spec.hypervisor.pool, name)
    overlay = volumes.overlay_name(spec.name, to.generation)
    if config is None or overlay not in hypervisor.storage.names(spec.hypervisor.pool):
        gone = overlay if config else name
        raise LabError(f"{spec.name}: {gone} is gone from the pool", "run the command again", code=Code.OS_DISK_GONE)
    return config.path


def _pointed(spec: HostSpec, hypervisor: Hypervisor, new: Mark, to: Made) -> str:
    """The same definition with another OS disk of ours."""
    config = _config(spec, hypervisor, to)
    domain = etree.fromstring(hypervisor.definition(spec.name).encode())
    disk = os_disk(domain)
    source = disk.find("source") if disk is not None else None
    if source is None:
        raise LabError(
            f"{spec.name}: the VM has no OS disk (serial {OS_SERIAL!r})", "look at virsh dumpxml", code=Code.OS_DISK_GONE
        )
    source.set("pool", spec.hypervisor.pool)
    source.set("volume", volumes.overlay_name(spec.name, to.generation))
    set_config_path(domain, config)
    replace_mark(domain, new)
    return _text(domain)


def refuse_secrets(spec: HostSpec, hypervisor: Hypervisor) -> None:
    """Raise LabError when the definition holds a password: it is kept as a text, and a text holds no secret."""
    domain = etree.fromstring(hypervisor.definition(spec.name).encode())
    if any(graphics.get("passwd") for graphics in domain.findall("devices/graphics")):
        raise LabError(
            f"{spec.name}: the VM's definition has a VNC or SPICE password, and would be kept as a text that others can read",
            f"take passwd out with virsh edit {spec.name}, then migrate",
            code=Code.DEFINITION_HAS_SECRET,
        )


def _instead_of_adopted(spec: HostSpec, hypervisor: Hypervisor, new: Mark, to: Made, iqn: str) -> str:
    """The adopted VM's definition with our OS disk in the place of the one that it boots from."""
    refuse_secrets(spec, hypervisor)
    config = _config(spec, hypervisor, to)
    domain = etree.fromstring(hypervisor.definition(spec.name).encode())
    data = adopted.data_disk(spec, hypervisor, domain, iqn)
    old = _boots_from(domain, data)
    disk = rendered_os_disk(spec, volumes.overlay_name(spec.name, to.generation))
    for order in [*domain.findall("devices/*/boot"), *domain.findall("os/boot")]:
        order.getparent().remove(order)  # type: ignore[union-attr]
    if old is None:
        domain.find("devices").append(disk)  # type: ignore[union-attr]
    else:
        old.getparent().replace(old, disk)  # type: ignore[union-attr]
    _name_virtio(domain, disk)
    _make_findable(spec, domain, data)
    set_config_path(domain, config)
    replace_mark(domain, new)
    return _text(domain)


def _boots_from(domain: etree._Element, data: etree._Element) -> etree._Element | None:
    """The disk that the VM boots from: the first in the boot order, else its first disk that is not the data disk."""
    disks = [disk for disk in domain.findall("devices/disk") if disk is not data and disk.get("device", "disk") == "disk"]

    def order(disk: etree._Element) -> int:
        boot = disk.find("boot")
        return int(boot.get("order", "0")) if boot is not None else len(disks) + 1000

    return min(disks, key=order, default=None)


def _make_findable(spec: HostSpec, domain: etree._Element, data: etree._Element) -> None:
    """Our OS finds its data disk by virtio's serial; source and login stay as they work."""
    serial, target = data.find("serial"), data.find("target")
    if serial is None:
        serial = etree.SubElement(data, "serial")
    serial.text = spec.data.serial
    if target is not None and target.get("bus") != "virtio":
        for place in data.findall("address"):
            data.remove(place)
        target.set("bus", "virtio")
        _name_virtio(domain, data)


def _name_virtio(domain: etree._Element, disk: etree._Element) -> None:
    """A name that no other disk has: vda, vdb, …"""
    taken = {target.get("dev") for target in domain.findall("devices/disk/target") if target.getparent() is not disk}
    target = disk.find("target")
    if target is not None:
        target.set("dev", free_disk_name(taken))


def _text(domain: etree._Element) -> str:
    return etree.tostring(domain, encoding="unicode")
