"""`zerotoil snapshot HOST`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from zerotoil.cli.hosts import find, inventory_option


@click.command()
@inventory_option
@click.argument("host")
@click.option("--note", default="", metavar="TEXT", help="What it is for; kept with the snapshot on the NAS.")
@click.option("--dry-run", is_flag=True, help="Say what would be taken, and take nothing.")
def snapshot(inventory: Path | None, host: str, note: str, dry_run: bool) -> None:
    """Take a snapshot of the data of HOST now, with its filesystem frozen for that moment where the guest answers.

    The guest thaws by itself after 30 seconds, whatever happens here. No task on the NAS removes the snapshot.
    """
    spec = find(host, inventory)
    from zerotoil.layers import Site
    from zerotoil.workflows.snapshot import take, wanted

    site, now = Site(spec, Path()), datetime.now().astimezone()
    if dry_run:
        click.echo(f"{host}: would take {wanted(site, note, now)}, of all that lies below too, the guest frozen where it answers")
    else:
        click.echo(f"{host}: {take(site, note, now)}")
