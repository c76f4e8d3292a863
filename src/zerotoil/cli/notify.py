"""`zerotoil notify test [HOST]`."""

from __future__ import annotations

from pathlib import Path

import click

from zerotoil.cli.hosts import inventory_option
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.inventory import Problem
from zerotoil.model.spec import HostSpec


@click.group()
def notify() -> None:
    """What hosts, NAS and this machine tell you, and by which path."""


@notify.command()
@inventory_option
@click.argument("host", required=False)
def test(inventory: Path | None, host: str | None) -> None:
    """Send a test message by every declared path: from this machine, from HOST (or every host), from the NAS.

    One line a path. Exit code 0: none failed, 1: some did.
    """
    specs, problems = _chosen(host, inventory)
    from zerotoil.layers import Site
    from zerotoil.workflows.notify_paths import State, try_all

    states = []
    for outcome in try_all(Site(spec, Path()) for spec in specs):
        states.append(outcome.state)
        click.echo(str(outcome))
    for problem in problems:
        click.echo(problem.shown, err=True)
    if not states and not problems:
        raise LabError(
            "nothing to test: no sink, no notification URL of Watchtower and no mail of the NAS is declared",
            "declare notify_sinks (docs/guides/notify.md)",
            code=Code.NOTHING_TO_TEST,
        )
    raise SystemExit(1 if problems or State.FAILED in states else 0)


def _chosen(host: str | None, inventory: Path | None) -> tuple[list[HostSpec], list[Problem]]:
    """The host, or all hosts of the inventory (of all in inventory/), with the problems of those that are not right."""
    from zerotoil.cli.hosts import find, read

    if host:
        return [find(host, inventory)], []
    files = [inventory] if inventory else sorted(Path("inventory").glob("*.py"))
    if not files:
        raise LabError("there is no inventory here", "name one with -i, or a host", code=Code.NO_SUCH_HOST)
    found = [read(path) for path in files]
    specs = [spec for declared in found for spec in declared.specs.values()]
    return specs, [problem for declared in found for problem in declared.problems]
