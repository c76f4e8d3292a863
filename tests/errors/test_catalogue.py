"""The catalogue is whole, its page is up to date, and `zerotoil explain` reads it to people."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from zerotoil.cli.explain import explain
from zerotoil.error_codes import Code
from zerotoil.error_codes.catalogue import CATALOGUE, RANGES, page
from zerotoil.errors import LabError
from zerotoil.model.inventory import Problem, Problems
from zerotoil.model.spec import keys

ROOT = Path(__file__).parents[2]


def test_every_code_is_explained() -> None:
    assert set(CATALOGUE) == set(Code)
    assert list(CATALOGUE) == list(Code) == sorted(Code)
    for code, entry in CATALOGUE.items():
        assert entry.code is code
        assert re.fullmatch(r"ZT[1-9]\d\d", code) and code[2] in RANGES
        assert not entry.title.endswith(".") and entry.meaning.endswith(".")
        assert entry.remedy


def test_keys_that_are_named_exist() -> None:
    words = " ".join(f"{entry.meaning} {entry.remedy}" for entry in CATALOGUE.values())
    named = set(re.findall(r"\b(?:data|hypervisor|iscsi|lab|nas|os|ssh|vm)_[a-z0-9_]+", words))
    assert "nas_url" in named
    assert named <= set(keys())


def test_the_embedded_lab_has_codes_of_its_own() -> None:
    for path in (ROOT / "src/zerotoil").rglob("*.py"):
        used = set(re.findall(r"\bCode\.([A-Z_]+)\b", path.read_text()))
        lab = {name for name in used if name.startswith("LAB_")}
        if "minilab" in path.parts:
            assert used == lab, path
        elif "error_codes" not in path.parts:
            assert not lab, path


def test_titles_are_told_apart() -> None:
    assert len({entry.title for entry in CATALOGUE.values()}) == len(CATALOGUE)


def test_the_page_is_what_the_catalogue_says() -> None:
    """Else: python -m zerotoil.error_codes > docs/reference/errors.md"""
    assert (ROOT / "docs/reference/errors.md").read_text() == page()


def test_no_member_stands_for_another() -> None:
    """Two names of one value would be one member."""
    assert len(Code.__members__) == len(Code)


@pytest.mark.parametrize("given", ["ZT204", "zt204", "204", "[ZT204]"])
def test_explain(given: str) -> None:
    done = CliRunner().invoke(explain, [given])
    entry = CATALOGUE[Code.CERTIFICATE_UNTRUSTED]
    assert (done.exit_code, done.output) == (
        0, f"ZT204: {entry.title}\n\n{entry.meaning}\n\nWhat to do: {entry.remedy}\n",
    )  # fmt: skip


def test_an_unknown_code_gets_the_nearest() -> None:
    for given, remedy in (("ZT209", "the nearest are ZT207, ZT208, ZT210$"), ("x", "docs/reference/errors.md lists all")):
        with pytest.raises(LabError, match=f"there is no code {given}: {remedy}") as caught:
            CliRunner().invoke(explain, [given], catch_exceptions=False)
        assert caught.value.code is Code.WRONG_OPTION


def test_each_line_of_several_problems_has_its_own_code() -> None:
    error = Problems([Problem("a", "x", "", "bad", Code.UNKNOWN_KEY), Problem("b", "y", "", "worse", Code.WRONG_VALUE)])
    assert str(error) == "a: x: bad\nb: y: worse"
    assert error.shown == "a: x: bad [ZT101]\nb: y: worse [ZT103]"
    assert error.code is Code.UNKNOWN_KEY
