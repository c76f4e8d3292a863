"""A whole host on the NAS, in four versions and two framings: made, unchanged, mended, and never endangered."""

import json
from typing import Any

import pytest

from tests.resources.nas.conftest import apply, connect, host, plan, simulator
from zerotoil.clients.truenas import Nas
from zerotoil.errors import LabError
from zerotoil.minilab.nas import Simulator, schemas
from zerotoil.minilab.nas.memory import MemoryStorage
from zerotoil.model.data_volume import DataMark, Filesystem, VolumeState
from zerotoil.model.secret import Secret
from zerotoil.resources.nas import target_iqn
from zerotoil.resources.nas.mark import read_mark, write_mark


def test_applied_twice_writes_once(sim: Simulator, nas: Nas) -> None:
    made = apply(nas, host())
    assert {change.resource.split()[0] for change in made} >= {
        "dataset",
        "zvol",
        "target",
        "extent",
        "mapping",
        "portal",
        "service",
    }
    assert plan(nas, host()) == []
    before = sim.writes
    assert apply(connect(sim), host()) == []
    assert sim.writes == before


def test_what_is_made(nas: Nas) -> None:
    apply(nas, host(data_size="20 GiB"))
    (target,), (extent,), (mapping,) = (nas.query(f"iscsi.{kind}") for kind in ("target", "extent", "targetextent"))
    assert (target["name"], extent["disk"], mapping["lunid"]) == ("matrix", "zvol/tank/lab/matrix/data", 0)
    assert target["groups"][0]["authmethod"] == "CHAP"
    assert nas.query("iscsi.initiator")[0]["initiators"] == ["iqn.1993-08.org.debian:01:hv1"]
    (task,) = nas.query("pool.snapshottask")
    assert (task["dataset"], task["recursive"], task["lifetime_value"], task["lifetime_unit"]) == (
        "tank/lab/matrix",
        True,
        14,
        "DAY",
    )
    assert read_mark(nas, "tank/lab/matrix/data") == DataMark("home/matrix", VolumeState.BLANK)
    assert target_iqn(host(), nas).endswith(":matrix")


def test_every_call_is_valid_in_the_schemas(sim: Simulator, nas: Nas) -> None:
    calls: list[tuple[str, list[Any]]] = []
    sent = nas._framing.call

    def noting(method: str, params: list[Any]) -> Any:
        calls.append((method, json.loads(json.dumps(params))))
        return sent(method, params)

    nas._framing.call = noting  # type: ignore[method-assign]
    apply(nas, host())
    apply(nas, host(data_size="30 GiB", data_snapshot_keep="3 weeks"))
    assert any(method == "pool.snapshottask.update" for method, _ in calls)
    for method, params in calls:
        assert schemas.validate_args(nas.capabilities.version, method, params) == [], method


def test_hosts_share_a_portal_and_nothing_else(nas: Nas) -> None:
    apply(nas, host())
    apply(nas, host("other"))
    assert len(nas.query("iscsi.portal")) == len(nas.query("iscsi.auth")) == 1
    assert len(nas.query("iscsi.initiator")) == len(nas.query("iscsi.target")) == 2
    assert plan(nas, host()) == plan(nas, host("other")) == []


DRIFT = [
    ("iscsi.extent", {"comment": "changed by hand"}, "extent matrix: comment changed by hand -> zerotoil home/matrix"),
    ("iscsi.extent", {"enabled": False}, "extent matrix: enabled False -> True"),
    (
        "iscsi.initiator",
        {"initiators": []},
        "initiator group 'zerotoil home/matrix': initiators [] -> ['iqn.1993-08.org.debian:01:hv1']",
    ),
    ("pool.snapshottask", {"lifetime_value": 1}, "snapshot task tank/lab/matrix: keep 1 day -> 14 days"),
    ("pool.snapshottask", {"enabled": False}, "snapshot task tank/lab/matrix: enabled False -> True"),
    ("pool.snapshottask", {"recursive": False}, "snapshot task tank/lab/matrix: recursive False -> True"),
    ("iscsi.auth", {"secret": "another-s3cret"}, "CHAP user hv1 (tag 100): secret ******** -> ********"),
]


@pytest.mark.parametrize(("kind", "change", "line"), DRIFT, ids=[f"{kind}-{next(iter(change))}" for kind, change, _ in DRIFT])
def test_drift_is_the_only_thing_mended(sim: Simulator, nas: Nas, kind: str, change: dict[str, Any], line: str) -> None:
    apply(nas, host())
    nas.write(f"{kind}.update", nas.query(kind)[0]["id"], change)
    assert plan(nas, host()) == [line]
    before = sim.writes
    assert [str(change) for change in apply(nas, host())] == [line]
    assert sim.writes == before + 1
    assert plan(nas, host()) == []


@pytest.mark.parametrize("kind", ["iscsi.targetextent", "iscsi.target", "pool.snapshottask"])
def test_what_was_deleted_by_hand_is_made_again(nas: Nas, kind: str) -> None:
    apply(nas, host())
    nas.write(f"{kind}.delete", nas.query(kind)[0]["id"])
    assert plan(nas, host())
    apply(nas, host())
    assert plan(nas, host()) == []


