"""Adopt, write the inventory, load it, plan, apply, plan again: nothing is lost, restarted or made a second time."""

import ast
from pathlib import Path

import pytest
from lxml import etree

from tests.adopt.conftest import BASE, CHAP, HV, MAIL, MATRIX, PHOTOS, Handmade, card, disk, domain, hypervisor, specs
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.model.data_volume import DataMark, VolumeState
from zerotoil.model.inventory import declare
from zerotoil.resources.hypervisor import pending
from zerotoil.resources.nas import target_iqn
from zerotoil.resources.nas.mark import read_mark, write_mark
from zerotoil.workflows.rebuild import rebuild

GAINS = {
    "matrix": [
        "zvol tank/vms/matrix: owner unmarked -> home/matrix (safe)",
        "zvol tank/vms/matrix: state unmarked -> first-boot, adopted (safe)",
        "VM matrix: mark none -> home/matrix, adopted (safe)",
        "VM matrix: data disk driver@error_policy None -> stop (restart)",
    ],
    "mail": [
        "zvol tank/vms/mail: owner unmarked -> home/mail (safe)",
        "zvol tank/vms/mail: state unmarked -> first-boot, adopted (safe)",
        "extent mail: comment  -> zerotoil home/mail (safe)",
        "VM mail: mark none -> home/mail, adopted (safe)",
    ],
    "photos": [
        "zvol tank/media/photos: owner unmarked -> home/photos (safe)",
        "zvol tank/media/photos: state unmarked -> first-boot, adopted (safe)",
        "snapshot task tank/media/photos: create schedule 0 2 * * * (safe)",
        "snapshot task tank/media/photos: create keep 14 days (safe)",
        "snapshot task tank/media/photos: create recursive True (safe)",
        "snapshot task tank/media/photos: create enabled True (safe)",
        "snapshot task tank/media/photos: create hours 00:00-23:59 (safe)",
        f"initiator group 'zerotoil home/photos': create initiators ['{HV}'] (safe)",
        "target photos: access ['portal 127.0.0.1, None, NONE -'] -> "
        "[\"portal 127.0.0.1, initiator group 'zerotoil home/photos', NONE -\"] (restart)",
        "extent photos: comment  -> zerotoil home/photos (safe)",
        "VM photos: mark none -> home/photos, adopted (safe)",
        "VM photos: data disk driver@error_policy None -> stop (restart)",
    ],
}
OF_THE_NAS = ("iscsi.target", "iscsi.extent", "iscsi.targetextent", "iscsi.portal", "iscsi.auth")


def shape(tree: etree._Element) -> list[str]:
    """All of a definition but our mark and the policy that adopting adds."""
    for mark in tree.findall("metadata"):
        tree.remove(mark)
    for driver in tree.findall("devices/disk/driver"):
        driver.attrib.pop("error_policy", None)
    return [line for line in etree.tostring(tree, encoding="unicode").splitlines() if line.strip()]


def test_reading_writes_nothing(lab: Handmade) -> None:
    writes, of_hypervisor = lab.sim.writes, dict(lab.hypervisor.writes)
    found = lab.adopt()
    assert {vm.name for vm, _ in found.found} == {"matrix", "mail", "photos"} and found.refused == []
    assert (lab.sim.writes, dict(lab.hypervisor.writes)) == (writes, of_hypervisor)


