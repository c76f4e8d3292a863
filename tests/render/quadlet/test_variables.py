"""Variables in a compose file, by the rules and examples of the Compose specification."""

import pytest

from zerotoil.render.quadlet.text import Refused
from zerotoil.render.quadlet.variables import Place, put_in, resolved

ENV = {"SET": "value", "EMPTY": "", "FOO": "foo"}
CASES = [
    ("plain", "plain"),
    ("$SET-x ${SET}x", "value-x valuex"),
    ("$$SET $${SET} $$$SET", "$SET ${SET} $value"),
    ("cost: $5, 100$", "cost: $5, 100$"),
    ("${EMPTY}", ""),
    ("${EMPTY:-default}${EMPTY-default}", "default"),
    ("${NONE:-default}${NONE-default}", "defaultdefault"),
    ("${SET:-default}", "value"),
    ("${NONE:-}", ""),
    ("${NONE:-${FOO}}", "foo"),
    ("${NONE:-${NONE:-a b}}/c", "a b/c"),
    ("${NONE:-a:-b}", "a:-b"),
    ("${NONE:-what?}", "what?"),
    ("${SET:+yes}${EMPTY:+no}${EMPTY+yes}${NONE+no}", "yesyes"),
    ("${SET:?must be set}${EMPTY?fine}", "value"),
]
REFUSED = [
    ("$NONE", "the variable NONE is not set"),
    ("${NONE}", "the variable NONE is not set"),
    ("${EMPTY:?say $FOO}", r"the variable EMPTY must be set \(say foo\)"),
    ("${NONE?}", "the variable NONE must be set"),
    ("${NONE:-$OTHER}", "the variable OTHER is not set"),
    ("${SET/a/b}", "is no variable of Compose"),
    ("${5}", "is no variable of Compose"),
    ("${SET", "is no variable of Compose"),
]


@pytest.mark.parametrize(("text", "expected"), CASES, ids=[text for text, _ in CASES])
def test_put_in(text: str, expected: str) -> None:
    assert put_in(text, ENV) == expected


@pytest.mark.parametrize(("text", "why"), REFUSED, ids=[text for text, _ in REFUSED])
def test_refused(text: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        put_in(text, ENV)


def test_values_are_resolved_everywhere_but_in_keys_and_extensions() -> None:
    document = {"services": {"$SET": {"ports": ["${SET}:80", 80], "x-note": "$NONE"}}, "x-zerotoil": {"allow": {"etc": "$NONE"}}}
    found: list[tuple[Place, str]] = []
    assert resolved(document, ENV, lambda place, refused: found.append((place, refused.what))) == {
        "services": {"$SET": {"ports": ["value:80", 80], "x-note": "$NONE"}},
        "x-zerotoil": {"allow": {"etc": "$NONE"}},
    }
    assert found == []


def test_every_variable_without_a_value_is_reported_with_its_place() -> None:
    found: list[tuple[Place, str]] = []
    resolved(
        {"services": {"a": {"ports": ["$B"], "image": "$C"}}}, ENV, lambda place, refused: found.append((place, refused.what))
    )
    assert found == [
        (("services", "a", "ports", 0), "the variable B is not set"),
        (("services", "a", "image"), "the variable C is not set"),
    ]
