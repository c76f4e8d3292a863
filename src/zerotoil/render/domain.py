"""The libvirt domain of one host. Pure.

q35 with spare PCIe root ports, the OS disk as a volume of the hypervisor's pool, the data volume by iSCSI, the Ignition
config by `<sysinfo type='fwcfg'>` (libvirt labels that file; raw QEMU arguments get no label). What the VM was made
with is recorded in our own metadata element. Source: libvirt's formatdomain; the project's tests hold each variant
against libvirt's schema and its own parser.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lxml import etree

from zerotoil.model.spec import HostSpec
from zerotoil.render.domain_devices import devices
from zerotoil.render.domain_fragment import Fragment
from zerotoil.render.domain_mark import Mark

CONFIG = "opt/com.coreos/config"  # where Ignition looks on QEMU
CPU = {"kvm": "host-passthrough", "qemu": "maximum", "test": "maximum"}
SPARE_PORTS = 4  # disks that can be attached while the VM runs


@dataclass(frozen=True)
class Provisioned:
    """What a VM was made with. It stays as it is until a rebuild, so it never counts as drift.

    `booted` is False until the first start of this generation: the guard stands before that one. `mark` is that of a VM
    which exists: all that it says stays.
    """

    domain_type: str  # "kvm", "qemu" (emulated), "test" (libvirt's pretend driver)
    os_volume: str
    ignition_path: str
    ignition_sha256: str
    os_release: str
    generation: int
    booted: bool = False
    mark: Mark | None = None


def declared_devices(spec: HostSpec) -> frozenset[str]:
    """The devices of the spec that may change, by the names the mark keeps."""
    cards = {f"card {spec.mac(index)}" for index in range(len(spec.vm.nics))} | {f"disk {spec.data.serial}"}
    return frozenset(cards | {f"usb {device}" for device in spec.vm.usb} | {f"pci {device}" for device in spec.vm.pci})


def render_domain(spec: HostSpec, made: Provisioned, *, iqn: str, fragment: str = "") -> str:
    """The domain's XML. `iqn` is the full name of the target; `fragment` the text of `vm_xml`.

    Raises LabError for a fragment that is not XML or that touches what must stay ours.
    """
    return etree.tostring(domain_tree(spec, made, iqn=iqn, fragment=fragment), pretty_print=True, encoding="unicode")


def domain_tree(spec: HostSpec, made: Provisioned, *, iqn: str, fragment: str = "") -> etree._Element:
    """`render_domain` as a tree."""
    extra = Fragment.parse(fragment, spec.name)
    domain = etree.Element("domain", type=made.domain_type)
    _text(domain, "name", spec.name)
    mark = made.mark or Mark(spec.owner, made.generation, made.ignition_sha256, made.os_release, made.booted)
    mark = replace(mark, devices=declared_devices(spec), fragment=extra.text)
    etree.SubElement(domain, "metadata").append(mark.element())
    _text(domain, "memory", str(spec.vm.memory // 1024), unit="KiB")
    _text(domain, "vcpu", str(spec.vm.cpus), placement="static")
    config = etree.SubElement(domain, "sysinfo", type="fwcfg")
    etree.SubElement(config, "entry", name=CONFIG, file=made.ignition_path)
    domain.append(_os(spec))
    features = etree.SubElement(domain, "features")
    etree.SubElement(features, "acpi")
    etree.SubElement(features, "apic")
    etree.SubElement(domain, "cpu", mode=CPU.get(made.domain_type, "maximum"))
    domain.append(_clock(made.domain_type))
    for event, reaction in (("poweroff", "destroy"), ("reboot", "restart"), ("crash", "restart")):
        _text(domain, f"on_{event}", reaction)
    domain.append(devices(spec, made.os_volume, iqn, SPARE_PORTS + len(extra.devices)))
    extra.merge_into(domain)
    return domain


def _os(spec: HostSpec) -> etree._Element:
    os = etree.Element("os")
    _text(os, "type", "hvm", arch="x86_64", machine="q35")
    if spec.vm.firmware == "uefi":
        os.set("firmware", "efi")
        firmware = etree.SubElement(os, "firmware")  # without this, hosts whose first choice is secure boot need SMM
        etree.SubElement(firmware, "feature", enabled="no", name="secure-boot")
    return os


def _clock(domain_type: str) -> etree._Element:
    clock = etree.Element("clock", offset="utc")
    etree.SubElement(clock, "timer", name="rtc", tickpolicy="catchup")
    if domain_type == "kvm":
        etree.SubElement(clock, "timer", name="pit", tickpolicy="delay")
        etree.SubElement(clock, "timer", name="hpet", present="no")
    return clock


def _text(parent: etree._Element, tag: str, text: str, **attributes: str) -> None:
    etree.SubElement(parent, tag, dict(attributes)).text = text