def test_the_plan_is_what_the_owner_gains_and_then_empty(lab: Handmade) -> None:
    found = lab.adopt()
    assert found.plans == GAINS
    before = {name: lab.tree(name) for name in GAINS}
    ids = {kind: [entry["id"] for entry in lab.nas.query(kind)] for kind in OF_THE_NAS}
    volumes = {entry["id"]: entry["volsize"] for entry in lab.nas.query("pool.dataset") if entry["type"] == "VOLUME"}
    seen = len(lab.sim.calls)
    declared = specs(found.written.text())
    for name, spec in declared.items():
        assert lab.plan(spec) == GAINS[name]
        lab.apply(spec)
        assert lab.plan(spec) == []
        zvol = read_mark(lab.nas, spec.zvol)
        assert zvol == DataMark(f"home/{name}", VolumeState.FIRST_BOOT, adopted=True)
        assert lab.tree(name).findtext("uuid") == before[name].findtext("uuid")
        assert shape(lab.tree(name)) == shape(before[name])  # disks, cards, VNC password, boot order: all of it
        waiting = [str(change) for change in pending(spec, lab.hypervisor, target_iqn(spec, lab.nas))]
        assert waiting == ([] if name == "mail" else [f"VM {name}: data disk driver@error_policy None -> stop"])
    called = [method for method, _ in lab.sim.calls[seen:]]
    assert not {f"{kind}.create" for kind in OF_THE_NAS} & set(called)
    assert "pool.dataset.create" not in called and not any("delete" in method for method in called)
    assert {kind: [entry["id"] for entry in lab.nas.query(kind)] for kind in OF_THE_NAS} == ids
    assert {entry["id"]: entry["volsize"] for entry in lab.nas.query("pool.dataset") if entry["type"] == "VOLUME"} == volumes
    assert set(lab.hypervisor.writes) == {"define"}  # never started, never stopped, no volume made


def test_a_second_deploy_writes_nothing(one: Handmade) -> None:
    declared = specs(one.adopt().written.text())
    for spec in declared.values():
        one.apply(spec)
    writes, of_hypervisor = one.sim.writes, dict(one.hypervisor.writes)
    for spec in declared.values():
        assert one.apply(spec) == []
    assert (one.sim.writes, dict(one.hypervisor.writes)) == (writes, of_hypervisor)
    assert [refused.reason for refused in one.adopt().refused] == [
        f"it carries zerotoil's mark already (home/{name})" for name in ("mail", "matrix", "photos")
    ]


def test_an_adopted_vm_follows_the_inventory(one: Handmade) -> None:
    """What is declared of it changes, at its next start; what is not declared stays."""
    text = one.adopt("matrix").written.text()
    one.apply(specs(text)["matrix"])
    before = shape(one.tree("matrix"))
    more = specs(text, vm_cpus=5)["matrix"]
    assert one.plan(more) == ["VM matrix: cpus 3 -> 5 (restart)"]
    one.apply(more)
    after = shape(one.tree("matrix"))
    assert [line for line in after if line not in before] == ['  <vcpu placement="static">5</vcpu>']
    assert "start" not in one.hypervisor.writes
    last = specs(text, vm_cpus=6, vm_adopt=False)["matrix"]  # the VM's own mark says that it was adopted
    assert one.plan(last)[-1:] == ["VM matrix: cpus 5 -> 6 (restart)"]
    assert not any("Ignition" in line or "OS disk" in line or "CHAP" in line or "pool" in line for line in one.plan(last))


def test_an_adoption_that_was_cut_off_is_found_again(one: Handmade) -> None:
    write_mark(one.nas, "tank/vms/mail", DataMark("home/mail", VolumeState.FIRST_BOOT, adopted=True))
    assert one.adopt("mail").plans["mail"] == [line for line in GAINS["mail"] if not line.startswith("zvol")]


def test_other_metadata_stays(one: Handmade, tmp_path: Path) -> None:
    note = "<metadata><app:note xmlns:app='urn:lan:app'>mine</app:note></metadata>"
    one.hypervisor = hypervisor(tmp_path, MATRIX.replace("<memory", note + "<memory"))
    one.apply(specs(one.adopt().written.text())["matrix"])
    assert [str(etree.QName(entry).localname) for entry in one.tree("matrix").iterfind("metadata/*")] == ["note", "host"]


def test_a_rebuild_of_an_adopted_vm_is_refused(one: Handmade, tmp_path: Path) -> None:
    spec = specs(one.adopt().written.text())["matrix"]
    one.apply(spec)
    with pytest.raises(LabError, match="matrix: the VM was adopted, its OS disk is not zerotoil's: zerotoil migrate matrix"):
        rebuild(Site(spec, tmp_path))


def test_a_vm_that_is_off_is_started_without_a_first_boot(one: Handmade) -> None:
    """An adopted VM booted long ago: neither the guard nor the note of a first boot is asked (both would raise here)."""
    one.hypervisor.power_off("mail")
    found = one.adopt("mail")
    assert found.plans["mail"][-1] == "power of VM mail: running False -> True (safe)"
    spec = specs(found.written.text())["mail"]
    one.apply(spec)
    assert one.hypervisor.is_running("mail") and one.plan(spec) == []


