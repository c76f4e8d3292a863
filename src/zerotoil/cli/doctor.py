"""`zerotoil doctor [INVENTORY]`: what is missing, and the command that fixes it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zerotoil.errors import LabError

if TYPE_CHECKING:
    from zerotoil.doctor import Check
    from zerotoil.model.inventory import Declared

_COLOURS = {"ok": "green", "warning": "yellow", "failure": "red"}
_WIDE = 10_000  # columns where no terminal says how many it has: nothing is cut or wrapped


@click.command()
@click.argument("inventory", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def doctor(inventory: Path | None, as_json: bool) -> None:
    """Say what is missing on this machine, and the command that fixes it. With INVENTORY, ask its servers too.

    Writes nothing anywhere. Exit code 0: nothing failed (warnings may), 1: something did.
    """
    declared = _declared(inventory) if inventory else None  # first: pyinfra changes how threads and sockets work
    from zerotoil.doctor import State, examine
    from zerotoil.doctor.packages import this_family

    found = examine(str(inventory), declared, this_family())
    failures = sum(check.state is State.FAILURE for check in found)
    if as_json:
        click.echo(json.dumps({"ok": not failures, "checks": [_row(check) for check in found]}, indent=2))
    else:
        _print(found)
    raise SystemExit(1 if failures else 0)


def _declared(inventory: Path) -> Declared | LabError:
    from zerotoil.cli.hosts import read

    try:
        return read(inventory)
    except LabError as error:
        return error


def _row(check: Check) -> dict[str, str]:
    return {"check": check.name, "state": check.state.value, "found": check.found, "fix": check.fix}


def _print(found: list[Check]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for column in ("check", "state", "found", "what to do"):
        table.add_column(column, overflow="fold")  # rich would cut a long path or command off
    for check in found:
        state = Text(check.state.value, style=_COLOURS[check.state.value])
        table.add_row(Text(check.name), state, Text(check.found), Text(check.fix))
    console = Console(width=None if sys.stdout.isatty() else _WIDE)
    console.print(table)
    if console.measure(table, options=console.options.update(max_width=_WIDE)).maximum > console.width:
        for check in found:  # nobody can copy a command that is folded into a column
            if check.fix:
                click.echo(f"{check.name}: {check.fix}")
