"""From a domain's XML to what the inventory declares. Texts only."""

import pytest
from lxml import etree

from tests.adopt.conftest import BASE, HV, MAIL, MATRIX, PHOTOS, card, disk, domain
from zerotoil.adopt.domains import Surroundings, parse
from zerotoil.errors import LabError
from zerotoil.resources.hypervisor.iscsi_disk import IscsiDisk, iscsi_disk

POOL = (
    f"<pool type='iscsi'><name>photo-pool</name><source><host name='nas.lan' port='3261'/><device path='{BASE}:photos'/>"
    f"<initiator><iqn name='{HV}'/></initiator><auth type='chap' username='hv1'><secret usage='mine'/></auth></source></pool>"
)
FILES = "<pool type='dir'><name>vms</name><target><path>/pool</path></target></pool>"
NETWORK = (
    "<network><name>default</name><ip address='10.0.0.1' prefix='16'><dhcp>"
    "<host mac='52:54:00:00:00:01' ip='10.0.3.4'/></dhcp></ip></network>"
)
AROUND = Surroundings({"photo-pool": POOL, "vms": FILES}, {"default": NETWORK})


def lun(xml: str, pools: dict[str, str] | None = None) -> IscsiDisk | None:
    return iscsi_disk(etree.fromstring(xml), {"photo-pool": POOL, "vms": FILES} if pools is None else pools)


@pytest.mark.parametrize(
    ("xml", "found"),
    [
        (disk("network", lun=2), IscsiDisk("network", f"{BASE}:t-matrix", 2, "127.0.0.1", 3260, HV, "hv1")),
        (
            "<disk type='network'><source protocol='iscsi' name='iqn.x:y'><host name='nas'/>"
            "<auth username='in'><secret type='iscsi' uuid='1'/></auth></source></disk>",
            IscsiDisk("network", "iqn.x:y", 0, "nas", 3260, "", "in"),
        ),
        (disk("block", lun=12), IscsiDisk("block", f"{BASE}:t-matrix", 12, "127.0.0.1", 3260)),
        (
            disk("block").replace("127.0.0.1:3260", "[fd00::5]:3262"),
            IscsiDisk("block", f"{BASE}:t-matrix", 0, "fd00::5", 3262),
        ),
        (
            disk("block").replace("lun-0", "lun-0-part1"),
            IscsiDisk("block", f"{BASE}:t-matrix", 0, "127.0.0.1", 3260, partition=True),
        ),
        (disk("volume", lun=7), IscsiDisk("pool", f"{BASE}:photos", 7, "nas.lan", 3261, HV, "hv1", "photo-pool")),
        (disk("volume").replace("photo-pool", "vms"), None),
        (disk("volume").replace("photo-pool", "gone"), None),
        (disk("volume").replace("unit:0:0:0", "other"), None),
        (disk("network").replace("protocol='iscsi'", "protocol='rbd'"), None),
        (disk("network").replace("device='disk'", "device='cdrom'"), None),
        ("<disk type='block'><source dev='/dev/sdb'/></disk>", None),
        ("<disk type='file' device='cdrom'/>", None),
    ],
)
def test_each_form(xml: str, found: IscsiDisk | None) -> None:
    assert lun(xml) == found


def test_a_whole_domain() -> None:
    vm = parse(MATRIX, AROUND, autostart=True)
    assert (vm.name, vm.memory, vm.cpus, vm.firmware, vm.autostart, vm.os_pool) == ("matrix", 3 << 30, 3, "bios", True, "vms")
    assert vm.nics == [{"network": "default", "mac": "52:54:00:00:00:01", "address": "10.0.3.4/16", "reserve": True}]
    assert (vm.usb, vm.pci, vm.serial) == (["10c4:ea60"], [], "")
    assert vm.remarks == ["the disk /pool/seed.iso: it stays, and is not declared"]
    mail = parse(MAIL, AROUND)
    assert (mail.pci, mail.serial, mail.autostart) == (["0000:01:00.0"], "mail-data", False)
    assert mail.remarks == ["not known: the address of the card 52:54:00:00:00:02 (by DHCP, or set inside the guest)"]
    assert parse(PHOTOS, AROUND).firmware == "uefi"


def test_what_no_key_declares_is_said() -> None:
    more = (
        "<interface type='direct'><mac address='52:54:00:00:00:07'/><source dev='eth0' mode='bridge'/></interface>"
        "<hostdev mode='subsystem' type='usb'><source><address bus='1' device='4'/></source></hostdev>"
        "<disk type='file' device='disk'><source file='/pool/more.qcow2'/><target dev='vdd'/></disk>"
    )
    vm = parse(domain("matrix", disk("network") + card("01", "network:default") + more), AROUND)
    assert vm.remarks == [
        "the card 52:54:00:00:00:07 is of type direct: it stays, and is not declared",
        "a device of type usb that is handed through: it stays, and is not declared",
        "the disk /pool/more.qcow2: it stays, and is not declared",
    ]
    assert (len(vm.nics), vm.usb) == (1, [])


NET = card("01", "network:default")


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        (domain("files", NET), r"it has no iSCSI disk \(it reads /pool/files.qcow2\)"),
        (domain("sdb", NET + "<disk type='block'><source dev='/dev/sdb'/></disk>"), r"it reads /pool/sdb.qcow2, /dev/sdb\)"),
        (domain("two", NET + disk("network") + disk("volume")), "it has 2 iSCSI disks, zerotoil keeps one per VM"),
        (domain("part", NET + disk("block").replace("lun-0", "lun-0-part1")), "it reads a partition of its LUN"),
        (domain("alone", disk("block")), "it has no card on a libvirt network or a bridge"),
        (
            domain("My_VM", NET + disk("block")),
            r"its name is no host name \(a-z, 0-9 and '-'\): virsh domrename gives it another",
        ),
    ],
)
def test_what_is_not_adopted(xml: str, reason: str) -> None:
    with pytest.raises(LabError, match=reason):
        parse(xml, AROUND)
