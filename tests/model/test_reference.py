"""The documented keys are the real ones."""

from pathlib import Path

from zerotoil.model import reference
from zerotoil.model.spec import keys

ROOT = Path(__file__).parents[2]


def test_the_reference_page_is_current() -> None:
    assert (ROOT / "docs/reference/keys.md").read_text() == reference.page(), "run python -m zerotoil.model.reference"


def test_every_key_is_described() -> None:
    page = reference.page()
    assert all(f"`{key}` " in page for key in keys())
    assert "|  |" not in page
