"""Leaving: the VM goes and its data stays, is listed, and is found again by the next deploy."""

import threading
from typing import Any

import pytest

from tests.layers.conftest import FILESYSTEM
from tests.workflows.conftest import CONTENT, Machine, make_machine
from tests.workflows.conftest import pretend_lab as pretend_lab
from zerotoil.clients import device
from zerotoil.clients.hypervisor import HypervisorError, network
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.model.data_volume import DataMark, Finding, VolumeState
from zerotoil.workflows.destroy import destroy, foreseen, staying
from zerotoil.workflows.migrate import migrate

OURS = DataMark("home/matrix", VolumeState.DATA, FILESYSTEM)
FIXED = {"vm_nics": [{"network": "default", "address": "192.168.122.20/24", "reserve": True}]}
ON_NAS = ("iscsi.target", "iscsi.extent", "iscsi.targetextent", "iscsi.initiator", "pool.snapshottask", "pool.dataset")


def on_nas(machine: Machine) -> dict[str, Any]:
    machine.site.nas.forget()
    return {kind: machine.site.nas.query(kind, *([["pool", "=", "tank"]] if kind == "pool.dataset" else [])) for kind in ON_NAS}


def in_pool(machine: Machine) -> set[str]:
    machine.site.hypervisor.forget()
    return {name for name in machine.site.hypervisor.storage.names("default") if name.startswith("matrix")}


def test_the_vm_goes_and_the_next_deploy_finds_the_data(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate(machine.site)
    before, base = on_nas(machine), machine.site.hypervisor.storage.names("default") - in_pool(machine)
    gone = destroy(machine.site)
    assert [name.partition("/")[2] or name for name in gone][:3] == ["VM matrix", "matrix-os-1.qcow2", "matrix-os-2.qcow2"]
    assert in_pool(machine) == set() and "matrix" not in machine.site.hypervisor.domains()
    assert machine.site.hypervisor.storage.names("default") == base, "base images are shared"
    assert on_nas(machine) == before and machine.data() == (OURS, CONTENT)
    assert destroy(machine.site) == []

    again = machine.lab.site(vm_boot_timeout="1 second")
    monkeypatch.undo()  # the real guard, which reads the volume
    monkeypatch.setattr(device, "probe", lambda _spec, _iqn: Finding(filesystem=FILESYSTEM))
    monkeypatch.setattr(Site, "image", lambda _site: machine.lab_image)
    monkeypatch.setenv("ZEROTOIL_CACHE", str(machine.lab.folder / "cache"))
    machine.lab.apply(again)
    assert machine.running and machine.data() == (OURS, CONTENT)
    assert on_nas(machine) == before


def test_what_stays_is_listed(machine: Machine) -> None:
    migrate(machine.site)
    assert staying(machine.site) == [
        "the volume tank/lab/matrix/data stays (20 GiB, 0 MiB used), with 1 snapshot",
        "the target iqn.2005-10.org.freenas.ctl:matrix, its extent matrix and their mapping stay",
        "run the deploy again: the volume is found by its mark, and a new VM gets it",
    ]


def test_the_reservation_goes_and_those_of_others_stay(pretend_lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = make_machine(pretend_lab, monkeypatch, **FIXED)
    hypervisor = machine.site.hypervisor
    other = "<host mac='52:54:00:00:00:99' name='other' ip='192.168.122.99'/>"
    network.update_dhcp_host(hypervisor, "default", add=True, host=other)
    assert any(name.startswith("DHCP reservation default 52:54:00:") for name in destroy(machine.site))
    text = network.network_xml(hypervisor, "default")
    assert "192.168.122.99" in text and "192.168.122.20'" not in text


@pytest.mark.parametrize("number", range(4))
def test_cut_off_a_second_run_removes_the_rest(machine: Machine, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    migrate(machine.site)
    hypervisor, calls = machine.site.hypervisor, []
    write = hypervisor.write

    def cut(kind: str, *rest: Any) -> Any:
        if kind in ("undefine", "delete"):
            calls.append(kind)
            if len(calls) > number:
                raise KeyboardInterrupt
        return write(kind, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(hypervisor, "write", cut)
        with pytest.raises(KeyboardInterrupt):
            destroy(machine.site)
    destroy(machine.site)
    assert in_pool(machine) == set() and foreseen(machine.site) == []
    assert machine.data() == (OURS, CONTENT)


def test_a_guest_that_does_not_shut_down_is_left(machine: Machine) -> None:
    machine.deaf = {1}
    with pytest.raises(LabError) as caught:
        destroy(machine.site)
    assert caught.value.code is Code.SHUTDOWN_TIMEOUT
    assert machine.running and machine.os_disks() == ["matrix-os-1.qcow2"]


def test_a_guest_that_goes_off_while_it_is_asked_to(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """libvirt refuses, since the VM is going, and calls it running for a moment more."""
    hypervisor = machine.site.hypervisor

    def going(name: str) -> None:
        threading.Timer(0.7, hypervisor.power_off, [name]).start()
        raise HypervisorError("hypervisor: shut down VM matrix: domain is not running", code=Code.HYPERVISOR_REFUSED)

    monkeypatch.setattr(hypervisor, "press_power", going)
    destroy(machine.site)
    assert in_pool(machine) == set() and machine.data() == (OURS, CONTENT)


def test_an_os_disk_that_another_vm_uses_stays(machine: Machine) -> None:
    disk = "<disk type='volume' device='disk'><source pool='default' volume='matrix-os-1.qcow2'/><target dev='vda'/></disk>"
    other = (
        f"<domain type='test'><name>other</name><memory>1024</memory><os><type>hvm</type></os><devices>{disk}</devices></domain>"
    )
    machine.site.hypervisor.define("other", other)
    with pytest.raises(LabError) as caught:
        destroy(machine.site)
    assert caught.value.code is Code.STILL_IN_USE
    assert machine.running, "nothing was begun"
    assert machine.os_disks() == ["matrix-os-1.qcow2"]
