"""A snapshot on demand, with a guest that freezes, only syncs or is away, and the list of all: on four versions of the NAS."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.resources.nas.conftest import VERSIONS, apply, connect, host, simulator
from zerotoil.clients.truenas import Nas, NasError
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.layers.servers import servers
from zerotoil.layers.snapshots import look
from zerotoil.minilab.nas import Simulator
from zerotoil.minilab.nas.middleware import METHODS
from zerotoil.model.spec import HostSpec
from zerotoil.resources.guest import quiesce
from zerotoil.workflows.snapshot import Taken, take

NOW = datetime(2026, 11, 23, 21, 47, 38, tzinfo=UTC)
NAME = "manual-2026-11-23_21-47-38"
VOLUME = "tank/lab/matrix/data"
WEEKLY = {"weekly": {"schedule": "0 3 * * 0", "keep": "3 months"}}


class Lab:
    """One host on a NAS of one version; `said` are the scripts that its guest got, `at` what the NAS had at each."""

    def __init__(self, sim: Simulator, spec: HostSpec, nas: Nas) -> None:
        self.sim, self.spec, self.nas = sim, spec, nas
        self.answers = {"freeze": "frozen 42\n", "thaw": "thawed\n"}
        self.said: list[tuple[str, int]] = []
        self.ledger: list[int] = []  # what the NAS had when the guest was asked to write down what runs

    def shell(self, script: str) -> str:
        if "ledger.sh" in script:
            self.ledger.append(len(self.sim.storage.snapshots()))
            return ""
        action = script.split()[2]
        self.said.append((action, len(self.sim.storage.snapshots())))
        if action not in self.answers:
            raise LabError("matrix: no answer over SSH in 60 s", code=Code.GUEST_SILENT)
        return self.answers[action]

    def take(self, note: str = "") -> Taken:
        return take(Site(self.spec, Path(), shell=self.shell), note, NOW)

    def marks(self) -> dict[str, dict[str, str]]:
        return {one.name: one.local for one in self.sim.storage.snapshots() if one.name.endswith(NAME)}


@pytest.fixture(params=VERSIONS)
def lab(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    with simulator(request.param) as sim:
        spec, nas = host(data_snapshot_tiers=WEEKLY), connect(sim)
        apply(nas, spec)
        monkeypatch.setattr(servers, "nas", lambda _spec: nas)
        yield Lab(sim, spec, nas)
        nas.close()


def test_frozen_around_the_snapshot(lab: Lab) -> None:
    assert str(lab.take("before the move")) == f"tank/lab/matrix@{NAME}: filesystem frozen"
    assert lab.said == [("freeze", 0), ("thaw", 2)], "of the dataset and the volume, both while it was frozen"
    assert lab.ledger == [0], "what runs is in the snapshot"
    marks = {"zerotoil:by": "home/matrix", "zerotoil:quiesced": "frozen", "zerotoil:note": "before the move"}
    assert lab.marks() == {f"tank/lab/matrix@{NAME}": marks, f"{VOLUME}@{NAME}": marks}


def test_a_guest_that_only_syncs(lab: Lab) -> None:
    lab.answers["freeze"] = "synced the guest has no fsfreeze\n"
    assert str(lab.take()).endswith(": only synced (the guest has no fsfreeze)")
    assert lab.marks()[f"{VOLUME}@{NAME}"] == {"zerotoil:by": "home/matrix", "zerotoil:quiesced": "synced"}


def test_a_guest_that_is_away_does_not_prevent_it(lab: Lab) -> None:
    lab.answers = {}
    said = "guest did not answer (matrix: no answer over SSH in 60 s): as after a power cut"
    assert str(lab.take()).endswith(said)
    assert lab.marks()[f"{VOLUME}@{NAME}"]["zerotoil:quiesced"] == "none"


def test_thawed_too_early_is_not_called_frozen(lab: Lab) -> None:
    """In 26.0 the mark cannot be changed any more: then it is said, and the snapshot stays."""
    lab.answers["thaw"] = "not held\n"
    if lab.nas.capabilities.number >= (26,):
        with pytest.raises(LabError, match="its mark zerotoil:quiesced says frozen where synced is true") as caught:
            lab.take()
        assert caught.value.code is Code.MARK_NOT_KEPT
        assert len(lab.marks()) == 2
    else:
        assert "only synced (the guest thawed by itself" in str(lab.take())
        assert {marks["zerotoil:quiesced"] for marks in lab.marks().values()} == {"synced"}


@pytest.mark.parametrize("failure", [RuntimeError("pool is full"), KeyboardInterrupt()])
def test_the_guest_is_thawed_when_the_nas_fails(lab: Lab, monkeypatch: pytest.MonkeyPatch, failure: BaseException) -> None:
    write = lab.nas.write

    def failing(method: str, *params: Any) -> Any:
        if method.endswith("snapshot.create"):
            raise failure
        return write(method, *params)

    monkeypatch.setattr(lab.nas, "write", failing)
    with pytest.raises(type(failure)):
        lab.take()
    assert [action for action, _ in lab.said] == ["freeze", "thaw"]


@pytest.mark.parametrize("was_taken", [True, False])
def test_a_line_that_drops_half_way(lab: Lab, monkeypatch: pytest.MonkeyPatch, was_taken: bool) -> None:
    """What is there counts, not the answer."""
    write = lab.nas.write

    def dropping(method: str, *params: Any) -> Any:
        if method.endswith("snapshot.create"):
            if was_taken:
                write(method, *params)
            raise NasError("the NAS dropped the connection", code=Code.NAS_DROPPED)
        return write(method, *params)

    monkeypatch.setattr(lab.nas, "write", dropping)
    if was_taken:
        assert str(lab.take()).endswith(": filesystem frozen")
    else:
        with pytest.raises(NasError, match="dropped the connection"):
            lab.take()
    assert [action for action, _ in lab.said] == ["freeze", "thaw"]


def test_an_answer_is_not_believed(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHODS, f"{lab.nas.capabilities.snapshots}.create", lambda *_: {})
    with pytest.raises(LabError, match=f"snapshot tank/lab/matrix@{NAME}: the NAS took it, and .* is not there"):
        lab.take()


def test_twice_in_one_second(lab: Lab) -> None:
    lab.take()
    with pytest.raises(NasError):
        lab.take()
    assert [action for action, _ in lab.said] == ["freeze", "thaw"] * 2
    assert len(lab.marks()) == 2


@pytest.mark.parametrize("note", ["two\nlines", "a\ttab", "x" * 1001, " "])
def test_a_note_that_no_property_holds(lab: Lab, note: str) -> None:
    with pytest.raises(LabError, match="the note is no single line") as caught:
        lab.take(note)
    assert caught.value.code is Code.WRONG_OPTION
    assert lab.said == [], "nothing was frozen for it"


def test_a_host_that_was_never_deployed(lab: Lab) -> None:
    lab.spec = host("other")
    with pytest.raises(LabError, match=r"other: the NAS has no tank/lab/other: run the deploy first") as caught:
        lab.take()
    assert (caught.value.code, lab.said) == (Code.NEEDS_ANOTHER_FIRST, [])


def test_the_list(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["auto-2026-11-22_02-00", "auto-weekly-2026-11-22_03-00", "auto-hourly-2026-11-22_04-00", "before-upgrade"]
    for name in names:
        lab.sim.storage.snapshot([f"{VOLUME}@{name}"], {})
    lab.sim.storage.snapshot([f"tank/lab/matrix@{names[0]}"], {})
    lab.sim.storage.clone(f"{VOLUME}@{names[0]}", "tank/lab/matrix/beside", {})
    lab.take("mine: ä")
    lab.sim.storage.snapshot([f"{VOLUME}@manual-2026-11-24_00-00-00"], {"zerotoil:by": "home/other"})
    lab.nas.forget()
    calls: list[str] = []
    read = lab.nas.read
    monkeypatch.setattr(lab.nas, "read", lambda method, *params: calls.append(method) or read(method, *params))
    found = look(lab.spec, lab.nas)
    assert calls == ["pool.dataset.query", f"{lab.nas.capabilities.snapshots}.query"]
    assert [(one.name, one.origin) for one in found] == [
        ("manual-2026-11-24_00-00-00", "manual (home/other)"),
        (NAME, "manual"),
        ("before-upgrade", "by hand"),
        ("auto-hourly-2026-11-22_04-00", "hourly (declared no more)"),
        ("auto-weekly-2026-11-22_03-00", "weekly"),
        ("auto-2026-11-22_02-00", "nightly"),
    ]
    assert (found[1].note, found[1].quiesced, found[1].clones) == ("mine: ä", "frozen", ())
    assert found[-1].clones == ("tank/lab/matrix/beside",)
    assert abs((found[0].created - datetime.now(UTC)).total_seconds()) < 60


def test_a_mark_of_the_volume_is_not_the_snapshots(lab: Lab) -> None:
    """ZFS passes user properties on to snapshots: they show as inherited."""
    inherited = {"value": "home/matrix", "rawvalue": "home/matrix", "parsed": "home/matrix", "source": "INHERITED"}
    number = {"rawvalue": "1795470458"}
    entry = {"dataset": VOLUME, "snapshot_name": "x", "createtxg": "1"}
    entry["properties"] = {"creation": number, "used": number, "referenced": number}
    entry["properties"] |= {"zerotoil:by": inherited, "zerotoil:note": inherited, "clones": {"rawvalue": "-"}}
    lab.nas._cache[(f"{lab.nas.capabilities.snapshots}.query", f'[[["dataset", "=", "{VOLUME}"]]]')] = [entry]
    (found,) = look(lab.spec, lab.nas)
    assert (found.origin, found.note, found.clones) == ("by hand", "", ())


def test_the_guest_is_asked_with_the_real_script(lab: Lab) -> None:
    scripts: list[str] = []
    take(Site(lab.spec, Path(), shell=lambda script: scripts.append(script) or lab.shell(script)), "", NOW)
    assert scripts[1].startswith(f"set -- freeze {quiesce.DATA} 30\n\n#!/bin/sh\n")
    assert scripts[2].startswith(f"set -- thaw {quiesce.DATA} 42\n\n#!/bin/sh\n")
