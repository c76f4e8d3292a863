"""Volumes beside a host's data, on every version of the NAS: a LUN more each, never lost, never renumbered, never deleted."""

from typing import Any

import pytest

from tests.resources.nas.conftest import apply, host, plan
from zerotoil.clients.truenas import Nas
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.minilab.nas import Simulator
from zerotoil.model.data_volume import DataMark, VolumeState
from zerotoil.resources.nas import nas_resources
from zerotoil.resources.nas.deletion import delete, doomed
from zerotoil.resources.nas.manual import Manual
from zerotoil.resources.nas.mark import read_mark
from zerotoil.resources.resource import Risk

MEDIA, DB = {"size": "2 GiB", "filesystem": "xfs"}, {"size": "1 GiB", "blocksize": "16 KiB"}
MORE = {"media": MEDIA, "db": DB}
DATASET = "tank/lab/matrix"


def luns(nas: Nas) -> dict[str, int]:
    """The LUN of each extent, of one target."""
    (target,) = nas.query("iscsi.target")
    names = {extent["id"]: extent["name"] for extent in nas.query("iscsi.extent")}
    return {names[m["extent"]]: m["lunid"] for m in nas.query("iscsi.targetextent") if m["target"] == target["id"]}


def refused(nas: Nas, code: Code, **keys: Any) -> str:
    with pytest.raises(LabError) as caught:
        plan(nas, host(**keys))
    assert caught.value.code is code, caught.value
    return str(caught.value)


def test_they_are_made_beside_the_data_and_then_nothing_is_left(nas: Nas, sim: Simulator) -> None:
    spec = host(data_more=MORE)
    apply(nas, spec)
    assert plan(nas, spec) == []
    assert luns(nas) == {"matrix": 0, "matrix-media": 1, "matrix-db": 2}
    (target,) = sim.nas.targets.applied  # type: ignore[attr-defined]
    assert {lun: str(one.path).rpartition("/")[2] for lun, one in target.luns.items()} == {0: "data", 1: "media", 2: "db"}
    for name in ("data", "media", "db"):
        assert read_mark(nas, f"{DATASET}/{name}") == DataMark(spec.owner, VolumeState.BLANK)
    sizes = {entry["id"]: entry["volblocksize"]["value"] for entry in nas.query("pool.dataset", ["pool", "=", "tank"])
             if entry["type"] == "VOLUME"}  # fmt: skip
    assert sizes[f"{DATASET}/db"] == "16K"


def test_one_is_added_to_a_host_that_is_there(nas: Nas) -> None:
    apply(nas, host())
    changes = plan(nas, host(data_more=MORE))
    assert changes and all("media" in change or "db" in change for change in changes)
    risks = {change.resource: change.risk for one in nas_resources(host(data_more=MORE), nas) for change in one.plan()}
    assert risks["mapping matrix / matrix-media"] == Risk.RESTART, "the connections of the target may restart"
    apply(nas, host(data_more=MORE))
    assert luns(nas) == {"matrix": 0, "matrix-media": 1, "matrix-db": 2}


def test_a_comment_changed_by_hand_is_mended_as_on_any_extent(nas: Nas) -> None:
    apply(nas, host(data_more=MORE))
    (extent,) = nas.found("iscsi.extent", "name", "matrix-media")
    nas.write("iscsi.extent.update", extent["id"], {"comment": "mine now"})
    assert len(plan(nas, host(data_more=MORE))) == 1
    apply(nas, host(data_more=MORE))
    assert plan(nas, host(data_more=MORE)) == []


def test_the_schedule_of_the_host_and_a_snapshot_on_demand_cover_them(nas: Nas) -> None:
    spec = host(data_more=MORE)
    apply(nas, spec)
    (task,) = nas.query("pool.snapshottask")
    assert (task["dataset"], task["recursive"]) == (DATASET, True)
    paths = [f"{DATASET}/{name}" for name in ("data", "media", "db")]
    manual = Manual(nas, DATASET, paths, "manual-2026-11-26_10-00-00", {})
    manual.check(manual.take())
    found = nas.query(nas.capabilities.snapshots, ["pool", "=", "tank"])
    assert {entry["dataset"] for entry in found} == {DATASET, *paths}


def test_it_grows_and_never_shrinks(nas: Nas) -> None:
    apply(nas, host(data_more=MORE))
    larger = host(data_more={**MORE, "media": {**MEDIA, "size": "3 GiB"}})
    assert plan(nas, larger) == [f"zvol {DATASET}/media: size 2 GiB -> 3 GiB"]
    apply(nas, larger)
    said = refused(nas, Code.VOLUME_SHRINKS, data_more=MORE)
    assert 'declare the size of "media" in data_more = "3 GiB" or more' in said


def test_one_that_is_declared_no_more_stays_and_hinders_nobody(nas: Nas, sim: Simulator) -> None:
    apply(nas, host(data_more=MORE))
    before = sim.writes
    assert plan(nas, host()) == [] and apply(nas, host()) == []
    assert sim.writes == before and luns(nas) == {"matrix": 0, "matrix-media": 1, "matrix-db": 2}


def test_a_number_never_changes_and_is_never_taken_by_another(nas: Nas) -> None:
    apply(nas, host(data_more=MORE))
    said = refused(nas, Code.LUN_TAKEN, data_more={"db": DB})
    assert said == (
        "mapping matrix / matrix-db: it is LUN 2, declared is 1: the LUN of a volume never changes: "
        'nothing was touched; write "lun": 2 for it in data_more'
    )
    assert plan(nas, host(data_more={"db": {**DB, "lun": 2}})) == []
    said = refused(nas, Code.LUN_TAKEN, data_more={"db": {**DB, "lun": 2}, "new": {"size": "1 GiB", "lun": 1}})
    assert "LUN 1 is that of the extent matrix-media already" in said


def test_a_target_that_serves_somebody_elses_volume_is_still_refused(nas: Nas) -> None:
    apply(nas, host(data_more=MORE))
    (extent,) = nas.found("iscsi.extent", "name", "matrix-db")
    nas.write("iscsi.extent.update", extent["id"], {"comment": "mine"})
    assert "is taken: it serves the extent matrix-db" in refused(nas, Code.TARGET_TAKEN)


@pytest.mark.parametrize("by", ["served", "used"])
def test_one_that_is_lost_is_never_made_anew_empty(nas: Nas, sim: Simulator, by: str) -> None:
    spec = host(data_more=MORE)
    apply(nas, spec)
    sim.storage.destroy(f"{DATASET}/media")
    if by == "used":
        (extent,) = nas.found("iscsi.extent", "name", "matrix-media")
        nas.write("iscsi.extent.delete", extent["id"], False, True)
    nas.forget()
    before = sim.writes
    with pytest.raises(LabError, match=f"zvol {DATASET}/media is gone") as caught:
        [r.apply() for r in nas_resources(spec, nas, more_used=lambda volume: by == "used" and volume.name == "media")]
    assert caught.value.code is Code.VOLUME_GONE and sim.writes == before


def test_deleting_one_leaves_the_target_to_the_others(nas: Nas) -> None:
    spec = host(data_more=MORE)
    apply(nas, spec)
    path = f"{DATASET}/media"
    found = doomed(nas, path, spec.owner)
    assert (found.targets, found.luns, [name for _, name in found.extents]) == ((), {1}, ["matrix-media"])
    delete(nas, path, spec.owner, path)
    assert luns(nas) == {"matrix": 0, "matrix-db": 2}
    for path in (f"{DATASET}/data", f"{DATASET}/db"):
        delete(nas, path, spec.owner, path)
    assert nas.query("iscsi.target") == []