def test_an_initiator_that_is_not_known_is_left_to_the_owner(one: Handmade, tmp_path: Path) -> None:
    """A guess would lock the VM out; without the key the inventory is not accepted."""
    one.hypervisor = hypervisor(tmp_path, MAIL)
    target = next(entry for entry in one.nas.query("iscsi.target") if entry["name"] == "mail")
    access = {"portal": target["groups"][0]["portal"], "initiator": None, "authmethod": "NONE", "auth": None}
    one.nas.write("iscsi.target.update", target["id"], {"name": "mail", "groups": [access]})
    found = one.adopt()
    assert found.plans == {"mail": ["no plan before this is filled in: iscsi_initiators"]}
    assert (
        "# not known: iscsi_initiators, without which nobody could log in; on the hypervisor: cat /etc/i" in found.written.text()
    )
    problems = declare({"mail": found.written.layers("mail")}).problems
    assert [str(problem) for problem in problems] == [
        "mail: iscsi_initiators: missing; IQNs of the hypervisor; nobody else may log in"
    ]


def test_the_inventory_holds_no_secret_and_marks_what_is_not_known(one: Handmade) -> None:
    text = one.adopt().written.text()
    assert CHAP not in text and "abcdefghijklmnop" not in text and "kept" not in text
    ast.parse(text)
    for line in (
        '# not known: put the secret there (mode 0600)\n            "iscsi_chap_secret": "file:~/.config/zerotoil/chap-secret",',
        '# not known: what the guest mounts at /var/mnt/data (ext4 or xfs), and its label\n        "data_filesystem": "ext4",',
        '            # the disk has no serial: it gets this one with its next OS\n            "data_serial": "matrix-data",',
        "            # the disk /pool/seed.iso: it stays, and is not declared\n",
        '            # by this line you agree that zerotoil takes over this VM and its volume\n            "vm_adopt": True,',
        '{"network": "default", "mac": "52:54:00:00:00:01", "address": "192.168.122.21/24", "reserve": True}',
        '            "vm_usb": ["10c4:ea60"],',
        '            "vm_pci": ["0000:01:00.0"],',
        '        "hypervisor_pool": "vms",',
        '        "nas_api_key": "env:NAS_KEY",',
    ):
        assert line in text


def test_the_rest_is_written_when_some_cannot_be_adopted(one: Handmade, tmp_path: Path) -> None:
    net = card("09", "network:default")
    others = {
        "Legacy_VM": (disk("block"), "its name is no host name (a-z, 0-9 and '-'): virsh domrename gives it another"),
        "files": ("", "it has no iSCSI disk (it reads /pool/files.qcow2)"),
        "twins": (
            disk("network") + disk("block", lun=1).replace("vdb", "vdc"),
            "it has 2 iSCSI disks, zerotoil keeps one per VM",
        ),
        "stray": (disk("network", iqn="iqn.2001-01.lan.else:x"), "the NAS has no target iqn.2001-01.lan.else:x"),
        "lun": (disk("network", lun=5), "the target t-matrix serves no LUN 5"),
        "clone": (disk("network"), "data_volume: volume tank/vms/matrix is already matrix's; every host needs its own"),
        "tiny": (disk("block", iqn=f"{BASE}:mail", lun=3), "vm_memory: memory is a whole number of MiB, at least 512 MiB"),
    }  # fmt: skip
    made = [domain(name, devices + net, memory=1024 if name == "tiny" else 3 << 20) for name, (devices, _) in others.items()]
    one.hypervisor = hypervisor(tmp_path, MATRIX, PHOTOS, *made)
    found = one.adopt("matrix", "photos", *others)
    assert [vm.name for vm, _ in found.found] == ["matrix", "photos"]
    reasons = {refused.name: refused.reason for refused in found.refused}
    assert reasons.keys() == others.keys()
    for name, (_, reason) in others.items():
        assert reasons[name].startswith(reason), name
    assert list(specs(found.written.text())) == ["matrix", "photos"]
