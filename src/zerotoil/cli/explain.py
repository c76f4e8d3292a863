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
    word = given.strip("[]() .").upper()
    word = f"ZT{word}" if word.isdecimal() else word
    if word in list(Code):
        return Code(word)
    number = word.removeprefix("ZT")
    near = sorted(Code, key=lambda code: abs(int(code[2:]) - int(number)))[:3] if number.isdecimal() else []
    remedy = f"the nearest are {', '.join(sorted(near))}" if near else "docs/reference/errors.md lists all"
    raise LabError(f"there is no code {given}", remedy, code=Code.WRONG_OPTION)
