"""Which fields of a domain the owner declared, what they are, and how to mend them in an existing definition. Pure.

Only what the spec says is compared. libvirt's additions (addresses, aliases, expanded machine and CPU), what a person
added, and what the VM was made with (domain type, Ignition config, OS disk) are no drift and are kept when the
definition is mended.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator
from typing import Any

from lxml import etree

from zerotoil.model.units import format_size
from zerotoil.render.domain import CONFIG
from zerotoil.render.domain_devices import OS_SERIAL, free_disk_name
from zerotoil.render.domain_fragment import Fragment
from zerotoil.render.domain_mark import MARK, read_mark

OS_PARTS, DATA_PARTS, CARD_PARTS = ("driver",), ("driver", "source", "serial"), ("source", "model")
_MAY_VANISH = ("source/auth", "source/initiator")  # compared even where the spec has none of it
Fields = dict[str, Any]


def declared_fields(want: etree._Element, have: etree._Element) -> tuple[Fields, Fields]:
    """What the rendered domain `want` declares, and what `have` says in the same fields."""
    wanted: Fields = {}
    found: Fields = {}
    for field, path in (("memory", "memory"), ("cpus", "vcpu")):
        wanted[field], found[field] = _simple(want, path), _simple(have, path)
    wanted["firmware"], found["firmware"] = firmware(want), firmware(have)
    if not is_adopted(want):
        wanted["Ignition config"], found["Ignition config"] = "delivered", "delivered" if _config(have) is not None else "missing"
    for name, mine, theirs, parts in _devices(want, have):
        if theirs is None:  # one line, not one for each of its parts
            wanted[name], found[name] = _summary(mine), "absent"
            continue
        mine_leaves, their_leaves = _leaves(mine, parts), _leaves(theirs, parts)
        gone = {key: None for key in their_leaves if key.startswith(_MAY_VANISH) and key not in mine_leaves}
        for key, value in (mine_leaves | gone).items():
            wanted[f"{name} {key}"], found[f"{name} {key}"] = value, their_leaves.get(key)
    for device, present in _optional(want, have).items():
        wanted[device], found[device] = present, _presence(have, device)
    wanted["vm_xml"], found["vm_xml"] = _fragment_state(want), _fragment_state(have)
    return wanted, found


def mend(have: etree._Element, want: etree._Element, fields: set[str]) -> None:
    """Change `have` so that `fields` (names from `declared_fields`) say what `want` says; everything else stays."""
    for field, tag in (("memory", "memory"), ("memory", "currentMemory"), ("cpus", "vcpu")):
        if field in fields:  # currentMemory is not in `want`: it goes, and libvirt sets it anew
            _swap(have, have.find(tag), want.find(tag))
    if "firmware" in fields:
        _mend_firmware(have, want)
    if "Ignition config" in fields:
        _swap(have, have.find("sysinfo[@type='fwcfg']"), want.find("sysinfo"))
    for name, mine, theirs, parts in _devices(want, have):
        if any(field == name or field.startswith(f"{name} ") for field in fields):
            _mend_device(have, mine, theirs, parts)
    for device in _optional(want, have).keys() & fields:
        _swap(have.find("devices"), _find_optional(have, device), _find_optional(want, device))
    if "vm_xml" in fields:
        _mend_fragment(have, want)
    if have.find("metadata") is None:
        etree.SubElement(have, "metadata")
    _swap(have.find("metadata"), have.find(f"metadata/{MARK}"), want.find(f"metadata/{MARK}"))


def is_adopted(domain: etree._Element) -> bool:
    """Did somebody else make the VM? Then nothing is declared about its OS disk and its config."""
    mark = read_mark(domain)
    return mark is not None and mark.adopted


def os_disk(domain: etree._Element) -> etree._Element | None:
    """The OS disk, by its serial."""
    return _disk(domain, OS_SERIAL)


def config_path(domain: etree._Element) -> str:
    """The path of the Ignition config that the VM gets; empty when it gets none."""
    entry = _config(domain)
    return entry.get("file", "") if entry is not None else ""


def set_config_path(domain: etree._Element, path: str) -> None:
    """Deliver another Ignition config."""
    entry = _config(domain)
    if entry is None:
        info = etree.SubElement(domain, "sysinfo", type="fwcfg")
        entry = etree.SubElement(info, "entry", name=CONFIG)
    entry.set("file", path)


# --- reading


def _simple(domain: etree._Element, path: str) -> Any:
    text = (domain.findtext(path) or "0").strip()
    return format_size(int(text) * 1024) if path == "memory" else int(text)


def firmware(domain: etree._Element) -> str:
    """ "bios" or "uefi"."""
    os = domain.find("os")
    return "uefi" if os is not None and (os.get("firmware") == "efi" or os.find("loader") is not None) else "bios"


def _config(domain: etree._Element) -> etree._Element | None:
    return domain.find(f"sysinfo[@type='fwcfg']/entry[@name='{CONFIG}']")


def _disk(domain: etree._Element, *serials: str) -> etree._Element | None:
    disks = {disk.findtext("serial"): disk for disk in domain.findall("devices/disk")}
    return next((disks[serial] for serial in serials if serial in disks), None)


def _disk_of_volume(domain: etree._Element, data: etree._Element) -> etree._Element | None:
    """The disk that reads the same volume, whatever its serial: one volume is never attached twice."""
    wanted = data.find("source")
    places = [] if wanted is None else [(name, wanted.get(name)) for name in ("name", "dev") if wanted.get(name)]
    for disk in domain.findall("devices/disk"):
        source = disk.find("source")
        if source is not None and any(source.get(name) == value for name, value in places):
            return disk
    return None


def _disk_of_source(domain: etree._Element, data: etree._Element) -> etree._Element | None:
    """The disk of exactly this source: an adopted VM may have other disks with any serial."""
    wanted = data.find("source")
    for disk in domain.findall("devices/disk"):
        source = disk.find("source")
        if wanted is not None and source is not None and all(source.get(str(k)) == v for k, v in wanted.attrib.items()):
            return disk
    return None


def _recorded_serials(domain: etree._Element) -> list[str]:
    """The serial that our data disk had when we last wrote the definition: it may be declared differently now."""
    mark = read_mark(domain)
    return [device.removeprefix("disk ") for device in (mark.devices if mark else ()) if device.startswith("disk ")]


def _devices(want: etree._Element, have: etree._Element) -> Iterator[tuple[str, etree._Element, etree._Element | None, Any]]:
    """Each declared disk and card with its counterpart, and the parts of it that are declared."""
    system, data, *more = want.findall("devices/disk")
    mark = read_mark(want)
    if not is_adopted(want):
        yield "OS disk", system, _disk(have, OS_SERIAL), OS_PARTS
    if mark and mark.keeps_disk:
        yield "data disk", data, _disk_of_source(have, data), DATA_PARTS
    else:
        serials = [data.findtext("serial", ""), *_recorded_serials(have)]
        theirs = _disk(have, *serials)
        yield "data disk", data, theirs if theirs is not None else _disk_of_volume(have, data), DATA_PARTS
    for disk in more:
        serial = disk.findtext("serial", "")
        theirs = _disk(have, serial)
        yield f"disk {serial}", disk, theirs if theirs is not None else _disk_of_volume(have, disk), DATA_PARTS
    for card in want.findall("devices/interface"):
        mac = _mac(card)
        yield f"card {mac}", card, _card(have, mac), CARD_PARTS


def _mac(card: etree._Element) -> str:
    mac = card.find("mac")
    return mac.get("address", "").lower() if mac is not None else ""


def _card(domain: etree._Element, mac: str) -> etree._Element | None:
    return next((card for card in domain.findall("devices/interface") if _mac(card) == mac), None)


def _summary(device: etree._Element) -> str:
    """A device in words: its kind and what it reads or is plugged into."""
    source = device.find("source")
    places = ("name", "dev", "file", "volume", "network", "bridge")
    place = next((value for key in places if source is not None and (value := source.get(key))), "")
    return f"{device.get('type', '')} {place}".strip()


def _leaves(device: etree._Element, parts: tuple[str, ...]) -> Fields:
    leaves: Fields = {"type": device.get("type")}
    for part in parts:
        for element in device.findall(part):
            leaves.update(_below(element, part))
    return leaves


def _below(element: etree._Element, path: str) -> Fields:
    leaves: Fields = {f"{path}@{name!s}": value for name, value in element.attrib.items()}
    if (element.text or "").strip():
        leaves[path] = (element.text or "").strip()
    for child in element.iterchildren(etree.Element):
        leaves.update(_below(child, path + "/" + str(child.tag)))
    return leaves


def _optional(want: etree._Element, have: etree._Element) -> Fields:
    """USB and PCI devices that are declared, and devices of ours (cards, too) that are declared no more.

    No disk is among them: an OS disk that still mounts a volume would not start Docker without it, and could be gone back to.
    """
    mine, theirs = read_mark(want), read_mark(have)
    now = mine.devices if mine else frozenset()
    before = theirs.devices if theirs else frozenset()
    declared = {device: "present" for device in sorted(now) if device.startswith(("usb ", "pci "))}
    return declared | {device: "absent" for device in sorted(before - now) if not device.startswith("disk ")}


def _find_optional(domain: etree._Element, device: str) -> etree._Element | None:
    kind, _, name = device.partition(" ")
    if kind == "card":
        return _card(domain, name)
    return next((dev for dev in domain.findall(f"devices/hostdev[@type='{kind}']") if hostdev_name(dev) == name), None)


def hostdev_name(device: etree._Element) -> str:
    """How the inventory names a device that is handed through: "10c4:ea60", "0000:01:00.0"."""

    def number(path: str, attribute: str) -> int:
        element = device.find(f"source/{path}")
        return int(element.get(attribute, "0"), 0) if element is not None else 0

    if device.get("type") == "usb":
        return f"{number('vendor', 'id'):04x}:{number('product', 'id'):04x}"
    domain, bus, slot, function = (number("address", part) for part in ("domain", "bus", "slot", "function"))
    return f"{domain:04x}:{bus:02x}:{slot:02x}.{function:x}"


def _presence(domain: etree._Element, device: str) -> str:
    return "present" if _find_optional(domain, device) is not None else "absent"


def _fragment(domain: etree._Element) -> Fragment:
    mark = read_mark(domain)
    return Fragment.parse(mark.fragment if mark else "", "")


def _fragment_state(domain: etree._Element) -> str:
    fragment = _fragment(domain)
    if not fragment.text:
        return "none"
    state = f"merged ({hashlib.sha256(fragment.text.encode()).hexdigest()[:8]})"
    return state if fragment.is_in(domain) else "taken out"


# --- mending


def _swap(parent: etree._Element | None, old: etree._Element | None, new: etree._Element | None) -> None:
    if parent is not None and new is not None:
        if old is not None:
            parent.replace(old, copy.deepcopy(new))
        else:
            parent.append(copy.deepcopy(new))
    elif parent is not None and old is not None:
        parent.remove(old)


def _mend_firmware(have: etree._Element, want: etree._Element) -> None:
    machine = have.find("os/type")
    _swap(have, have.find("os"), want.find("os"))
    kind = have.find("os/type")
    if machine is not None and kind is not None:
        kind.set("machine", machine.get("machine", "q35"))


def _mend_device(have: etree._Element, mine: etree._Element, theirs: etree._Element | None, parts: tuple[str, ...]) -> None:
    devices = have.find("devices")
    if devices is None:
        return
    if theirs is None:
        new = copy.deepcopy(mine)
        _name_disk(have, new)
        devices.append(new)
        return
    theirs.set("type", mine.get("type", ""))
    for part in parts:
        _swap(theirs, theirs.find(part), mine.find(part))
    if "serial" in parts and mine.find("auth") is None:  # libvirt also takes CHAP beside the source; ours is inside
        _swap(theirs, theirs.find("auth"), None)


def _name_disk(domain: etree._Element, disk: etree._Element) -> None:
    """Another name where a disk has it already: a person may have added one."""
    target, taken = disk.find("target"), {target.get("dev") for target in domain.findall("devices/disk/target")}
    if disk.tag == "disk" and target is not None and target.get("dev") in taken:
        target.set("dev", free_disk_name(taken))


def _mend_fragment(have: etree._Element, want: etree._Element) -> None:
    old, new = _fragment(have), _fragment(want)
    old.remove_from(have)
    for element in old.elements:  # what the fragment had replaced comes back
        if have.find(str(element.tag)) is None:
            _swap(have, None, want.find(str(element.tag)))
    new.merge_into(have)
