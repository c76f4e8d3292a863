"""The hypervisor layer on the machine's own libvirt and QEMU, with a real iSCSI target. Everything is named hvtest-*."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import libvirt
import pytest
from lxml import etree

from tests.conftest import make_spec
from tests.resources.hypervisor.conftest import Image, Lab
from zerotoil.clients.hypervisor import Hypervisor, HypervisorError, kvm, network
from zerotoil.clients.hypervisor.events import lifecycle_events
from zerotoil.errors import LabError
from zerotoil.model.secret import Secret
from zerotoil.model.spec import HostSpec
from zerotoil.render.domain import Provisioned, render_domain
from zerotoil.render.domain_storage import render_iscsi_pool
from zerotoil.resources.hypervisor import IscsiPool, observed, prepare, shutdown, switch, volumes

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("libvirtd"), reason="needs root and libvirt"),
]
POOL, HOST, IQN = "hvtest-pool", "hvtest-vm", "iqn.2005-10.org.freenas.ctl:matrix"
CONTROL, PORT = "7", 33269  # a tgtd of our own, beside any other
CHAP = {"iscsi_chap_user": "hvtest", "iscsi_chap_secret": Secret("twelve-chars1")}


@pytest.fixture(scope="module")
def hypervisor(real_libvirt: None) -> Iterator[Hypervisor]:
    hypervisor = Hypervisor.connect("qemu:///system", 60)
    yield hypervisor
    hypervisor.connection.close()


@pytest.fixture
def pool(hypervisor: Hypervisor) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="hvtest-", dir="/var/tmp"))
    folder.chmod(0o755)
    hypervisor.storage.define_pool(POOL, f"<pool type='dir'><name>{POOL}</name><target><path>{folder}</path></target></pool>")
    hypervisor.storage.start_pool(POOL)
    yield folder
    hypervisor.forget()
    if HOST in hypervisor.domains():  # pytest ends `net` and `target` first
        if hypervisor.domains()[HOST].active:
            hypervisor.power_off(HOST)
        hypervisor.undefine(HOST)
    for usage in network.secrets(hypervisor):
        if usage.endswith(HOST):
            hypervisor.connection.secretLookupByUsage(libvirt.VIR_SECRET_USAGE_TYPE_ISCSI, usage).undefine()
    hypervisor.storage.stop_pool(POOL)
    hypervisor.connection.storagePoolLookupByName(POOL).undefine()
    shutil.rmtree(folder)


@pytest.fixture
def image(tmp_path: Path) -> Image:
    file = tmp_path / "image.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(file), "64M"], check=True, timeout=20)
    return Image(file, sha256="ef" * 32, virtual_size=64 << 20)


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "data.raw"
    with disk.open("wb") as file:
        file.truncate(16 << 20)
    daemon = subprocess.Popen(["tgtd", "-f", "-C", CONTROL, "--iscsi", f"portal=127.0.0.1:{PORT}"], stderr=subprocess.DEVNULL)
    try:
        time.sleep(1)
        for words in (
            f"--mode target --op new --tid 1 -T {IQN}",
            f"--mode logicalunit --op new --tid 1 --lun 1 -b {disk}",
            "--mode account --op new --user hvtest --password twelve-chars1",
            "--mode account --op bind --tid 1 --user hvtest",
            "--mode target --op bind --tid 1 -I ALL",
        ):
            subprocess.run(["tgtadm", "-C", CONTROL, "--lld", "iscsi", *words.split()], check=True, timeout=20)
        yield disk
    finally:
        daemon.kill()
        daemon.wait(10)


def declared(**changed: Any) -> HostSpec:
    data = {
        "hypervisor_pool": POOL, "data_attach": "network", "iscsi_address": "127.0.0.1", "iscsi_port": PORT, "iscsi_lun": 1,
        "vm_nics": [{"network": "default"}], "vm_memory": "512 MiB", "vm_accel": "emulated", "vm_autostart": False,
        "data_serial": "hvtest-data", "vm_shutdown_timeout": "1 second", **CHAP,
    }  # fmt: skip
    return make_spec(HOST, **{**data, **changed})


@pytest.fixture
def net(hypervisor: Hypervisor) -> Iterator[str]:
    xml = """<network><name>hvtest-net</name><bridge name='hvtest0'/><ip address='192.168.199.1' netmask='255.255.255.0'>
      <dhcp><range start='192.168.199.100' end='192.168.199.150'/></dhcp></ip></network>"""
    made = hypervisor.connection.networkDefineXML(xml)
    made.create()
    hypervisor.forget()
    yield "hvtest-net"
    made.destroy()
    made.undefine()
    hypervisor.forget()


def test_kvm_is_believed_only_when_a_guest_runs(hypervisor: Hypervisor) -> None:
    assert kvm.runs(hypervisor, "qemu")  # the probe itself works
    assert not kvm.runs(hypervisor, "qemu", seconds=0)  # and can say no
    answer = kvm.can_run_kvm(hypervisor)
    assert answer in (True, False)
    if not Path("/dev/kvm").exists():
        assert not answer
    hypervisor.forget()
    assert not [name for name in hypervisor.domains() if name.startswith("zerotoil-probe")]


def test_upload_is_whole_and_sparse(hypervisor: Hypervisor, pool: Path, tmp_path: Path) -> None:
    file, seen = tmp_path / "image", []
    with file.open("wb") as out:
        out.write(os.urandom(9 << 20))
        out.seek(200 << 20)
        out.write(b"end")
    hypervisor.storage.upload(POOL, "hvtest-image", file, lambda done, size: seen.append((done, size)))
    assert subprocess.run(["cmp", str(file), str(pool / "hvtest-image")], timeout=60).returncode == 0
    assert (pool / "hvtest-image").stat().st_blocks * 512 < 20 << 20
    assert seen[-1] == (file.stat().st_size, file.stat().st_size)
    assert len(seen) > 3


def test_no_space_is_said_before_anything_is_made(hypervisor: Hypervisor, pool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(hypervisor.storage), "available", lambda _self, _pool: 5)
    with pytest.raises(LabError, match=r"hvtest-pool has 0 B free, x needs 1 MiB"):
        hypervisor.storage.upload(POOL, "x", b"longer")
    assert hypervisor.storage.names(POOL) == frozenset()


def test_an_upload_that_fails_leaves_nothing(hypervisor: Hypervisor, pool: Path, image: Image) -> None:
    def stop(_done: int, _size: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        volumes.put_base(hypervisor, POOL, image, stop)
    assert hypervisor.storage.names(POOL) == frozenset()


def test_a_half_uploaded_image_is_recognised(
    hypervisor: Hypervisor, pool: Path, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, monkey = volumes.base_name(image), monkeypatch
    monkey.setattr(volumes, "STILL_GROWING", 0.1)
    with monkey.context() as killed:  # as a kill leaves it: all but the first block, and nobody to clean up
        killed.setattr(type(hypervisor.storage), "delete", lambda *_: None)
        with pytest.raises(KeyboardInterrupt):
            volumes.put_base(hypervisor, POOL, image, _interrupt)
    assert name in hypervisor.storage.names(POOL)
    assert volumes.put_base(hypervisor, POOL, image)
    assert subprocess.run(["cmp", str(image.path), str(pool / name)], timeout=60).returncode == 0
    assert not volumes.put_base(hypervisor, POOL, image)  # never overwritten


def test_hosts_that_start_together_upload_one_image(hypervisor: Hypervisor, pool: Path, image: Image) -> None:
    with ThreadPoolExecutor(4) as hosts:
        made = list(hosts.map(lambda _: volumes.put_base(hypervisor, POOL, image), range(4)))
    assert sorted(made) == [False, False, False, True]


def _interrupt(_done: int, _size: int) -> None:
    raise KeyboardInterrupt


def test_no_image_no_qcow2(hypervisor: Hypervisor, pool: Path, image: Image) -> None:
    image.path.write_bytes(b"not an image" * 100000)
    with pytest.raises(LabError, match="no qcow2"):
        volumes.put_base(hypervisor, POOL, image)


def test_a_volume_of_another_kind_of_pool_is_never_deleted(hypervisor: Hypervisor, pool: Path) -> None:
    hypervisor.storage.define_pool("hvtest-vm-data", render_iscsi_pool(declared(), IQN))
    try:
        with pytest.raises(HypervisorError, match="is a pool of type iscsi"):
            hypervisor.storage.delete("hvtest-vm-data", "unit:0:0:1")
    finally:
        hypervisor.connection.storagePoolLookupByName("hvtest-vm-data").undefine()
        hypervisor.forget()


def test_iscsi_pool_is_planned_and_defined(hypervisor: Hypervisor, pool: Path) -> None:
    resource = IscsiPool(declared(data_attach="block"), hypervisor, IQN)
    hypervisor.storage.define_pool(resource.name, resource._xml_keeping_uuid())
    try:
        assert {change.field for change in resource.plan()} == {"started", "autostart"}  # the definition reads back alike
        moved = IscsiPool(declared(data_attach="block", iscsi_port=3261), hypervisor, IQN)
        assert {change.field for change in moved.plan()} == {"started", "autostart", "port"}
    finally:
        hypervisor.connection.storagePoolLookupByName(resource.name).undefine()
        hypervisor.forget()


@pytest.mark.parametrize("changed", [{}, {"data_attach": "block"}, {"vm_firmware": "uefi"}, {"vm_usb": ["10c4:ea60"]}])
@pytest.mark.parametrize("domain_type", ["qemu", "kvm"])
def test_qemus_own_parser_takes_each_form(hypervisor: Hypervisor, pool: Path, changed: dict[str, Any], domain_type: str) -> None:
    made = Provisioned(domain_type, "os.qcow2", "/x.ign", "0" * 64, "44", 1)
    hypervisor.define(HOST, render_domain(declared(**changed), made, iqn=IQN))
    kept = etree.fromstring(hypervisor.domain_xml(HOST).encode())
    ports = {controller.get("index") for controller in kept.findall("devices/controller[@model='pcie-root-port']")}
    used = {f"{int(a.get('bus', '0'), 16)}" for a in kept.findall("devices/*/address[@type='pci']")}
    assert len(ports - used) == 4


def test_a_real_vm_from_nothing_to_a_second_generation(
    hypervisor: Hypervisor, pool: Path, image: Image, target: Path, net: str
) -> None:
    lab, cards = Lab(hypervisor, image), {"vm_nics": [{"network": net, "address": "192.168.199.20/24", "reserve": True}]}
    spec = declared(**cards)
    with lifecycle_events(hypervisor) as events:
        lab.apply(spec)
    assert [event for event, name in events if name == HOST and event in ("DEFINED", "STARTED")][-1] == "STARTED"
    assert lab.calls == ["image", "guard", "first start"]
    command = Path(f"/var/log/libvirt/qemu/{HOST}.log").read_text()
    assert "twelve-chars1" not in command + hypervisor.domain_xml(HOST, live=True)
    assert "name=opt/com.coreos/config,file=" in command

    before = dict(hypervisor.writes)
    with lifecycle_events(hypervisor) as events:
        assert lab.plan(spec) == [] == lab.apply(spec)
    assert (dict(hypervisor.writes), [event for event in events if event[1] == HOST]) == (before, [])

    assert {c.field for c in lab.plan(declared(iscsi_chap_secret=Secret("other-secret1"), **cards))} == {"value"}
    with pytest.raises(LabError, match="did not shut down within 1 s"):  # no guest system that could hear ACPI
        shutdown(spec, hypervisor)
    assert observed(spec, hypervisor).running
    shutdown(spec, hypervisor, force=True)

    next_one = prepare(spec, hypervisor, ignition="{}", image=image)
    assert prepare(spec, hypervisor, ignition="{}", image=image) == next_one
    switch(spec, hypervisor, next_one, lambda: "")
    lab.calls.clear()
    assert {change.field for change in lab.apply(spec)} == {"running"}
    assert lab.calls == ["guard", "first start"]
    assert observed(spec, hypervisor).generation == 2
    assert (pool / f"{HOST}-os-1.qcow2").exists()
