"""What serves a snapshot beside the data is made and taken apart, and nothing else ever is: on four versions of the NAS."""

from typing import Any

import pytest

from tests.resources.nas.conftest import apply, host
from zerotoil.clients.truenas import Nas
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.minilab.nas import Simulator
from zerotoil.minilab.nas.middleware import METHODS
from zerotoil.model.restore import Restore
from zerotoil.resources.nas import patience
from zerotoil.resources.nas.beside import make_clone, served
from zerotoil.resources.nas.dropping import Dropping

VOLUME = "tank/lab/matrix/data"
CLONE = f"{VOLUME}-restore-x"
SPEC = host()
X = Restore(SPEC, "x")


@pytest.fixture(autouse=True)
def with_snapshot(sim: Simulator, nas: Nas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_LOOK_SECONDS", 0.0)
    apply(nas, SPEC)
    sim.storage.snapshot([f"{VOLUME}@a"], {})
    nas.forget()


def make(nas: Nas) -> None:
    parts = served(nas, X, VOLUME, f"{VOLUME}@a")
    make_clone(parts)
    for part in (parts.extent, parts.target, parts.mapping):
        part.apply()


def drop(nas: Nas) -> list[str]:
    one = Dropping(X, served(nas, X, VOLUME), [VOLUME])
    would = one.check()
    for step in (one.mapping, one.target, one.extent, one.clone):
        step()
    return would


def state(sim: Simulator) -> Any:
    tables = ("iscsi.target", "iscsi.extent", "iscsi.targetextent", "iscsi.portal", "iscsi.initiator", "iscsi.auth")
    rows = {table: [dict(row) for row in sim.nas.state.rows(table)] for table in tables}
    return rows, [(d.name, d.local, d.origin) for d in sim.storage.datasets()], [s.name for s in sim.storage.snapshots()]


def test_made_and_taken_apart(sim: Simulator, nas: Nas) -> None:
    before = state(sim)
    make(nas)
    extent = next(row for row in sim.nas.state.rows("iscsi.extent") if row["name"] == "matrix-restore-x")
    target, own = (next(r for r in sim.nas.state.rows("iscsi.target") if r["name"] == n) for n in ("matrix-restore-x", "matrix"))
    assert (extent["disk"], extent["ro"], extent["comment"]) == (f"zvol/{CLONE}", False, "zerotoil home/matrix restore x")
    assert target["groups"] == own["groups"], "the same portal, initiators and credentials"
    writes = sim.writes
    make(nas)
    assert sim.writes == writes, "the second time nothing is written"
    sim.storage.snapshot([f"{CLONE}@auto-1", f"{CLONE}@auto-2", f"{VOLUME}@auto-1"], {})  # by the periodic task
    assert drop(nas) == [
        "mapping matrix-restore-x / matrix-restore-x", "target matrix-restore-x", "extent matrix-restore-x",
        f"snapshot {CLONE}@auto-1", f"snapshot {CLONE}@auto-2", f"clone {CLONE} of {VOLUME}@a",
    ]  # fmt: skip
    after = state(sim)
    assert after[:2] == before[:2]
    assert after[2] == [f"{VOLUME}@a", f"{VOLUME}@auto-1"], "the volume's own snapshots stay"
    assert drop(nas) == []
    assert not [params for name, params in sim.calls if name == "pool.dataset.delete" and params[1]["recursive"]]


def test_a_device_that_comes_late(sim: Simulator, nas: Nas, monkeypatch: pytest.MonkeyPatch) -> None:
    sim.faults.late_device = 3
    monkeypatch.setattr("zerotoil.resources.nas.targets._LOOK_SECONDS", 0.0)
    make(nas)
    assert [row["disk"] for row in sim.nas.state.rows("iscsi.extent")][-1] == f"zvol/{CLONE}"


def refused(sim: Simulator, nas: Nas, code: Code, match: str) -> None:
    """Neither as a whole nor step by step."""
    nas.forget()
    before = state(sim)
    one = Dropping(X, served(nas, X, VOLUME), [VOLUME])
    for attempt in (one.check, one.clone):
        with pytest.raises(LabError, match=match) as caught:
            attempt()
        assert caught.value.code is code
    assert state(sim) == before


@pytest.mark.parametrize("marks", [{}, {"zerotoil:owner": "home/matrix"}, {"zerotoil:owner": "home/a", "zerotoil:restore": "x"}])
def test_without_our_marks(sim: Simulator, nas: Nas, marks: dict[str, str]) -> None:
    sim.storage.clone(f"{VOLUME}@a", CLONE, marks)
    refused(sim, nas, Code.VOLUME_NOT_OURS, "does not bear the marks of this restore")


def test_with_marks_from_above(sim: Simulator, nas: Nas) -> None:
    """ZFS hands user properties down: what a dataset inherits says nothing about it."""
    sim.storage.set("tank/lab/matrix", {"zerotoil:restore": "x"})
    sim.storage.clone(f"{VOLUME}@a", CLONE, {})
    refused(sim, nas, Code.VOLUME_NOT_OURS, "owner nobody, restore none")


def test_another_name_in_the_mark(sim: Simulator, nas: Nas) -> None:
    sim.storage.clone(f"{VOLUME}@a", CLONE, {"zerotoil:owner": "home/matrix", "zerotoil:restore": "y"})
    refused(sim, nas, Code.VOLUME_NOT_OURS, "restore y")


def test_a_marked_volume_that_is_no_clone(sim: Simulator, nas: Nas) -> None:
    sim.storage.create(CLONE, {"zerotoil:owner": "home/matrix", "zerotoil:restore": "x"}, 1 << 30, 16384)
    refused(sim, nas, Code.CLONE_DIFFERS, "is no clone, not of the data of matrix")


def test_a_clone_of_something_else(sim: Simulator, nas: Nas) -> None:
    sim.storage.create("tank/other", {}, 1 << 30, 16384)
    sim.storage.snapshot(["tank/other@a"], {})
    sim.storage.clone("tank/other@a", CLONE, {"zerotoil:owner": "home/matrix", "zerotoil:restore": "x"})
    refused(sim, nas, Code.CLONE_DIFFERS, "is a clone of tank/other@a, not of the data of matrix")


def test_of_a_volume_that_the_host_ran_with_once(sim: Simulator, nas: Nas) -> None:
    sim.storage.create("tank/lab/matrix/before", {"zerotoil:owner": "home/matrix", "zerotoil:state": "data"}, 1 << 30, 16384)
    sim.storage.snapshot(["tank/lab/matrix/before@a"], {})
    name = "tank/lab/matrix/before-restore-x"
    sim.storage.clone("tank/lab/matrix/before@a", name, {"zerotoil:owner": "home/matrix", "zerotoil:restore": "x"})
    nas.forget()
    assert drop(nas) == [f"clone {name} of tank/lab/matrix/before@a"], "found by its marks"
    assert "tank/lab/matrix/before" in [dataset.name for dataset in sim.storage.datasets()]


def test_a_volume_with_a_state(sim: Simulator, nas: Nas) -> None:
    marks = {"zerotoil:owner": "home/matrix", "zerotoil:restore": "x", "zerotoil:state": "data"}
    sim.storage.clone(f"{VOLUME}@a", CLONE, marks)
    refused(sim, nas, Code.STILL_IN_USE, "is a data volume of matrix")


def test_what_the_host_runs_with(sim: Simulator, nas: Nas) -> None:
    sim.storage.clone(f"{VOLUME}@a", CLONE, {"zerotoil:owner": "home/matrix", "zerotoil:restore": "x"})
    sim.nas.state.rows("iscsi.extent")[0]["disk"] = f"zvol/{CLONE}"
    refused(sim, nas, Code.STILL_IN_USE, "the extent matrix serves it")


def test_what_the_host_declares(sim: Simulator, nas: Nas) -> None:
    """Marked as a restore by whatever accident."""
    sim.storage.set(VOLUME, {"zerotoil:restore": "x", "zerotoil:state": None})
    sim.nas.state.rows("iscsi.extent")[0]["disk"] = "zvol/tank/elsewhere"
    refused(sim, nas, Code.STILL_IN_USE, f"{VOLUME} is a data volume of matrix")


def test_what_the_present_volume_was_cloned_from(sim: Simulator, nas: Nas) -> None:
    """After an undo the host runs with a clone: what it came from is no restore either."""
    sim.storage.clone(f"{VOLUME}@a", CLONE, {"zerotoil:owner": "home/matrix", "zerotoil:restore": "x"})
    sim.storage.snapshot([f"{CLONE}@b"], {})
    sim.storage.clone(f"{CLONE}@b", "tank/lab/matrix/present", {})
    nas.forget()
    with pytest.raises(LabError, match="is a data volume of matrix") as caught:
        Dropping(X, served(nas, X, VOLUME), ["tank/lab/matrix/present"]).check()
    assert caught.value.code is Code.STILL_IN_USE


def test_another_clone_needs_it(sim: Simulator, nas: Nas) -> None:
    make(nas)
    sim.storage.snapshot([f"{CLONE}@auto-1", f"{CLONE}@b"], {})
    sim.storage.clone(f"{CLONE}@b", "tank/mine", {})
    refused(sim, nas, Code.CLONE_NEEDED, f"{CLONE} cannot go: tank/mine is a clone of it")


def test_still_served(sim: Simulator, nas: Nas) -> None:
    """TrueNAS itself would first delete that extent, by force."""
    make(nas)
    nas.forget()
    with pytest.raises(LabError, match="still served by the extent matrix-restore-x") as caught:
        Dropping(X, served(nas, X, VOLUME), [VOLUME]).clone()
    assert caught.value.code is Code.STILL_IN_USE
    assert CLONE in [dataset.name for dataset in sim.storage.datasets()]


@pytest.mark.parametrize(
    ("table", "change", "code"),
    [
        ("iscsi.extent", {"comment": "mine"}, Code.EXTENT_TAKEN),
        ("iscsi.extent", {"disk": "zvol/tank/other"}, Code.TARGET_TAKEN),
        ("iscsi.extent", {"name": "mine"}, Code.VOLUME_USED_TWICE),
        ("iscsi.targetextent", {"target": 1}, Code.VOLUME_USED_TWICE),
    ],
)
def test_what_a_person_made_is_left_alone(sim: Simulator, nas: Nas, table: str, change: dict[str, Any], code: Code) -> None:
    make(nas)
    if table == "iscsi.targetextent":
        change = {"target": next(row["id"] for row in sim.nas.state.rows("iscsi.target") if row["name"] == "matrix")}
    sim.nas.state.rows(table)[-1].update(change)
    nas.forget()
    before = state(sim)
    with pytest.raises(LabError) as caught:
        drop(nas)
    assert (caught.value.code, state(sim)) == (code, before)


def test_a_target_of_that_name_that_is_not_ours(sim: Simulator, nas: Nas) -> None:
    nas.write("iscsi.target.create", {"name": "matrix-restore-x", "groups": []})
    before = state(sim)
    for attempt in (make, drop):
        with pytest.raises(LabError) as caught:
            attempt(nas)
        assert caught.value.code is Code.TARGET_TAKEN
    assert state(sim)[0] | {"iscsi.extent": []} == before[0] | {"iscsi.extent": []}


def test_a_marked_clone_of_another_is_not_taken(sim: Simulator, nas: Nas) -> None:
    sim.storage.clone(f"{VOLUME}@a", CLONE, {"zerotoil:owner": "home/other"})
    nas.forget()
    writes = sim.writes
    with pytest.raises(LabError, match="is marked as another's .owner home/other") as caught:
        make(nas)
    assert (caught.value.code, sim.writes) == (Code.CLONE_DIFFERS, writes)


def test_busy_for_a_moment(sim: Simulator, nas: Nas) -> None:
    make(nas)
    sim.faults.busy = 3
    drop(nas)
    assert CLONE not in [dataset.name for dataset in sim.storage.datasets()]


def test_busy_for_too_long(sim: Simulator, nas: Nas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "BUSY_SECONDS", 0.0)
    make(nas)
    sim.faults.busy = 1000
    with pytest.raises(LabError) as caught:
        drop(nas)
    assert caught.value.code is Code.NAS_REFUSED
    sim.faults.busy = 0
    assert drop(nas) == ["extent matrix-restore-x", f"clone {CLONE} of {VOLUME}@a"], "and goes on from there"


def test_logged_in_still(sim: Simulator, nas: Nas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "BUSY_SECONDS", 0.0)
    make(nas)
    iqn = served(nas, X, VOLUME).iqn
    sim.targets.sessions[iqn] = ["iqn.1993-08.org.debian:01:hv1"]  # type: ignore[attr-defined]
    with pytest.raises(LabError, match="in use"):
        drop(nas)
    assert len(sim.nas.state.rows("iscsi.targetextent")) == 2


@pytest.mark.parametrize("what", ["pool.dataset.delete", "snapshot", "iscsi.extent.delete", "iscsi.target.delete"])
def test_an_answer_is_not_believed(sim: Simulator, nas: Nas, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """Seen on TrueNAS 26."""
    make(nas)
    sim.storage.snapshot([f"{CLONE}@auto-1"], {})
    method = f"{nas.capabilities.snapshots}.delete" if what == "snapshot" else what
    monkeypatch.setitem(METHODS, method, lambda *_: True)
    with pytest.raises(LabError, match="says that it deleted it, and it is still there") as caught:
        drop(nas)
    assert caught.value.code is Code.CHANGE_NOT_MADE


def test_a_held_snapshot_of_the_clone(sim: Simulator, nas: Nas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "BUSY_SECONDS", 0.0)
    make(nas)
    sim.storage.snapshot([f"{CLONE}@auto-1"], {})
    sim.storage.hold(f"{CLONE}@auto-1")
    with pytest.raises(LabError) as caught:
        drop(nas)
    assert caught.value.code is Code.NAS_REFUSED
    assert CLONE in [dataset.name for dataset in sim.storage.datasets()]


def test_a_user_that_may_not_delete(sim: Simulator, nas: Nas) -> None:
    make(nas)
    sim.faults.fail["pool.dataset.delete"] = (13, "Not authorized")
    with pytest.raises(LabError, match="Not authorized.*give nas_user the roles DATASET_DELETE and SNAPSHOT_DELETE"):
        drop(nas)
    sim.faults.fail.clear()
    assert drop(nas) == [f"clone {CLONE} of {VOLUME}@a"]
