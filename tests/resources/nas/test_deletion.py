"""Deleting data for good: what goes, what it is refused for, and that nothing else of the source can do it. Four versions."""

import errno
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import zerotoil
from tests.resources.nas.conftest import apply, host, plan
from zerotoil.clients.truenas import Nas, NasError
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.minilab.nas import Simulator
from zerotoil.minilab.nas.storage import StorageError
from zerotoil.model.data_volume import DataMark, VolumeState
from zerotoil.resources.nas import patience
from zerotoil.resources.nas.deletion import delete, doomed
from zerotoil.resources.nas.mark import dataset, write_mark

VOLUME = "tank/lab/matrix/data"
OWNER = "home/matrix"
SOURCE = Path(zerotoil.__file__).parent


def make(sim: Simulator, nas: Nas) -> None:
    """Two hosts; the volume of one has two snapshots."""
    apply(nas, host())
    apply(nas, host("other"))
    for name in ("auto-1", "auto-2"):
        sim.storage.snapshot([f"{VOLUME}@{name}", f"tank/lab/matrix@{name}"], {})
    sim.storage.snapshot(["tank/lab/other/data@auto-1"], {})
    nas.forget()


def refused(nas: Nas, code: Code, volume: str = VOLUME, confirmed: str = "") -> LabError:
    before = nas.writes
    with pytest.raises(LabError) as caught:
        delete(nas, volume, OWNER, confirmed or volume, "matrix")
    assert caught.value.code is code, caught.value
    assert nas.writes == before, "nothing was written"
    return caught.value


def test_only_two_modules_delete_one_of_them_data() -> None:
    """Whatever destroys a dataset, a snapshot or what serves one; the embedded lab's own NAS is the other side of the wire."""
    deleting = re.compile(
        r"dataset\.delete|snapshots}\.delete|snapshot\.delete|iscsi\.\w+\.delete|\.rollback\b|recursive_rollback|destroy_"
    )
    files = [path for path in SOURCE.rglob("*.py") if "minilab" not in path.parts]
    found = {path.relative_to(SOURCE).as_posix() for path in files if deleting.search(_code(path))}
    assert found == {"resources/nas/deletion.py", "resources/nas/dropping.py"}, "data on request, and a restore's clone"
    callers = {path.relative_to(SOURCE).as_posix() for path in files if re.search(r"import .*\bdeletion\b", path.read_text())}
    assert callers == {"workflows/delete_data.py"}
    callers = {path.relative_to(SOURCE).as_posix() for path in files if "delete_data import" in path.read_text()}
    assert callers == {"cli/delete_data.py"}


def _code(path: Path) -> str:
    """Without docstrings and comments."""
    return re.sub(r'""".*?"""|#[^\n]*', "", path.read_text(), flags=re.DOTALL)


def test_all_of_it_goes_and_nothing_else(sim: Simulator, nas: Nas) -> None:
    make(sim, nas)
    found = doomed(nas, VOLUME, OWNER)
    assert (found.size, found.snapshots) == (20 << 30, (f"{VOLUME}@auto-1", f"{VOLUME}@auto-2"))
    assert [name for _, name in found.extents] == [name for _, name in found.targets] == ["matrix"]
    delete(nas, VOLUME, OWNER, VOLUME)
    assert dataset(nas, VOLUME) is None
    for kind in ("iscsi.target", "iscsi.extent"):
        assert [entry["name"] for entry in nas.query(kind)] == ["other"]
    left = {one.name for one in sim.storage.snapshots()}
    assert left == {"tank/lab/matrix@auto-1", "tank/lab/matrix@auto-2", "tank/lab/other/data@auto-1"}
    assert plan(nas, host("other")) == []
    calls = [(method, params) for method, params in sim.calls if method.endswith(".delete")]
    assert not any("recursive" in str(params) or "force" in str(params) for _, params in calls)


def test_a_target_that_serves_something_else_stays(sim: Simulator, nas: Nas) -> None:
    make(sim, nas)
    nas.write("pool.dataset.create", {"name": "tank/mine", "type": "VOLUME", "volsize": 1 << 30, "sparse": True})
    extent = nas.write("iscsi.extent.create", {"name": "mine", "disk": "zvol/tank/mine"})
    target = next(entry for entry in nas.query("iscsi.target") if entry["name"] == "matrix")
    nas.write("iscsi.targetextent.create", {"target": target["id"], "extent": extent["id"], "lunid": 5})
    delete(nas, VOLUME, OWNER, VOLUME, "matrix")
    assert {entry["name"] for entry in nas.query("iscsi.target")} == {"matrix", "other"}
    assert {entry["name"] for entry in nas.query("iscsi.extent")} == {"mine", "other"}
    assert dataset(nas, "tank/mine")


def test_what_is_not_this_hosts(sim: Simulator, nas: Nas) -> None:
    make(sim, nas)
    nas.write("pool.dataset.create", {"name": "tank/lab/matrix/mine", "type": "VOLUME", "volsize": 1 << 30, "sparse": True})
    for volume in ("tank/none", "tank/lab/other/data", "tank/lab/matrix", "tank/lab/matrix/mine", "tank/lab"):
        refused(nas, Code.NO_SUCH_VOLUME, volume)


@pytest.mark.parametrize("typed", ["data", f"{VOLUME} ", "y", f"{VOLUME}2"])
def test_another_name_than_that(sim: Simulator, nas: Nas, typed: str) -> None:
    make(sim, nas)
    refused(nas, Code.NOT_CONFIRMED, confirmed=typed)


