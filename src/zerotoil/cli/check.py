"""`zerotoil check INVENTORY`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from zerotoil.cli.hosts import data_option, inventory_argument, limit_option, read, stand


@click.command()
@inventory_argument
@limit_option
@data_option
def check(inventory: Path, limit: tuple[str, ...], data: tuple[str, ...]) -> None:
    """Say all that is wrong with INVENTORY, without a lab in reach: keys, rules, Butane, XML, units.

    For a pre-commit hook or CI. Exit code 0: nothing, 1: something.
    """
    declared = read(inventory, data, limit)
    found = stand(declared, inventory, partly=True)
    from zerotoil.edge.lines import located
    from zerotoil.layers.check import check as run

    said = {(problem.host, problem.key) for problem in declared.problems}
    deeper = [
        replace(problem, source=declared.source(problem.host, problem.key))
        for problem in run(found)
        if (problem.host, problem.key) not in said  # what stands in for a wrong value is not the owner's
    ]
    problems = declared.problems + [located(problem, inventory) for problem in deeper]
    for problem in problems:
        click.echo(problem.shown, err=True)
    if not problems:
        click.echo(f"{inventory}: {len(found)} host{'s' if len(found) != 1 else ''}, nothing wrong")
    raise SystemExit(1 if problems else 0)
