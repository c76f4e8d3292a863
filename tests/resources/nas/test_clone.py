"""Clones of a snapshot, on four versions of the NAS: made once, never taken for another, marked and read back."""

import pytest

from tests.resources.nas.conftest import apply, host
from zerotoil.clients.truenas import Nas
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.minilab.nas import Simulator
from zerotoil.minilab.nas.middleware import METHODS
from zerotoil.resources.nas.clone import Clone, origin_of, write_marks
from zerotoil.resources.nas.mark import dataset, property_of

VOLUME = "tank/lab/matrix/data"
NAME = f"{VOLUME}-restore-x"
MARKS = {"owner": "home/matrix", "restore": "x"}


@pytest.fixture(autouse=True)
def with_snapshots(sim: Simulator, nas: Nas) -> None:
    apply(nas, host())
    sim.storage.write(VOLUME, "yesterday")  # type: ignore[attr-defined]
    sim.storage.snapshot([f"{VOLUME}@a", f"{VOLUME}@b"], {})
    sim.storage.write(VOLUME, "today")  # type: ignore[attr-defined]
    nas.forget()


def test_made_once(sim: Simulator, nas: Nas) -> None:
    clone = Clone(nas, NAME, f"{VOLUME}@a", MARKS)
    assert not clone.exists()
    clone.make()
    assert clone.exists() and origin_of(nas, NAME) == f"{VOLUME}@a"
    assert sim.storage.read(NAME) == "yesterday"  # type: ignore[attr-defined]
    entry = dataset(nas, NAME) or {}
    assert {key: property_of(entry, key) for key in (*MARKS, "state")} == {**MARKS, "state": ""}
    before = sim.writes
    clone.make()
    assert sim.writes == before, "the second time nothing is written"


def test_marks_that_an_interrupted_run_left_out_are_written(sim: Simulator, nas: Nas) -> None:
    Clone(nas, NAME, f"{VOLUME}@a").make()
    Clone(nas, NAME, f"{VOLUME}@a", MARKS).make()
    assert [name for name, _ in sim.calls].count(f"{nas.capabilities.snapshots}.clone") == 1
    assert property_of(dataset(nas, NAME) or {}, "restore") == "x"


@pytest.mark.parametrize("other", ["b", ""])
def test_something_else_of_its_name_is_refused(sim: Simulator, nas: Nas, other: str) -> None:
    if other:
        sim.storage.clone(f"{VOLUME}@b", NAME, {})
    else:
        sim.storage.create(NAME, {}, 1 << 30, 16384)
    nas.forget()
    before = sim.writes
    what = "a clone of .*@b" if other else "no clone"
    with pytest.raises(LabError, match=f"{NAME} exists and is {what}, not of {VOLUME}@a") as caught:
        Clone(nas, NAME, f"{VOLUME}@a", MARKS).make()
    assert (caught.value.code, sim.writes) == (Code.CLONE_DIFFERS, before)


def test_marks_are_read_back(nas: Nas, monkeypatch: pytest.MonkeyPatch) -> None:
    Clone(nas, NAME, f"{VOLUME}@a").make()
    monkeypatch.setitem(METHODS, "pool.dataset.update", lambda *_: {})
    with pytest.raises(LabError, match=f"did not keep our marks on {NAME}") as caught:
        Clone(nas, NAME, f"{VOLUME}@a", MARKS).make()
    assert caught.value.code is Code.MARK_NOT_KEPT


def test_a_mark_is_taken_away(nas: Nas) -> None:
    Clone(nas, NAME, f"{VOLUME}@a", MARKS).make()
    write_marks(nas, NAME, {"restore": None})
    entry = dataset(nas, NAME) or {}
    assert (property_of(entry, "restore"), property_of(entry, "owner")) == ("", "home/matrix")


def test_a_clone_that_the_nas_only_says_it_made(nas: Nas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHODS, f"{nas.capabilities.snapshots}.clone", lambda *_: True)
    with pytest.raises(LabError, match="says that it made .*, and it is not there") as caught:
        Clone(nas, NAME, f"{VOLUME}@a", MARKS).make()
    assert caught.value.code is Code.CHANGE_NOT_MADE
