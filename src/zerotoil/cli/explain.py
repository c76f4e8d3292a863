"""`zerotoil explain CODE`."""

from __future__ import annotations

import click

from zerotoil.error_codes import Code
from zerotoil.errors import LabError


@click.command()
@click.argument("code")
def explain(code: str) -> None:
    """Say what CODE (the one in square brackets, such as ZT204) means, and what to do about it."""
    from zerotoil.error_codes.catalogue import CATALOGUE

    entry = CATALOGUE[_known(code)]
    click.echo(f"{entry.code}: {entry.title}\n\n{entry.meaning}\n\nWhat to do: {entry.remedy}")


def _known(given: str) -> Code:
    """The code as people write it: in brackets, in lower case, without the letters. Raises LabError for an unknown one."""
    import difflib

    word = given.strip("[]() .").upper()
    word = f"ZT{word}" if word.isdecimal() else word
    if word in (known := [str(code) for code in Code]):
        return Code(word)
    near = difflib.get_close_matches(word, known, n=3, cutoff=0.6)
    remedy = f"the nearest are {', '.join(near)}" if near else "docs/reference/errors.md lists all"
    raise LabError(f"there is no code {given}", remedy, code=Code.WRONG_OPTION)
