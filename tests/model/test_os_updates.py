"""Windows of a week, whose turn it is in them, and what a declaration means."""

from typing import Any

import pytest

from tests.conftest import RIGHT, make_spec
from zerotoil.error_codes import Code
from zerotoil.model.inventory import Declared, declare
from zerotoil.model.os_updates import Turn
from zerotoil.model.os_window import DAYS, Window

IMAGE = "reg.lan:5000/os/base:v1"


def lab(**hosts: dict[str, Any]) -> Declared:
    return declare({name: [("host data", {**RIGHT, **data})] for name, data in hosts.items()})


@pytest.mark.parametrize(
    ("text", "days", "start", "minutes"),
    [
        ("Sat 03:00-05:00", ("Sat",), 180, 120),
        ("sat 03:00 - 05:00", ("Sat",), 180, 120),
        ("Mon-Fri 02:30-03:30", ("Mon", "Tue", "Wed", "Thu", "Fri"), 150, 60),
        ("03:00-05:00", DAYS, 180, 120),
        ("Sun,Wed 23:30-01:00", ("Wed", "Sun"), 1410, 90),
        ("Fri-Mon 00:00-23:59", ("Mon", "Fri", "Sat", "Sun"), 0, 1439),
    ],
)
def test_a_window_is_read(text: str, days: tuple[str, ...], start: int, minutes: int) -> None:
    window = Window.parse(text)
    assert (window.days, window.start, window.minutes) == (days, start, minutes)


def test_a_moment_of_a_window_may_be_on_the_next_day() -> None:
    window = Window.parse("Sat,Sun 23:30-01:00")
    assert window.at(20) == (("Sat", "Sun"), 23 * 60 + 50)
    assert window.at(40) == (("Mon", "Sun"), 10)


def test_hosts_take_turns_by_name_within_their_lab() -> None:
    window = {"os_source": IMAGE, "os_window": ["Sat 03:00-05:00"]}
    found = lab(three=window, one=window, two=window, other={**window, "lab_name": "away", "nas_dataset": "tank/away"}, stock={})
    assert found.problems == []
    turns = {name: spec.os_turn for name, spec in found.specs.items()}
    assert turns == {"one": Turn(0, 3), "three": Turn(1, 3), "two": Turn(2, 3), "other": Turn(0, 1), "stock": Turn(0, 1)}
    assert {name: spec.os_offset for name, spec in found.specs.items()} == {
        "one": 0, "three": 1200, "two": 2400, "other": 0, "stock": 0,
    }  # fmt: skip


def test_a_host_that_is_declared_wrong_keeps_its_turn() -> None:
    window = {"os_source": IMAGE, "os_window": ["Sat 03:00-05:00"]}
    found = lab(one={**window, "vm_cpus": 0}, two=window)
    assert "one" not in found.specs and found.specs["two"].os_turn == Turn(1, 2)


def test_a_turn_that_comes_too_late_is_said_with_both_keys() -> None:
    window = {"os_source": IMAGE, "os_window": ["Sat 03:00-05:00", "Sun 03:00-03:25"]}
    (problem,) = lab(one=window, two=window).problems
    assert str(problem) == (
        "two: os_stagger: os_window Sun 03:00-03:25 is 25 minutes long, and the turn of two, host 2 of 2, "
        "begins 20 minutes after its start and needs 10 minutes; write a longer window, or a shorter os_stagger than 20 minutes"
    )
    assert problem.code is Code.CLASHES_WITH_HOST
    fits = {"os_source": IMAGE, "os_window": ["Sun 03:00-03:30"]}
    assert lab(one=fits, two=fits).problems == []


@pytest.mark.parametrize(
    ("keys", "follows", "managed", "reference"),
    [
        ({}, "", False, None),
        ({"os_grace": "5 minutes", "os_stale_after": "1 week"}, "", False, None),
        ({"os_packages": ["htop"]}, "", True, None),
        ({"os_strategy": "off"}, "off", True, None),
        ({"os_strategy": "fleet-lock", "os_fleet_lock": "http://lock.lan/"}, "fleet-lock", True, None),
        ({"os_source": IMAGE}, "immediate", True, f"ostree-unverified-registry:{IMAGE}"),
        ({"os_source": IMAGE, "os_window": ["03:00-04:00"]}, "window", True, f"ostree-unverified-registry:{IMAGE}"),
        ({"os_source": IMAGE, "os_signature_key": "c.pub"}, "immediate", True, f"ostree-image-signed:docker://{IMAGE}"),
        (
            {"os_source": IMAGE, "os_window": ["03:00-04:00"], "os_fleet_lock": "http://lock.lan"},
            "window",
            True,
            f"ostree-unverified-registry:{IMAGE}",
        ),
    ],
)  # fmt: skip
def test_what_a_declaration_means(keys: dict[str, Any], follows: str, managed: bool, reference: str | None) -> None:
    os = make_spec(**keys).os
    assert (os.follows, os.managed, os.reference) == (follows, managed, reference)
