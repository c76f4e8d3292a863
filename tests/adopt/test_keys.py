"""The keys that describe what exists: their defaults keep the old meaning, and hosts cannot contradict each other."""

from typing import Any

import pytest

from tests.conftest import RIGHT, make_spec
from zerotoil.model.inventory import declare


def problems(one: dict[str, Any], two: dict[str, Any] | None = None) -> list[str]:
    hosts = {"one": [("host data", {**RIGHT, **one})]}
    if two is not None:
        hosts["two"] = [("host data", {**RIGHT, **two})]
    return [str(problem) for problem in declare(hosts).problems]


def test_defaults() -> None:
    spec = make_spec()
    assert (spec.zvol, spec.snapshot_dataset) == ("tank/lab/matrix/data", "tank/lab/matrix")
    assert (spec.iscsi.extent, spec.iscsi.group, spec.vm.adopt, spec.data.partlabel) == ("matrix", "", False, None)
    assert make_spec(iscsi_target="other").iscsi.extent == "other"


def test_a_volume_elsewhere_is_snapshotted_itself() -> None:
    spec = make_spec(data_volume="tank/vms/matrix")
    assert (spec.zvol, spec.snapshot_dataset) == ("tank/vms/matrix", "tank/vms/matrix")
    above = make_spec(data_volume="tank/vms/matrix", data_snapshot_dataset="tank/vms")
    assert above.snapshot_dataset == "tank/vms"


@pytest.mark.parametrize("label", ["a" * 37, "a b", "a/b", "", "-a", "..", "ä"])
def test_no_partition_label(label: str) -> None:
    assert problems({"data_partlabel": label}) == [
        f"one: data_partlabel (from host data): {label!r} is not a partition label; use at most 36 of A-Z, a-z, 0-9, '.', "
        "'_', '+' and '-'"
    ]


@pytest.mark.parametrize("label", ["root", "boot", "EFI-SYSTEM", "BIOS-BOOT", "reserved"])
def test_the_oss_own_partitions_are_no_data(label: str) -> None:
    assert problems({"data_partlabel": label}) == [
        f"one: data_partlabel (from host data): {label!r} is a partition of CoreOS's own disk; give the data partition another "
        "label"
    ]


@pytest.mark.parametrize("label", ["data", "a" * 36, "Data_1.x+y-z"])
def test_partition_labels(label: str) -> None:
    assert problems({"data_partlabel": label}) == []


def test_names_of_datasets() -> None:
    line = "'/dev/sda' is not the name of a dataset; write for instance tank/vms/matrix"
    assert problems({"data_volume": "/dev/sda"}) == [f"one: data_volume (from host data): {line}"]
    assert problems({"data_snapshot_dataset": "tank/vms"}) == [
        "one: data_snapshot_dataset (from host data): tank/vms does not hold the volume tank/lab/one/data; "
        "write tank/lab/one/data, or a dataset above it"
    ]
    assert problems({"data_volume": "tank/vms-2/x", "data_snapshot_dataset": "tank/vms"}) != []


def test_what_must_be_a_hosts_own() -> None:
    both = {"data_volume": "tank/vms/x"}
    assert problems(both, both) == [
        "two: data_volume (from host data): volume tank/vms/x is already one's; every host needs its own"
    ]
    assert problems({"iscsi_extent": "x"}, {"iscsi_extent": "x"}) == [
        "two: iscsi_extent (from host data): extent x is already one's; every host needs its own"
    ]


def test_what_is_shared_is_declared_alike() -> None:
    one = {"iscsi_group": "hypervisors", "data_volume": "tank/vms/a", "data_snapshot_dataset": "tank/vms"}
    two = {**one, "data_volume": "tank/vms/b"}
    assert problems(one, two) == []
    assert problems(one, {**two, "iscsi_initiators": ["iqn.2000-01.lan:b"]}) == [
        "two: iscsi_initiators (from host data): the initiator group 'hypervisors' is declared differently by one; "
        "they share it on the NAS"
    ]
    assert problems(one, {**two, "data_snapshot_keep": "3 days"}) == [
        "two: data_snapshot_schedule: the snapshot task of tank/vms (auto-%Y-%m-%d_%H-%M) is declared differently by one; "
        "they share it on the NAS"
    ]
    assert problems(one, {**two, "data_snapshot_keep": "3 days", "data_snapshot_naming": "b-%Y%m%d%H%M"}) == []
