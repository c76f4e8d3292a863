"""A lab that somebody made by hand: three VMs, one per form of an iSCSI disk, on a NAS whose names are not ours."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from tests.resources.nas.conftest import VERSIONS, connect, simulator
from zerotoil.adopt.inventory import Asked
from zerotoil.adopt.lab import Adoption, adopt
from zerotoil.clients.hypervisor import Hypervisor
from zerotoil.clients.truenas import Nas
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers.servers import servers
from zerotoil.minilab.nas import Simulator
from zerotoil.model.inventory import declare
from zerotoil.model.spec import HostSpec
from zerotoil.resources.guest import Guest
from zerotoil.resources.hypervisor import hypervisor_resources
from zerotoil.resources.nas import nas_resources, target_iqn
from zerotoil.resources.nas.access import IscsiService
from zerotoil.resources.resource import Change, Resource

HV = "iqn.1993-08.org.debian:01:hv1"
BASE = "iqn.2005-10.org.freenas.ctl"
CHAP = "chap-s3cret-0"
NAMING = "nightly-%Y-%m-%d_%H-%M"


def disk(form: str, serial: str = "", driver: str = "", iqn: str = f"{BASE}:t-matrix", lun: int = 0) -> str:
    """A data disk in one of libvirt's forms."""
    source = {
        "network": f"<auth username='hv1'><secret type='iscsi' usage='mine'/></auth><source protocol='iscsi' name='{iqn}/{lun}'>"
        f"<host name='127.0.0.1' port='3260'/><initiator><iqn name='{HV}'/></initiator></source>",
        "block": f"<source dev='/dev/disk/by-path/ip-127.0.0.1:3260-iscsi-{iqn}-lun-{lun}'/>",
        "volume": f"<source pool='photo-pool' volume='unit:0:0:{lun}'/>",
    }[form]
    driver = f"<driver name='qemu' type='raw' cache='none' {driver}/>"
    named = f"<serial>{serial}</serial>" if serial else ""
    return f"<disk type='{form}' device='disk'>{driver}{source}<target dev='vdb' bus='virtio'/>{named}</disk>"


def domain(name: str, devices: str, os: str = "<os><type arch='x86_64'>hvm</type></os>", memory: int = 3 << 20) -> str:
    """A domain of the test driver with an OS disk of its own."""
    system = f"<disk type='file' device='disk'><source file='/pool/{name}.qcow2'/><target dev='vda' bus='virtio'/></disk>"
    return (
        f"<domain type='test'><name>{name}</name><memory unit='KiB'>{memory}</memory><vcpu>3</vcpu>{os}"
        f"<devices>{system}{devices}</devices></domain>"
    )


def card(mac: str, place: str, more: str = "") -> str:
    """A network card."""
    kind, _, name = place.partition(":")
    return f"<interface type='{kind}'><mac address='52:54:00:00:00:{mac}'/><source {kind}='{name}'/>{more}</interface>"


MATRIX = domain(
    "matrix",
    disk("network")
    + card("01", "network:default", "<model type='e1000'/>")
    + "<disk type='file' device='cdrom'><source file='/pool/seed.iso'/><target dev='hda' bus='ide'/><readonly/></disk>"
    + "<hostdev mode='subsystem' type='usb'><source><vendor id='0x10c4'/><product id='0xea60'/></source></hostdev>"
    + "<graphics type='vnc' port='-1' autoport='yes' passwd='kept'/>",
)
MAIL = domain(
    "mail",
    disk("block", "mail-data", "error_policy='stop'", f"{BASE}:mail", 3)
    + card("02", "bridge:br0")
    + "<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0' bus='1' slot='0' function='0'/></source>"
    "</hostdev>",
)
PHOTOS = domain("photos", disk("volume", lun=0) + card("03", "network:default"), "<os firmware='efi'><type>hvm</type></os>")
NODE = f"""<node>
  <network><name>default</name><bridge name='virbr0'/><ip address='192.168.122.1' netmask='255.255.255.0'><dhcp>
    <range start='192.168.122.2' end='192.168.122.254'/><host mac='52:54:00:00:00:01' name='matrix' ip='192.168.122.21'/>
  </dhcp></ip></network>
  <pool type='dir'><name>vms</name><target><path>/pool</path></target></pool>
  <pool type='iscsi'><name>photo-pool</name>
    <source><host name='127.0.0.1' port='3260'/><device path='{BASE}:photos'/><initiator><iqn name='{HV}'/></initiator></source>
    <target><path>/dev/disk/by-path</path></target></pool>
  {{domains}}
</node>"""
_numbers = count()


def hypervisor(folder: Path, *domains: str) -> Hypervisor:
    """A hypervisor that runs these."""
    file = folder / f"node{next(_numbers)}.xml"
    file.write_text(NODE.replace("{domains}", "".join(domains)))
    return Hypervisor.connect(f"test://{file}", 10)


