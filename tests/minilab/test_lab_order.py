"""How the lab's pieces come up: in order, and side by side where they may."""

import threading

import pytest

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.minilab import lab
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
