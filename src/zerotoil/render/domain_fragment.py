"""`vm_xml`: the owner's own elements in the domain. Checked, merged, found again, taken out again. Pure.

An element below `<domain>` takes the place of ours of that name; what is below `<devices>` is added. What identifies
the VM, what keeps data safe and what has a key of its own is refused. libvirt's schema checks the rest when the VM
is defined.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

from lxml import etree

from zerotoil.error_codes import Code
from zerotoil.errors import LabError

REFUSED = {
    "name": "it names the VM",
    "uuid": "it identifies the VM",
    "metadata": "it holds our mark",
    "sysinfo": "it delivers the Ignition config",
    "memory": "use vm_memory",
    "currentMemory": "use vm_memory",
    "vcpu": "use vm_cpus",
    "os": "use vm_firmware",
    "disk": "a second disk could be someone's data; data is declared with data_size",
    "interface": "use vm_nics",
}
_SCSI = ("scsi", "scsi_host")  # hostdev types that would hand a disk to the guest
SINGLE = ("memballoon", "emulator", "iommu", "vsock")  # devices of which a domain has at most one


@dataclass(frozen=True)
class Fragment:
    """A parsed `vm_xml`; `text` is its canonical form, empty for none."""

    text: str = ""
    elements: tuple[etree._Element, ...] = ()
    devices: tuple[etree._Element, ...] = field(default=())

    @classmethod
    def parse(cls, text: str, host: str) -> Fragment:
        """Raises LabError for text that is not XML, or that touches what is refused."""
        if not text.strip():
            return cls()
        parser = etree.XMLParser(remove_blank_text=True, remove_comments=True, resolve_entities=False, no_network=True)
        whole = text.strip() if text.lstrip().startswith("<domain") else f"<domain>{text}</domain>"
        try:
            root = etree.fromstring(whole.encode(), parser)
        except etree.XMLSyntaxError as error:
            raise LabError(
                f"{host}: vm_xml is not XML ({error.msg})", "write elements as below <domain>", code=Code.VM_XML_WRONG
            ) from error
        elements = [element for element in root if element.tag != "devices"]
        devices = [device for parent in root.findall("devices") for device in parent]
        for element in [*elements, *devices]:
            _check(element, host)
        canonical = "".join(etree.tostring(element, method="c14n").decode() for element in root)
        return cls(canonical, tuple(elements), tuple(devices))

    def merge_into(self, domain: etree._Element) -> None:
        """Put the elements into a domain: in the place of ours of that name, or beside the other devices."""
        for element in self.elements:
            _replace(domain, element)
        parent = domain.find("devices")
        if parent is None:
            parent = etree.SubElement(domain, "devices")
        for device in self.devices:
            if device.tag in SINGLE:
                _replace(parent, device)
            elif not any(contains(known, device) for known in parent.findall(str(device.tag))):
                parent.append(copy.deepcopy(device))

    def remove_from(self, domain: etree._Element) -> None:
        """Take the fragment's devices and elements out again; libvirt puts its defaults in their places."""
        for parent, part in self._places(domain):
            found = [known for known in parent.findall(str(part.tag)) if contains(known, part)]
            if found:
                parent.remove(found[0])

    def is_in(self, domain: etree._Element) -> bool:
        """Does the domain hold all of it (whatever libvirt added to it)?"""
        return all(any(contains(known, part) for known in parent.findall(str(part.tag))) for parent, part in self._places(domain))

    def _places(self, domain: etree._Element) -> list[tuple[etree._Element, etree._Element]]:
        """Each part with the element it belongs into."""
        devices = domain.find("devices")
        inner = domain if devices is None else devices
        return [(domain, part) for part in self.elements] + [(inner, part) for part in self.devices]


def contains(have: etree._Element, want: etree._Element) -> bool:
    """Does `have` hold everything that `want` says: attributes, text, children in any order?"""
    if have.tag != want.tag or any(have.get(name) != value for name, value in want.items()):
        return False
    if (want.text or "").strip() and (have.text or "").strip() != (want.text or "").strip():
        return False
    return all(any(contains(known, child) for known in have.findall(str(child.tag))) for child in want)


def _replace(parent: etree._Element, element: etree._Element) -> None:
    for known in parent.findall(str(element.tag)):
        parent.remove(known)
    parent.append(copy.deepcopy(element))


def _check(element: etree._Element, host: str) -> None:
    tag = str(element.tag)
    if tag in REFUSED:
        raise LabError(f"{host}: vm_xml may not hold <{tag}>", REFUSED[tag], code=Code.VM_XML_FORBIDDEN)
    if tag.startswith("{"):
        raise LabError(
            f"{host}: vm_xml may not hold <{etree.QName(element).localname}> of another namespace",
            "raw QEMU arguments escape libvirt's labelling and could open a disk; use libvirt's own elements",
            code=Code.VM_XML_FORBIDDEN,
        )
    if tag == "hostdev" and (element.get("type") in _SCSI or element.get("mode") != "subsystem"):
        kind = element.get("type")
        raise LabError(
            f"{host}: vm_xml may not hand a disk to the guest (<hostdev type='{kind}'>)",
            REFUSED["disk"],
            code=Code.VM_XML_FORBIDDEN,
        )
