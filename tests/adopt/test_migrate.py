"""From an adopted VM to an OS of ours and back: its own OS disk, its definition and its data disk's form are kept."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.adopt.conftest import Handmade, domain, specs
from tests.adopt.test_end_to_end import shape
from tests.resources.hypervisor.conftest import Image
from zerotoil.clients import device
from zerotoil.clients.device import Unreadable
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.model.data_volume import DataMark, Filesystem, Finding, VolumeState
from zerotoil.model.spec import HostSpec
from zerotoil.resources.hypervisor import volumes
from zerotoil.resources.hypervisor.os_switch import own
from zerotoil.resources.nas.mark import read_mark, write_mark
from zerotoil.workflows.destroy import destroy, staying
from zerotoil.workflows.migrate import migrate
from zerotoil.workflows.migrate_journey import Wish

FOUND = Filesystem("ext4", "data", "1ea5f2e1-83dc-46c7-a677-9966b91a6e42")
FORWARD = ["check", "prepare", "note", "snapshot", "shut down", "switch", "start", "wait", "prove", "settle"]


@dataclass
class Adopted:
    """One VM that was adopted and seen healthy; its guest answers unless `silent` holds the OS disk it runs from."""

    lab: Handmade
    spec: HostSpec
    root: Path
    silent: set[int] = field(default_factory=set)
    docker: dict[int, str] = field(default_factory=dict)  # its state, by OS disk

    @property
    def site(self) -> Site:
        return Site(self.spec, self.root, shell=self.shell)

    @property
    def generation(self) -> int:
        self.site.hypervisor.forget()
        return own(self.spec, self.site.hypervisor)[1].generation

    def shell(self, script: str) -> str:
        if not self.site.hypervisor.is_running(self.spec.name) or self.generation in self.silent:
            raise LabError("no answer over SSH in 60 s", code=Code.GUEST_SILENT)
        if script.startswith("set -- "):
            return "synced it is Ubuntu\n"
        data = {"source": "/dev/vdb", "type": FOUND.type, "label": FOUND.label, "uuid": FOUND.uuid}
        state = self.docker.get(self.generation)
        units = {"docker.service": {"active": state, "enabled": "enabled"}} if state else {}
        return json.dumps({"data": data, "units": units, "containers": [], "notify_sha256": ""})

    def plan(self) -> list[str]:
        for server in (self.site.nas, self.site.hypervisor):
            server.forget()
        return [str(change) for resource in [*self.site.nas_resources(), *self.site.vm_resources()] for change in resource.plan()]


@pytest.fixture(params=["mail", "photos"])
def adopted(request: pytest.FixtureRequest, one: Handmade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Adopted:
    return make(request.param, one, tmp_path, monkeypatch)


def make(name: str, one: Handmade, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Adopted:
    keys = {"vm_boot_timeout": "1 second", "ssh_authorized_keys": ["ssh-ed25519 AAAAC3Nza you@laptop"]}
    spec = specs(one.adopt().written.text(), **keys)[name]
    one.apply(spec)
    write_mark(one.nas, spec.zvol, DataMark(spec.owner, VolumeState.DATA, FOUND, adopted=True))
    one.sim.storage.write(spec.zvol, "precious")
    file = folder / "image.qcow2"
    file.write_bytes(b"QFI\xfb" + bytes(1000))
    monkeypatch.setattr(Site, "image", lambda _site: Image(file, "45.1"))
    monkeypatch.setattr(device, "probe", lambda _spec, _iqn: Finding(filesystem=FOUND))
    return Adopted(one, spec, folder)


def is_untouched(adopted: Adopted) -> None:
    adopted.site.nas.forget()
    assert read_mark(adopted.site.nas, adopted.spec.zvol) == DataMark(adopted.spec.owner, VolumeState.DATA, FOUND, adopted=True)
    assert adopted.lab.sim.storage.read(adopted.spec.zvol) == "precious"


def test_there_and_back(adopted: Adopted) -> None:
    name = adopted.spec.name
    before = adopted.lab.tree(name)
    migrate(adopted.site)
    now = adopted.lab.tree(name)
    assert adopted.generation == 1
    assert now.findtext("uuid") == before.findtext("uuid")
    assert [mac.get("address") for mac in now.iter("mac")] == [mac.get("address") for mac in before.iter("mac")]
    own_os, data = now.findall("devices/disk")
    assert own_os.find("source").attrib == {"pool": "vms", "volume": f"{name}-os-1.qcow2"}  # type: ignore[union-attr]
    assert data.find("source").attrib == before.findall("devices/disk")[1].find("source").attrib  # type: ignore[union-attr]
    assert data.findtext("serial") == adopted.spec.data.serial, "by which our OS finds it"
    assert len({target.get("dev") for target in now.findall("devices/disk/target")}) == 2
    assert now.find("sysinfo/entry").get("file").endswith(".ign")  # type: ignore[union-attr]
    assert adopted.plan() == []
    is_untouched(adopted)

    migrate(adopted.site, Wish(back=True))
    assert shape(adopted.lab.tree(name)) == shape(before)
    assert adopted.generation == 0 and adopted.site.hypervisor.is_running(name)
    assert adopted.plan() == []
    is_untouched(adopted)


def test_back_on_its_own_os_docker_must_come_up(adopted: Adopted) -> None:
    """It starts by itself there. A plan right after would show it as a change while it does."""
    container = adopted.spec.container.model_copy(update={"backend": "docker"})
    adopted.spec = adopted.spec.model_copy(update={"container": container})
    adopted.docker = {0: "active", 1: "active"}
    migrate(adopted.site)
    adopted.docker[0] = "activating"
    with pytest.raises(LabError) as caught:
        migrate(adopted.site, Wish(back=True))
    assert caught.value.code is Code.MIGRATION_UNDONE and "not up: docker.service" in caught.value.what
    assert adopted.generation == 1
    adopted.docker[0] = "active"
    migrate(adopted.site, Wish(back=True))
    assert adopted.generation == 0


def test_back_to_its_own_os_that_is_not_well_ends_on_ours(adopted: Adopted) -> None:
    migrate(adopted.site)
    adopted.silent = {0}
    with pytest.raises(LabError) as caught:
        migrate(adopted.site, Wish(back=True))
    assert caught.value.code is Code.MIGRATION_UNDONE
    assert adopted.generation == 1 and adopted.site.hypervisor.is_running(adopted.spec.name)
    assert adopted.plan() == []
    is_untouched(adopted)


def test_a_disk_of_that_name_that_a_vm_uses_is_left_alone(one: Handmade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    adopted = make("mail", one, tmp_path, monkeypatch)
    hypervisor = adopted.site.hypervisor
    volumes.put_base(hypervisor, "vms", adopted.site.image())
    volumes.put_overlay(adopted.spec, hypervisor, 1, adopted.site.image())
    hypervisor.define("other", domain("other", "").replace("/pool/other.qcow2", "/pool/mail-os-1.qcow2"))
    migrate(adopted.site)
    assert adopted.generation == 2 and "mail-os-1.qcow2" in hypervisor.storage.names("vms")
    is_untouched(adopted)


def test_a_new_os_that_never_comes_up(adopted: Adopted) -> None:
    before = shape(adopted.lab.tree(adopted.spec.name))
    adopted.silent = {1}
    with pytest.raises(LabError, match="the adopted OS is running again") as caught:
        migrate(adopted.site)
    assert caught.value.code is Code.MIGRATION_UNDONE
    assert shape(adopted.lab.tree(adopted.spec.name)) == before
    is_untouched(adopted)
    adopted.silent = set()
    migrate(adopted.site)
    assert adopted.generation == 1


@pytest.mark.parametrize("step", FORWARD)
def test_cut_off_after_any_step(step: str, one: Handmade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    adopted = make("mail", one, tmp_path, monkeypatch)

    def kill(name: str) -> None:
        if name == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        migrate(adopted.site, after=kill)
    is_untouched(adopted)
    migrate(adopted.site)
    assert adopted.generation == 1 and adopted.plan() == []
    is_untouched(adopted)


def test_a_second_migration_can_still_go_back_all_the_way(adopted: Adopted, monkeypatch: pytest.MonkeyPatch) -> None:
    before = shape(adopted.lab.tree(adopted.spec.name))
    migrate(adopted.site)
    file = adopted.root / "image.qcow2"
    monkeypatch.setattr(Site, "image", lambda _site: Image(file, "46.1", "ef" * 32))
    migrate(adopted.site)
    assert adopted.generation == 2 and adopted.plan() == []
    migrate(adopted.site, Wish(back=True))
    assert adopted.generation == 1
    migrate(adopted.site, Wish(back=True))
    assert shape(adopted.lab.tree(adopted.spec.name)) == before


def test_an_adopted_vm_is_destroyed_only_once_its_os_is_ours(adopted: Adopted) -> None:
    name, before = adopted.spec.name, adopted.lab.tree(adopted.spec.name)
    with pytest.raises(LabError, match=f"virsh shutdown {name}; virsh undefine {name}") as caught:
        destroy(adopted.site)
    assert caught.value.code is Code.DESTROY_OF_ADOPTED
    assert shape(adopted.lab.tree(name)) == shape(before) and adopted.site.hypervisor.is_running(name)

    migrate(adopted.site)
    stays = staying(adopted.site)
    assert f"the disks of the adopted OS stay: /pool/{name}.qcow2" in stays
    assert stays[-1].startswith("take vm_adopt out of the inventory and run the deploy again")
    destroy(adopted.site)
    assert adopted.site.hypervisor.domains().keys() == {"matrix", "mail", "photos"} - {name}
    assert "photo-pool" in adopted.site.hypervisor.storage.pools(), "a login that somebody else made"
    is_untouched(adopted)
    assert destroy(adopted.site) == []


def test_its_volume_must_have_been_read(adopted: Adopted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "probe", lambda _spec, _iqn: Unreadable("no qemu-img"))
    with pytest.raises(LabError) as caught:
        migrate(adopted.site)
    assert caught.value.code is Code.GUARD_UNREADABLE
    assert adopted.generation == 0 and not adopted.site.hypervisor.storage.names("vms")


def test_a_definition_with_a_password_is_not_kept_as_text(one: Handmade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    adopted = make("matrix", one, tmp_path, monkeypatch)
    before = shape(one.tree("matrix"))
    with pytest.raises(LabError, match="take passwd out with virsh edit matrix") as caught:
        migrate(adopted.site)
    assert caught.value.code is Code.DEFINITION_HAS_SECRET
    assert shape(one.tree("matrix")) == before


def test_a_disk_that_is_not_on_virtio_gets_there(one: Handmade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    adopted = make("mail", one, tmp_path, monkeypatch)
    text = one.hypervisor.definition("mail").replace("dev='vdb' bus='virtio'", "dev='sda' bus='sata'")
    one.hypervisor.define("mail", text.replace("dev='vda' bus='virtio'", "dev='hda' bus='ide'"))
    migrate(adopted.site)
    targets = [dict(target.attrib) for target in one.tree("mail").findall("devices/disk/target")]
    assert targets == [{"dev": "vda", "bus": "virtio"}, {"dev": "vdb", "bus": "virtio"}]
    assert adopted.plan() == []
