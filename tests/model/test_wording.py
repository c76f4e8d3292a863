"""No message of pydantic's own reaches a person, whatever stands where a value should."""

from typing import Any

import pytest

from zerotoil.model.inventory import declare
from zerotoil.model.network import Nic
from zerotoil.model.spec import keys

GARBAGE: list[Any] = [
    5, -1, 1.5, True, None, "", "x", "5 x", "9" * 400 + " GiB", "9" * 5000 + " days", b"x", (1, 2), object(), float("nan"),
    [], [5], [None], [[]], [""], ["x"], {}, [{}], {"a": 1}, [{1: 2}], "é\n", "0 " * 5, "* * * * 99999", "a:b@c", "[", "1/0",
]  # fmt: skip
PYDANTIC = ("Input should", "should have", "Field required", "unable to", "Extra inputs", "valid ")


def problems(right: dict[str, Any], key: str, value: Any) -> list[str]:
    found = declare({"matrix": [("host data", {**right, key: value})]})
    return [str(problem) for problem in found.problems]


@pytest.mark.parametrize("key", sorted(keys()))
def test_garbage_is_answered_in_our_words(right: dict[str, Any], key: str) -> None:
    for value in GARBAGE:
        for line in problems(right, key, value):
            assert not any(word in line for word in PYDANTIC), line
            assert "\n" not in line
            assert line.startswith("matrix: ")


@pytest.mark.parametrize("name", sorted(Nic.model_fields))
def test_garbage_in_a_card_is_too(right: dict[str, Any], name: str) -> None:
    card = {"bridge": "br0", "address": "192.0.2.2/24"}
    for value in GARBAGE:
        for line in problems(right, "vm_nics", [{**card, name: value}]):
            assert not any(word in line for word in PYDANTIC), line
            assert line.startswith("matrix: vm_nics (from host data): [0]")


@pytest.mark.parametrize(
    "card",
    [
        {"address": "192.0.2.2/32", "gateway": "198.51.100.1"},  # a single address: no gateway can be inside
        {"address": "2001:db8::2/64", "gateway": "fe80::1"},  # link-local, as routers announce themselves
        {"address": "192.0.2.0/31", "gateway": "192.0.2.1"},  # point to point: both addresses are machines'
        {"address": "192.0.2.2/16", "gateway": "192.0.3.1"},
    ],
)
def test_gateways_that_are_right(right: dict[str, Any], card: dict[str, str]) -> None:
    assert problems(right, "vm_nics", [{"bridge": "br0", **card}]) == []