@dataclass
class Handmade:
    """The lab: what is there, what adopting it says, and the deploy of the inventory that was written."""

    sim: Simulator
    nas: Nas
    hypervisor: Hypervisor

    def adopt(self, *names: str, guest: Callable[[HostSpec], Guest] | None = None) -> Adoption:
        user = "robot" if guest else None
        servers = (self.sim.url, "zerotoil", "env:NAS_KEY", self.hypervisor.uri)
        asked = Asked("home", *servers, nas_fingerprint=self.sim.fingerprint, ssh_user=user)
        self.nas.forget()
        self.hypervisor.forget()
        return adopt(self.nas, self.hypervisor, asked, names, guest)

    def resources(self, spec: HostSpec) -> list[Resource]:
        def never() -> Any:
            raise LabError("an adopted VM needs no image, no guard and no first start", code=Code.INTERNAL)

        of_vm = hypervisor_resources(
            spec, self.hypervisor, iqn=target_iqn(spec, self.nas), ignition="{}", image=never, guard=never, on_first_start=never
        )
        return [*nas_resources(spec, self.nas), *of_vm]

    def plan(self, spec: HostSpec) -> list[str]:
        self.nas.forget()
        self.hypervisor.forget()
        return [f"{change} ({change.risk})" for resource in self.resources(spec) for change in resource.plan()]

    def apply(self, spec: HostSpec) -> list[Change]:
        return [change for resource in self.resources(spec) for change in resource.apply()]

    def tree(self, name: str) -> etree._Element:
        return etree.fromstring(self.hypervisor.definition(name).encode())


def specs(text: str, **changed: Any) -> dict[str, HostSpec]:
    """The inventory as Python reads it, some keys of all hosts changed, as specs."""
    scope: dict[str, Any] = {}
    exec(compile(text, "lab.py", "exec"), scope)
    names, shared = scope["all"]
    own = dict(scope["adopted"])
    assert list(own) == names
    layers = {name.removeprefix("@vm/"): [("changed", changed), ("host", own[name]), ("all", shared)] for name in names}
    found = declare(layers)
    assert not found.problems, [str(problem) for problem in found.problems]
    return found.specs


def zvol(nas: Nas, name: str, size: int = 30 << 30, **more: Any) -> None:
    """A volume made by hand."""
    nas.write("pool.dataset.create", {"name": name, "type": "VOLUME", "volsize": size, "sparse": True, **more})


def serve(nas: Nas, target: str, extent: str, volume: str, access: dict[str, Any], lun: int = 0, comment: str = "") -> None:
    """A volume served by hand."""
    one = nas.write("iscsi.target.create", {"name": target, "groups": [access]})
    other = nas.write("iscsi.extent.create", {"name": extent, "type": "DISK", "disk": f"zvol/{volume}", "comment": comment})
    nas.write("iscsi.targetextent.create", {"target": one["id"], "extent": other["id"], "lunid": lun})


def furnish(nas: Nas) -> None:
    """The NAS of the lab."""
    for name in ("tank/vms", "tank/media"):
        nas.write("pool.dataset.create", {"name": name, "type": "FILESYSTEM"})
    for name in ("tank/vms/matrix", "tank/vms/mail", "tank/media/photos"):
        zvol(nas, name)
    portal = nas.write("iscsi.portal.create", {"listen": [{"ip": "127.0.0.1"}], "comment": "storage net"})["id"]
    group = nas.write("iscsi.initiator.create", {"initiators": ["iqn.2000-01.lan:other", HV], "comment": "hypervisors"})["id"]
    nas.write("iscsi.auth.create", {"tag": 7, "user": "hv1", "secret": CHAP})
    chap = {"portal": portal, "initiator": group, "authmethod": "CHAP", "auth": 7}
    serve(nas, "t-matrix", "matrix-disk", "tank/vms/matrix", chap, comment="Matrix, do not touch")
    serve(nas, "mail", "mail", "tank/vms/mail", {**chap, "authmethod": "NONE", "auth": None}, 3)
    serve(nas, "photos", "photos", "tank/media/photos", {"portal": portal, "initiator": None, "authmethod": "NONE", "auth": None})
    task = {"dataset": "tank/vms", "recursive": True, "lifetime_value": 6, "lifetime_unit": "WEEK", "naming_schema": NAMING}
    schedule = {"minute": "30", "hour": "1", "dom": "*", "month": "*", "dow": "*", "begin": "00:00", "end": "23:59"}
    nas.write("pool.snapshottask.create", {**task, "schedule": schedule, "enabled": True, "allow_empty": True})
    IscsiService(nas).apply()


@pytest.fixture(params=VERSIONS)
def lab(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Handmade]:
    """The lab, in every version of the NAS."""
    yield from _lab(request.param, tmp_path, monkeypatch)


@pytest.fixture
def one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Handmade]:
    """The lab in one version, where versions make no difference."""
    yield from _lab("25.10", tmp_path, monkeypatch)


def _lab(version: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Handmade]:
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setattr(servers, "_open", {})  # a port may come again, with another NAS at it
    monkeypatch.setenv("NAS_KEY", "1-abcdefghijklmnop")
    secret = folder / ".config/zerotoil/chap-secret"
    secret.parent.mkdir(parents=True)
    secret.touch(mode=0o600)
    secret.write_text(CHAP + "\n")
    with simulator(version) as sim:
        nas = connect(sim)
        furnish(nas)
        yield Handmade(sim, nas, hypervisor(folder, MATRIX, MAIL, PHOTOS))
        nas.close()
