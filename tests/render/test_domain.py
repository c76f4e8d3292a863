"""The rendered domain: golden files, libvirt's schema, libvirt's own parser.

ZEROTOIL_GOLDEN=write rewrites the golden files.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libvirt
import pytest
from lxml import etree

from tests.conftest import make_spec
from zerotoil.errors import LabError
from zerotoil.model.secret import Secret
from zerotoil.model.spec import HostSpec
from zerotoil.render.domain import Provisioned, domain_tree, render_domain
from zerotoil.render.domain_devices import disk_name
from zerotoil.render.domain_mark import MARK, read_mark
from zerotoil.render.domain_storage import render_iscsi_pool, render_overlay

GOLDEN = Path(__file__).parent / "golden"
SCHEMAS = Path("/usr/share/libvirt/schemas")
IQN = "iqn.2005-10.org.freenas.ctl:matrix"
CHAP = {"iscsi_chap_user": "matrix", "iscsi_chap_secret": Secret("twelve-chars")}
FRAGMENT = """<cpu mode='host-model'/>
<!-- a screen -->
<devices><graphics type='vnc' port='-1' autoport='yes'/><memballoon model='none'/></devices>"""
MORE = {"media": {"size": "2 TiB", "filesystem": "xfs"}, "db": {"size": "50 GiB", "blocksize": "16 KiB"}}
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "block": ("kvm", {}),
    "network": ("qemu", {"data_attach": "network"}),
    "network-chap": ("kvm", {"data_attach": "network", "iscsi_lun": 1, **CHAP}),
    "volumes": ("kvm", {"data_more": MORE}),
    "volumes-network": ("qemu", {"data_attach": "network", "iscsi_lun": 1, "data_more": MORE, **CHAP}),
    "everything": (
        "kvm",
        {
            "vm_firmware": "uefi",
            "vm_memory": "8 GiB",
            "vm_cpus": 6,
            "vm_nics": [{"bridge": "br0", "mac": "52:54:00:aa:bb:cc"}, {"network": "default"}],
            "vm_usb": ["10c4:ea60"],
            "vm_pci": ["0000:01:00.0"],
            "vm_xml": FRAGMENT,
        },
    ),
}


def made(domain_type: str = "test", **changed: Any) -> Provisioned:
    facts = {
        "os_volume": "matrix-os-1.qcow2",
        "ignition_path": "/var/lib/libvirt/images/matrix-0123456789ab.ign",
        "ignition_sha256": "0123456789ab" + "c" * 52,
        "os_release": "44.20260802.3.1",
        "generation": 1,
    }
    return Provisioned(domain_type, **{**facts, **changed})


def rendered(variant: str) -> str:
    domain_type, data = VARIANTS[variant]
    return render_domain(make_spec(**data), made(domain_type), iqn=IQN, fragment=data.get("vm_xml", ""))


def check_schema(text: str, schema: str) -> None:
    rules = etree.RelaxNG(etree.parse(str(SCHEMAS / schema)))
    rules.assertValid(etree.fromstring(text.encode()))


@pytest.fixture
def test_driver(tmp_path: Path) -> Iterator[Any]:
    node = tmp_path / "node.xml"  # test:///default would be shared with every other test of the process
    node.write_text("<node/>")
    connection = libvirt.open(f"test://{node}")
    yield connection
    connection.close()


@pytest.mark.parametrize("variant", VARIANTS)
def test_golden(variant: str) -> None:
    text, file = rendered(variant), GOLDEN / f"domain-{variant}.xml"
    if os.environ.get("ZEROTOIL_GOLDEN") == "write":
        file.write_text(text)
    assert text == file.read_text()


@pytest.mark.parametrize("variant", VARIANTS)
def test_schema_and_parser_accept_it(variant: str, test_driver: Any) -> None:
    check_schema(rendered(variant), "domain.rng")
    test_driver.defineXMLFlags(rendered(variant), libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
    kept = etree.fromstring(test_driver.lookupByName("matrix").XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE).encode())
    assert kept.findtext("devices/disk[2]/serial") == "matrix-data"
    assert kept.find("sysinfo[@type='fwcfg']/entry[@name='opt/com.coreos/config']") is not None
    assert read_mark(kept) == read_mark(etree.fromstring(rendered(variant).encode()))


def test_four_ports_stay_free() -> None:
    tree = domain_tree(make_spec(vm_nics=[{"network": "a"}, {"network": "b"}]), made(), iqn=IQN)
    ports = tree.findall("devices/controller[@model='pcie-root-port']")
    on_pci = [d for d in tree.findall("devices/*") if d.tag in ("disk", "interface", "rng", "memballoon")]
    assert len(ports) == len(on_pci) + 2 + 4  # USB and serial controller


def test_the_secret_is_only_named() -> None:
    text = rendered("network-chap")
    assert "twelve-chars" not in text
    assert 'usage="zerotoil:home:matrix"' in text


@pytest.mark.parametrize(
    ("fragment", "said"),
    [
        ("<devices><disk type='block'/></devices>", "vm_xml may not hold <disk>"),
        ("<memory>1</memory>", "use vm_memory"),
        ("<uuid>x</uuid>", "it identifies the VM"),
        ("<metadata/>", "our mark"),
        ("<sysinfo/>", "Ignition"),
        ("<name>x</name>", "it names the VM"),
        ("<cpu", "vm_xml is not XML"),
        ("<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'/>", "may not hold <commandline>"),
        ("<devices><hostdev mode='subsystem' type='scsi'/></devices>", "may not hand a disk"),
    ],
)
def test_a_fragment_cannot_touch_what_is_ours(fragment: str, said: str) -> None:
    with pytest.raises(LabError, match=said):
        render_domain(make_spec(), made(), iqn=IQN, fragment=fragment)


def test_a_whole_domain_is_a_fragment_too() -> None:
    tree = domain_tree(make_spec(), made(), iqn=IQN, fragment="<domain><features><kvm/></features></domain>")
    assert [child.tag for child in tree.findall("features/*")] == ["kvm"]
    assert len(tree.findall(f"metadata/{MARK}")) == 1


@pytest.mark.parametrize("chap", [{}, CHAP])
def test_iscsi_pool(chap: dict[str, Any], test_driver: Any) -> None:
    spec: HostSpec = make_spec(**chap)
    text = render_iscsi_pool(spec, IQN)
    check_schema(text, "storagepool.rng")
    assert ("usage='zerotoil:home:matrix'" in test_driver.storagePoolDefineXML(text).XMLDesc()) == bool(chap)


def test_overlay() -> None:
    check_schema(render_overlay("matrix-os-1.qcow2", 20 << 30, "/images/base & more.qcow2"), "storagevol.rng")


def test_a_disk_more_takes_one_port_more_and_the_next_name() -> None:
    one, three = (domain_tree(make_spec(data_more=more), made(), iqn=IQN) for more in ({}, MORE))
    ports = [len(tree.findall("devices/controller[@model='pcie-root-port']")) for tree in (one, three)]
    assert ports[1] == ports[0] + 2
    assert [target.get("dev") for target in three.findall("devices/disk/target")] == ["vda", "vdb", "vdc", "vdd"]
    assert [disk_name(index) for index in (0, 25, 26, 51, 52)] == ["vda", "vdz", "vdaa", "vdaz", "vdba"]
