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

URI = "urn:zerotoil:domain:1"
MARK = f"{{{URI}}}host"
CONFIG = "opt/com.coreos/config"  # where Ignition looks on QEMU
CPU = {"kvm": "host-passthrough", "qemu": "maximum", "test": "maximum"}
SPARE_PORTS = 4  # disks that can be attached while the VM runs


@dataclass(frozen=True)
class Provisioned:
    """What a VM was made with. It stays as it is until a rebuild, so it never counts as drift.

    `booted` is False until the first start of this generation: the guard stands before that one. An `adopted` VM was
    made by somebody else: its OS disk and config are unknown here, and nothing is declared about them.
    """

    domain_type: str  # "kvm", "qemu" (emulated), "test" (libvirt's pretend driver)
    os_volume: str
    ignition_path: str
    ignition_sha256: str
    os_release: str
    generation: int
    booted: bool = False
    adopted: bool = False


@dataclass(frozen=True)
class Mark:
    """Our metadata element: whose VM it is, what it was made with, and which devices are ours to take away."""

    owner: str
    generation: int
    ignition_sha256: str
    os_release: str
    booted: bool = False
    devices: frozenset[str] = frozenset()  # "card 52:54:…", "disk SERIAL", "usb 10c4:ea60", "pci …"
    fragment: str = ""  # vm_xml as it was merged, in canonical form
    adopted: bool = False

    def element(self) -> etree._Element:
        """As XML, in our namespace."""
        mark = etree.Element(
            MARK,
            nsmap={"zerotoil": URI},
            owner=self.owner,
            generation=str(self.generation),
            ignition=self.ignition_sha256,
            os=self.os_release,
            booted="yes" if self.booted else "no",
            devices=",".join(sorted(self.devices)),
        )
        if self.adopted:
            mark.set("adopted", "yes")
        if self.fragment:
            etree.SubElement(mark, f"{{{URI}}}fragment").text = self.fragment
        return mark

    def as_booted(self) -> Mark:
        """The same, after the first start."""
        return replace(self, booted=True)


def read_mark(domain: etree._Element) -> Mark | None:
    """The mark of a domain; None: it is not ours."""
    mark = domain.find(f"metadata/{MARK}")
    if mark is None:
        return None
    listed = mark.get("devices", "")
    return Mark(
        owner=mark.get("owner", ""),
        generation=int(mark.get("generation", "1")),
        ignition_sha256=mark.get("ignition", ""),
        os_release=mark.get("os", ""),
        booted=mark.get("booted") == "yes",
        devices=frozenset(listed.split(",")) if listed else frozenset(),
        fragment=mark.findtext(f"{{{URI}}}fragment", ""),
        adopted=mark.get("adopted") == "yes",
    )


def replace_mark(tree: etree._Element, mark: Mark) -> None:
    """Put another mark into a definition."""
    old = tree.find(f"metadata/{MARK}")
    if old is not None:
        tree.find("metadata").replace(old, mark.element())  # type: ignore[union-attr]


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
    mark = Mark(
        spec.owner,
        made.generation,
        made.ignition_sha256,
        made.os_release,
        made.booted,
        declared_devices(spec),
        extra.text,
        made.adopted,
    )
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