def test_a_stopped_service_is_started(nas: Nas) -> None:
    apply(nas, host())
    nas.write("service.update", "iscsitarget", {"enable": False})
    assert plan(nas, host()) == ["service iscsitarget: enabled False -> True"]
    apply(nas, host())
    assert plan(nas, host()) == []


def test_neighbours_made_by_hand_stay(nas: Nas) -> None:
    nas.write("pool.dataset.create", {"name": "tank/photos", "type": "FILESYSTEM"})
    nas.write("iscsi.initiator.create", {"initiators": ["iqn.1999-01.com.example:x"], "comment": "mine"})
    nas.write("iscsi.target.create", {"name": "mine", "groups": []})
    before = [nas.query("iscsi.initiator")[0], nas.query("iscsi.target")[0]]
    apply(nas, host())
    assert [nas.query("iscsi.initiator")[0], nas.query("iscsi.target")[0]] == before


def test_a_volume_grows_and_never_shrinks(nas: Nas) -> None:
    apply(nas, host(data_size="20 GiB"))
    grown = apply(nas, host(data_size="30 GiB"))
    assert [str(change) for change in grown] == ["zvol tank/lab/matrix/data: size 20 GiB -> 30 GiB"]
    for act in (plan, apply):
        with pytest.raises(
            LabError, match='is 30 GiB, declared are 10 GiB: a volume is never shrunk: declare data_size = "30 GiB" or more'
        ):
            act(nas, host(data_size="10 GiB"))


def test_a_zvol_that_is_not_ours_is_not_touched(sim: Simulator, nas: Nas) -> None:
    wanted = {"name": "tank/lab/matrix/data", "type": "VOLUME", "volsize": 1 << 30, "sparse": True, "create_ancestors": True}
    nas.write("pool.dataset.create", wanted)
    before = sim.writes
    with pytest.raises(LabError, match="zvol tank/lab/matrix/data exists and is not marked as ours: nothing was touched"):
        plan(nas, host())
    assert sim.writes == before
    write_mark(nas, "tank/lab/matrix/data", DataMark("away/matrix", VolumeState.BLANK))
    with pytest.raises(LabError, match="is marked as away/matrix's"):
        apply(nas, host())


def test_names_taken_by_others(nas: Nas) -> None:
    apply(nas, host("other", iscsi_target="shared"))
    with pytest.raises(LabError, match="target shared is taken: it serves the extent shared"):
        apply(nas, host(iscsi_target="shared"))
    with pytest.raises(LabError, match="127.0.0.1 belongs to the NAS's portal .*: declare iscsi_portal"):
        apply(nas, host(iscsi_portal=["127.0.0.1", "0.0.0.0"]))


def test_pool_missing_and_pool_full(nas: Nas) -> None:
    with pytest.raises(LabError, match="the NAS has no pool ocean: nas_dataset starts with one of: tank"):
        plan(nas, host(nas_dataset="ocean/lab"))
    with pytest.raises(LabError, match="zvol tank/lab/matrix/data: 2 TiB do not fit into tank, which has room for 1048576 MiB"):
        plan(nas, host(data_size="2 TiB"))
    with pytest.raises(LabError, match="the NAS serves iSCSI at port 3260, declared is 3261: declare iscsi_port = 3260"):
        plan(nas, host(iscsi_port=3261))


def test_the_mark_goes_from_blank_to_data(nas: Nas) -> None:
    apply(nas, host())
    mark = DataMark("home/matrix", VolumeState.DATA, Filesystem("ext4", "data", "11111111-2222"))
    write_mark(nas, "tank/lab/matrix/data", mark)
    assert read_mark(nas, "tank/lab/matrix/data") == mark
    assert read_mark(nas, "tank/lab/nosuch/data") is None
    assert plan(nas, host()) == []


def test_masked_secrets_are_no_drift() -> None:
    with simulator("25.10") as sim:
        nas = connect(sim)
        apply(nas, host())
        sim.faults.mask_secrets = True
        nas.forget()
        assert plan(nas, host()) == []
        assert plan(nas, host(iscsi_chap_secret=Secret("another-s3cret"))) == []


def test_a_device_that_comes_late_is_waited_for() -> None:
    with simulator("25.10") as sim:
        sim.faults.late_device = 2
        nas = connect(sim)
        apply(nas, host())
        assert plan(nas, host()) == []


@pytest.mark.parametrize("version", ["24.10", "25.10"])
def test_a_service_that_does_not_start(version: str) -> None:
    with simulator(version) as sim:
        sim.faults.control_returns_false = True
        with pytest.raises(LabError, match="service.* (failed|refuses|could not start)|could not start|refuses service.start"):
            apply(connect(sim), host())


def test_a_small_pool() -> None:
    with (
        simulator("25.10", storage=MemoryStorage("tank", 10 << 30)) as sim,
        pytest.raises(LabError, match='20 GiB do not fit into tank, .*: declare data_size = "8 GiB" or less'),
    ):
        plan(connect(sim), host())
