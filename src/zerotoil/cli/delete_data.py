"""`zerotoil delete-data HOST VOLUME`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from zerotoil.cli.hosts import find, inventory_option
from zerotoil.error_codes import Code
from zerotoil.errors import LabError


@click.command(name="delete-data")
@inventory_option
@click.argument("host")
@click.argument("volume")
@click.option("--dry-run", is_flag=True, help="Say what would go, and delete nothing.")
def delete_data(inventory: Path | None, host: str, volume: str, dry_run: bool) -> None:
    """Delete VOLUME of HOST and its snapshots for good. The full name has to be typed again; there is no way around that.

    Refused while a VM or an initiator could still use it, and while clones depend on its snapshots.
    """
    spec = find(host, inventory)
    from zerotoil.layers import Site
    from zerotoil.workflows.delete_data import delete, foreseen

    site = Site(spec, Path())
    if not dry_run and not sys.stdin.isatty():
        raise LabError(
            "data is deleted only from a terminal: its name has to be typed again",
            "nothing was deleted; --dry-run says what would go",
            code=Code.NOT_CONFIRMED,
        )
    for line in foreseen(site, volume):
        click.echo(f"{host}: {'would delete' if dry_run else 'to be deleted'}: {line}")
    if not dry_run:
        delete(site, volume, click.prompt("Type the full name of the volume to delete it", default="", show_default=False))
        click.echo(f"{host}: {volume} is deleted")
