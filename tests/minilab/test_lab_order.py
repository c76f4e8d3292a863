"""How the lab's pieces come up: in order, and side by side where they may."""

import contextlib
import threading

import pytest

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.minilab import artifacts, lab, ostree
from zerotoil.minilab.lab import Piece


def piece(name, up, alone=False):
    return Piece(name, "", up, lambda: True, lambda: "", alone=alone)


def bring_up(*pieces):
    told = []
    lab._bring_up(lambda name, what, seconds: told.append((name, what)), 0.0, list(pieces))
    return told


def test_neighbours_come_up_together_and_are_told_in_order():
    meeting = threading.Barrier(3, timeout=5)  # broken unless all three wait at once
    names = ["registry", "mirror", "signal"]
    told = bring_up(*(piece(name, lambda: str(meeting.wait() >= 0)) for name in names))
    assert told == [(name, "True") for name in names]


def test_a_piece_that_must_be_alone_waits_for_those_before_it():
    done = []
    slow = threading.Event()

    def before():
        slow.wait(0.2)
        done.append("before")
        return "up"

    told = bring_up(
        piece("a", before),
        piece("b", lambda: str(done), alone=True),
        piece("c", lambda: str(done), alone=True),
    )
    assert told == [("a", "up"), ("b", "['before']"), ("c", "['before']")]


def test_a_failure_stops_what_comes_later():
    def fail():
        raise LabError("no port", code=Code.LAB_STATE)

    with pytest.raises(LabError, match="no port"):
        bring_up(piece("a", fail), piece("b", lambda: "up"), piece("c", lambda: pytest.fail("came up"), alone=True))


def test_the_new_parts_are_pieces_of_the_lab():
    names = [one.name for one in lab.pieces()]
    assert names[-4:] == ["registry", "private registry", "mirror", "Signal stand-in"]
    assert [one.alone for one in lab.pieces()] == [True] * (len(names) - 4) + [False] * 4


@pytest.fixture
def guest_with_ostree(monkeypatch):
    """`lab ostree` without a lab: what was done, and a switch for whether the lab is up."""
    done, is_up = [], [True]
    monkeypatch.setattr(lab, "_prepare", lambda: 0.0)
    monkeypatch.setattr(lab.state, "lock", contextlib.nullcontext)
    monkeypatch.setattr(lab.registry, "is_up", lambda which: is_up[0])
    monkeypatch.setattr(lab.preflight, "require_space", lambda folder: None)
    monkeypatch.setattr(artifacts, "build_ostree_image", lambda announce: done.append("image") or "built")
    monkeypatch.setattr(ostree, "push_base", lambda: done.append("base") or "sha256:1")
    return done, is_up


def test_the_guest_with_ostree_is_built_and_then_pushed(guest_with_ostree):
    done, _ = guest_with_ostree
    told = []
    lab.ostree(lambda name, what, seconds: told.append((name, what)))
    assert done == ["image", "base"]
    assert told[0] == ("ostree guest", "built") and told[1][1].endswith("/os/base:v1, sha256:1")


def test_the_guest_with_ostree_wants_the_lab_up(guest_with_ostree):
    done, is_up = guest_with_ostree
    is_up[0] = False
    with pytest.raises(LabError, match="the lab is not up.*zerotoil lab up"):
        lab.ostree(lambda *_: None)
    assert done == []


def test_coming_up_builds_no_guest_with_ostree(monkeypatch):
    monkeypatch.setattr(artifacts, "build_tools", lambda announce: "cached")
    monkeypatch.setattr(artifacts, "build_guest_image", lambda announce: "cached")
    monkeypatch.setattr(lab.images, "push_watchtower", lambda: "pushed")
    monkeypatch.setattr(artifacts, "build_ostree_image", lambda announce: pytest.fail("built"))
    told = []
    lab._build(lambda name, what, seconds: told.append(name), 0.0)
    assert told == ["tools", "guest image", "Watchtower stand-in"]
