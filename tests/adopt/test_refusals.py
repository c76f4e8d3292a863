"""What adopting never takes over, never makes and never sends."""

from pathlib import Path

import pytest
from lxml import etree

from tests.adopt.conftest import CHAP, MATRIX, Handmade, card, disk, domain, hypervisor, specs
from zerotoil.errors import LabError
from zerotoil.model.data_volume import DataMark, VolumeState
from zerotoil.resources.nas import target_iqn
from zerotoil.resources.nas.mark import read_mark, write_mark


def test_without_consent_nothing_is_taken_over(one: Handmade) -> None:
    spec = specs(one.adopt().written.text(), vm_adopt=False)["matrix"]
    writes, of_hypervisor = one.sim.writes, dict(one.hypervisor.writes)
    refused = []
    for resource in one.resources(spec):
        try:
            resource.plan()
        except LabError as error:
            refused.append(str(error))
    assert (
        "zvol tank/vms/matrix exists and is not marked as ours: nothing was touched; declare another nas_dataset or lab_name, "
        "or adopt it (docs/guides/adopt.md)"
    ) in refused
    assert any("has a VM of that name that is not ours (it was not made by zerotoil)" in line for line in refused)
    with pytest.raises(LabError, match="exists and is not marked as ours"):
        one.apply(spec)
    assert (one.sim.writes, dict(one.hypervisor.writes)) == (writes, of_hypervisor)


@pytest.mark.parametrize("properties", [{"owner": "away/mail", "state": "data"}, {"owner": "away/mail"}], ids=["whole", "half"])
def test_a_volume_marked_as_somebody_elses_stays(one: Handmade, properties: dict[str, str]) -> None:
    spec = specs(one.adopt().written.text())["mail"]
    marks = [{"key": f"zerotoil:{name}", "value": value} for name, value in properties.items()]
    one.nas.write("pool.dataset.update", spec.zvol, {"user_properties_update": marks})
    for act in (one.plan, one.apply):
        with pytest.raises(LabError, match="zvol tank/vms/mail exists and is marked as away/mail's: nothing was touched"):
            act(spec)
    assert {refused.name: refused.reason for refused in one.adopt().refused} == {
        "mail": "its zvol tank/vms/mail is marked as away/mail's"
    }


def test_a_volume_in_somebody_elses_dataset_stays(one: Handmade) -> None:
    spec = specs(one.adopt().written.text())["mail"]
    marks = [{"key": "zerotoil:owner", "value": "away/mail"}]
    one.nas.write("pool.dataset.update", "tank/vms", {"user_properties_update": marks})
    with pytest.raises(LabError, match="zvol tank/vms/mail exists and is in a dataset that is marked as away/mail's"):
        one.apply(spec)
    assert read_mark(one.nas, spec.zvol) is None


def test_an_extent_marked_as_somebody_elses_stays(one: Handmade) -> None:
    spec = specs(one.adopt().written.text())["mail"]
    extent = next(entry for entry in one.nas.query("iscsi.extent") if entry["name"] == "mail")
    one.nas.write("iscsi.extent.update", extent["id"], {"comment": "zerotoil away/mail"})
    with pytest.raises(LabError, match="extent mail is marked as away/mail's: nothing was touched"):
        one.apply(spec)


def test_a_vm_marked_as_somebody_elses_stays(one: Handmade) -> None:
    declared = specs(one.adopt().written.text(), lab_name="away")
    one.apply(declared["matrix"])
    write_mark(one.nas, "tank/vms/matrix", DataMark("home/matrix", VolumeState.FIRST_BOOT, adopted=True))
    ours = specs(Handmade(one.sim, one.nas, one.hypervisor).adopt("mail").written.text())["mail"]
    assert ours.owner == "home/mail"
    text = one.tree("matrix")
    spec = declared["matrix"].model_copy(update={"lab": ours.lab})
    assert spec.owner == "home/matrix"
    with pytest.raises(LabError, match=r"has a VM of that name that is not ours \(it belongs to away/matrix\)"):
        one.apply(spec)
    assert etree.tostring(one.tree("matrix")) == etree.tostring(text)


def test_a_missing_vm_is_not_made(one: Handmade, tmp_path: Path) -> None:
    """Its name may be wrong, and the right one runs with the volume."""
    spec = specs(one.adopt().written.text())["mail"]
    one.hypervisor = hypervisor(tmp_path, MATRIX)
    with pytest.raises(LabError, match="no VM of that name to be adopted: check the name; for a new VM with this volume"):
        one.apply(spec)
    assert one.hypervisor.writes["define"] == 0


@pytest.mark.parametrize("devices", ["block", "network", "volume"])
def test_no_second_vm_on_a_volume(one: Handmade, tmp_path: Path, devices: str) -> None:
    """A host by a wrong name, without vm_adopt: the guard would let it boot beside the VM that has the volume mounted."""
    spec = specs(one.adopt().written.text())["photos"]
    one.apply(spec)
    iqn = target_iqn(spec, one.nas)
    one.hypervisor = hypervisor(tmp_path, domain("pictures", disk(devices, iqn=iqn) + card("03", "network:default")))
    spec = spec.model_copy(update={"vm": spec.vm.model_copy(update={"adopt": False})})
    vm = next(resource for resource in one.resources(spec) if resource.key == "VM photos")
    for act in (vm.plan, vm.apply):
        with pytest.raises(
            LabError, match="photos: its data volume is read by the VM pictures already: nothing was made; is the"
        ):
            act()


def test_a_vm_that_reads_another_volume_is_not_adopted(one: Handmade) -> None:
    spec = specs(one.adopt().written.text(), iscsi_lun=1)["matrix"]
    vm = next(resource for resource in one.resources(spec) if resource.key == "VM matrix")
    for act in (vm.plan, vm.apply):
        with pytest.raises(LabError, match="matrix: the VM reads .*:t-matrix LUN 0, declared is .*:t-matrix LUN 1: nothing was"):
            act()
    assert one.hypervisor.writes["define"] == 0


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"data_volume": "tank/vms/typo", "data_snapshot_dataset": None}, "zvol tank/vms/typo is not there to be adopted: check"),
        ({"iscsi_target": "typo", "iscsi_extent": "mail"}, "target typo is not there to be adopted: check its name in the inv"),
        ({"iscsi_extent": "typo"}, "zvol tank/vms/mail is served by the extent mail already"),
        (
            {"iscsi_chap_user": "typo", "iscsi_chap_secret": "env:NAS_KEY"},
            r"CHAP user typo \(tag 100\) is not there to be",
        ),
    ],
)
def test_what_is_missing_is_not_made(one: Handmade, changed: dict[str, str | None], what: str) -> None:
    spec = specs(one.adopt("mail").written.text(), **changed)["mail"]
    seen = len(one.sim.calls)
    with pytest.raises(LabError, match=f"^{what}"):
        one.apply(spec)
    assert not any(method.endswith(".create") for method, _ in one.sim.calls[seen:])


def test_another_chap_secret_is_refused_not_sent(one: Handmade, tmp_path: Path) -> None:
    """The running VM would be locked out at its next login."""
    (tmp_path / ".config/zerotoil/chap-secret").write_text("another-s3cret")
    spec = specs(one.adopt().written.text())["matrix"]
    with pytest.raises(LabError, match=r"CHAP user hv1 \(tag 7\): the NAS has another secret than the inventory: noth") as caught:
        one.apply(spec)
    assert "s3cret" not in str(caught.value)
    assert one.nas.query("iscsi.auth")[0]["secret"] == CHAP
