"""`zerotoil os status|update|rollback|pin|unpin HOST`.

The module is not named after the command: `zerotoil.cli.os` would take the place of Python's own `os` in the package.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zerotoil.cli.hosts import find, inventory_option

if TYPE_CHECKING:
    from zerotoil.workflows.os_updates import Asked

_dry_run = click.option("--dry-run", is_flag=True, help="Show what would be done, and change nothing.")
_yes = click.option("--yes", is_flag=True, help="Do not ask.")


@click.group()
def os() -> None:
    """A host's OS: its deployments, updates, and the way back."""


@os.command()
@inventory_option
@click.argument("host")
@click.option("--json", "as_json", is_flag=True, help="For programs; docs/reference/os.md describes it.")
def status(host: str, inventory: Path | None, as_json: bool) -> None:
    """Deployments with their ages, health checks, what is pinned and refused, and when it was last updated.

    Exit code 0: all is well, 2: something is to be mended.
    """
    import json
    from datetime import UTC, datetime

    from zerotoil.resources.guest import os_status

    asked, now = _ask(host, inventory), datetime.now(UTC)
    spec = asked.site.spec
    if as_json:
        click.echo(json.dumps(os_status.as_data(spec, asked.seen, now), indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(os_status.lines(spec, asked.seen, now)))
    raise SystemExit(0 if os_status.is_well(spec, asked.seen, now) else 2)


@os.command()
@inventory_option
@click.argument("host")
@click.option("--now", is_flag=True, help="Restart into it at once, outside the window too.")
@_dry_run
@_yes
def update(host: str, inventory: Path | None, now: bool, dry_run: bool, yes: bool) -> None:
    """Look for a newer image of HOST's OS and stage it."""
    asked = _ask(host, inventory)
    would = asked.would_update(now)
    _do(asked, would, lambda: asked.update(now), dry_run=dry_run, sure=yes or not now)


@os.command()
@inventory_option
@click.argument("host")
@_dry_run
@_yes
def rollback(host: str, inventory: Path | None, dry_run: bool, yes: bool) -> None:
    """Take HOST back to the deployment before, restart it, and take no update until it is unpinned."""
    asked = _ask(host, inventory)
    _do(asked, asked.would_rollback(), asked.go_back, dry_run=dry_run, sure=yes)


@os.command()
@inventory_option
@click.argument("host")
@_dry_run
def pin(host: str, inventory: Path | None, dry_run: bool) -> None:
    """Keep HOST at the OS that it runs: no update is taken."""
    asked = _ask(host, inventory)
    _do(asked, asked.would_pin(), asked.pin, dry_run=dry_run, sure=True)


@os.command()
@inventory_option
@click.argument("host")
@click.option("--forget", is_flag=True, help="Take also what was refused after a rollback.")
@_dry_run
def unpin(host: str, inventory: Path | None, forget: bool, dry_run: bool) -> None:
    """Let HOST take updates again; what was refused stays refused."""
    asked = _ask(host, inventory)
    _do(asked, asked.would_unpin(forget), lambda: asked.unpin(forget), dry_run=dry_run, sure=True)


def _ask(host: str, inventory: Path | None) -> Asked:
    spec = find(host, inventory)
    from zerotoil.layers import Site
    from zerotoil.workflows.os_updates import ask

    return ask(Site(spec, Path()))


def _do(asked: Asked, would: str, run: Callable[[], str], *, dry_run: bool, sure: bool) -> None:
    """Say it, ask where it restarts the host, do it."""
    if dry_run or not sure:
        click.echo(f"{asked.host}: {would}")
    if dry_run:
        click.echo(f"{asked.host}: nothing was changed")
        return
    if not sure:
        click.confirm("The host restarts for it. Go on?", abort=True)
    click.echo(f"{asked.host}: {run()}")
