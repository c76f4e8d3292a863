"""Disks of a running VM, plugged in and out: on the stand-in of tests/hotplug.py."""

from pathlib import Path

import pytest
from lxml import etree

from tests.conftest import make_spec
from tests.hotplug import HotPlug, hotplug
from tests.resources.hypervisor.conftest import IQN, NODE
from zerotoil.clients.hypervisor import HypervisorError
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.render.domain import Provisioned, render_domain
from zerotoil.resources.hypervisor import hot_disk
from zerotoil.resources.hypervisor.hot_disk import attach, detach, live_disks

DATA = "matrix-data"


def disk(serial: str = "second", lun: int = 7, dev: str = "") -> str:
    target = f"<target dev='{dev}' bus='virtio'/>" if dev else ""
    source = f"<source protocol='iscsi' name='{IQN}/{lun}'><host name='192.0.2.10' port='3260'/></source>"
    return f"<disk type='network' device='disk'><driver name='qemu' type='raw'/>{source}{target}<serial>{serial}</serial></disk>"


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HotPlug:
    """One VM that is on."""
    monkeypatch.setattr(hot_disk, "_LOOK_SECONDS", 0.0)
    spec = make_spec(data_attach="network")
    made = Provisioned("test", "matrix-os-1.qcow2", "/matrix.ign", "0" * 64, "44", 1)
    node = tmp_path / "node.xml"
    node.write_text(NODE.replace("</node>", f"{render_domain(spec, made, iqn=IQN)}</node>"))
    return hotplug(node)


def target(hypervisor: HotPlug, serial: str) -> str:
    element = live_disks(hypervisor, "matrix")[serial].find("target")
    assert element is not None
    return element.get("dev", "")


def defined(running: HotPlug) -> str:
    """The data disk as the VM's definition has it."""
    (found,) = etree.fromstring(running.domain_xml("matrix").encode()).xpath(f"devices/disk[serial='{DATA}']")
    return etree.tostring(found, encoding="unicode")


def test_out_and_in_again_as_it_was(running: HotPlug) -> None:
    running.slow = 3
    definition = running.domain_xml("matrix")
    before = etree.tostring(live_disks(running, "matrix")[DATA])
    detach(running, "matrix", DATA)
    assert set(live_disks(running, "matrix")) == {"os"}, "it waited until the guest let go"
    assert running.writes["detach"] == 1, "asked once, however often it looked"
    attach(running, "matrix", defined(running))
    assert etree.tostring(live_disks(running, "matrix")[DATA]) == before
    assert running.domain_xml("matrix") == definition, "the definition is never touched"


def test_a_request_that_the_guest_did_not_hear_is_repeated(running: HotPlug, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hot_disk, "_AGAIN", 0.01)
    running.deaf = 2
    detach(running, "matrix", DATA)
    assert running.writes["detach"] == 3
    assert DATA not in live_disks(running, "matrix")


def test_a_guest_that_does_not_let_go(running: HotPlug, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hot_disk, "_SECONDS", 0.05)
    running.deaf = 1000
    with pytest.raises(LabError, match="the guest does not let go of the disk matrix-data") as caught:
        detach(running, "matrix", DATA)
    assert caught.value.code is Code.DISK_NOT_RELEASED
    assert DATA in live_disks(running, "matrix")


def test_a_disk_that_it_does_not_have(running: HotPlug) -> None:
    with pytest.raises(LabError, match="has no disk nosuch") as caught:
        detach(running, "matrix", "nosuch")
    assert (caught.value.code, running.writes["detach"]) == (Code.DISK_NOT_ATTACHED, 0)


def test_plugged_in_once(running: HotPlug) -> None:
    attach(running, "matrix", disk())
    attach(running, "matrix", disk())
    assert running.writes["attach"] == 1
    assert set(live_disks(running, "matrix")) == {"os", DATA, "second"}


def test_another_disk_under_the_serial_is_refused(running: HotPlug) -> None:
    attach(running, "matrix", disk())
    with pytest.raises(LabError, match="another disk with the serial second is attached") as caught:
        attach(running, "matrix", disk(lun=8))
    assert caught.value.code is Code.DISK_NOT_ATTACHED
    assert running.writes["attach"] == 1


@pytest.mark.parametrize("wanted", ["", "vdb", "vdc"])
def test_it_gets_a_name_that_is_free(running: HotPlug, wanted: str) -> None:
    attach(running, "matrix", disk(dev=wanted))
    assert target(running, "second") == "vdc"
    attach(running, "matrix", disk("third", dev=wanted))
    assert target(running, "third") == "vdd"


def test_the_data_disks_name_stays_free_while_it_is_out(running: HotPlug) -> None:
    """At its next start the VM has it again."""
    detach(running, "matrix", DATA)
    attach(running, "matrix", disk(dev="vdb"))
    assert target(running, "second") == "vdc"
    attach(running, "matrix", defined(running))
    assert target(running, DATA) == "vdb"


def test_an_answer_is_not_believed(running: HotPlug) -> None:
    running.ignores = True
    with pytest.raises(LabError, match="attached the disk second, but it is not there") as caught:
        attach(running, "matrix", disk())
    assert caught.value.code is Code.CHANGE_NOT_MADE


def test_no_port_is_left(running: HotPlug) -> None:
    running.ports = 0
    with pytest.raises(HypervisorError, match="No more available PCI slots"):
        attach(running, "matrix", disk())
    assert set(live_disks(running, "matrix")) == {"os", DATA}


def test_a_restart_forgets_what_was_plugged_in(running: HotPlug) -> None:
    attach(running, "matrix", disk())
    running.power_off("matrix")
    running.start("matrix")
    assert set(live_disks(running, "matrix")) == {"os", DATA}