def test_clones_are_named(sim: Simulator, nas: Nas) -> None:
    make(sim, nas)
    sim.storage.clone(f"{VOLUME}@auto-1", "tank/lab/matrix/beside", {})
    nas.forget()
    assert f"tank/lab/matrix/beside (of {VOLUME}@auto-1)" in refused(nas, Code.VOLUME_HAS_CLONES).what


def test_somebody_is_logged_in(sim: Simulator, nas: Nas) -> None:
    make(sim, nas)
    sim.nas.targets.sessions = {"iqn.2005-10.org.freenas.ctl:matrix": ["iqn.1993-08.org.debian:01:hv1"]}  # type: ignore[attr-defined]
    assert "iqn.1993-08.org.debian:01:hv1 (127.0.0.1) is logged in" in refused(nas, Code.VOLUME_ATTACHED).what
    sim.nas.targets.sessions = {"iqn.2005-10.org.freenas.ctl:other": ["iqn.x:1"]}  # type: ignore[attr-defined]
    delete(nas, VOLUME, OWNER, VOLUME)


def test_a_nas_that_says_yes_and_deletes_nothing(sim: Simulator, nas: Nas) -> None:
    make(sim, nas)
    sim.nas.faults.delete_is_dropped = True
    with pytest.raises(LabError, match=f"the NAS took the deletion, and still has {VOLUME}") as caught:
        delete(nas, VOLUME, OWNER, VOLUME)
    assert caught.value.code is Code.CHANGE_NOT_MADE
    sim.nas.faults.delete_is_dropped = False
    delete(nas, VOLUME, OWNER, VOLUME, "matrix")
    assert dataset(nas, VOLUME) is None


def test_a_snapshot_that_is_held(sim: Simulator, nas: Nas) -> None:
    make(sim, nas)
    sim.storage.hold(f"{VOLUME}@auto-2")
    with pytest.raises(LabError):
        delete(nas, VOLUME, OWNER, VOLUME)
    assert dataset(nas, VOLUME)


@pytest.mark.parametrize("number", range(6))
def test_cut_off_a_second_run_deletes_the_rest(sim: Simulator, nas: Nas, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    make(sim, nas)
    write, calls = nas.write, []

    def cut(method: str, *params: object) -> object:
        calls.append(method)
        if len(calls) > number:
            raise KeyboardInterrupt
        return write(method, *params)

    with monkeypatch.context() as patch:
        patch.setattr(nas, "write", cut)
        with pytest.raises(KeyboardInterrupt):
            delete(nas, VOLUME, OWNER, VOLUME, "matrix")
    delete(nas, VOLUME, OWNER, VOLUME, "matrix")
    assert dataset(nas, VOLUME) is None
    assert [entry["name"] for entry in nas.query("iscsi.target")] == ["other"]


def test_a_kept_volume_that_nothing_serves(sim: Simulator, nas: Nas) -> None:
    """As an undo leaves it: marked as this host's, and without an extent."""
    make(sim, nas)
    nas.write("pool.dataset.create", {"name": "tank/lab/matrix/kept", "type": "VOLUME", "volsize": 1 << 30, "sparse": True})
    write_mark(nas, "tank/lab/matrix/kept", DataMark(OWNER, VolumeState.FIRST_BOOT))
    delete(nas, "tank/lab/matrix/kept", OWNER, "tank/lab/matrix/kept")
    assert dataset(nas, "tank/lab/matrix/kept") is None and dataset(nas, VOLUME)
    assert {entry["name"] for entry in nas.query("iscsi.target")} == {"matrix", "other"}


def test_what_is_busy_for_a_moment_is_waited_for(sim: Simulator, nas: Nas, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extent was let go of just now: seen on the embedded lab, whose target closes its file a little later."""
    monkeypatch.setattr(patience, "_LOOK_SECONDS", 0.0)
    make(sim, nas)
    sim.faults.busy = 3
    with pytest.raises(NasError, match="device busy"):
        delete(nas, VOLUME, OWNER, VOLUME)  # the extent itself is refused at once
    sim.faults.busy = 0
    monkeypatch.setattr(sim.storage, "destroy", _busy_twice(sim.storage.destroy))
    delete(nas, VOLUME, OWNER, VOLUME)
    assert dataset(nas, VOLUME) is None


def test_what_begins_to_need_it_while_it_is_waited_for_keeps_it(
    sim: Simulator, nas: Nas, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "_LOOK_SECONDS", 0.0)
    make(sim, nas)
    destroy = _busy_twice(sim.storage.destroy)

    def busy(name: str) -> None:
        if not [one for one in sim.storage.snapshots() if one.name == f"{VOLUME}@meanwhile"]:
            sim.storage.snapshot([f"{VOLUME}@meanwhile"], {})
        destroy(name)

    monkeypatch.setattr(sim.storage, "destroy", busy)
    with pytest.raises(LabError, match=f"still has {VOLUME}@meanwhile") as caught:
        delete(nas, VOLUME, OWNER, VOLUME)
    assert caught.value.code is Code.CHANGE_NOT_MADE and dataset(nas, VOLUME)


def _busy_twice(destroy: Callable[[str], None]) -> Callable[[str], None]:
    refusals = iter([True, True])

    def busy(name: str) -> None:
        if next(refusals, False):
            raise StorageError(f"cannot destroy '{name}': dataset is busy", errno.EBUSY)
        destroy(name)

    return busy
