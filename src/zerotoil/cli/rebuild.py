"""`zerotoil rebuild HOST`."""

from __future__ import annotations

from pathlib import Path

import click

from zerotoil.cli.hosts import find, inventory_option


@click.command()
@inventory_option
@click.argument("host")
@click.option("--yes", is_flag=True, help="Do not ask.")
def rebuild(inventory: Path | None, host: str, yes: bool) -> None:
    """Give HOST a new OS disk with today's image and config. Its data disk stays; the old OS disk is kept."""
    spec = find(host, inventory)
    from zerotoil.layers import Site
    from zerotoil.workflows.rebuild import rebuild as run

    if not yes:
        click.confirm(
            f"{host} is shut down and started from a new OS disk; everything outside /var/mnt/data is lost. Go on?", abort=True
        )
    run(Site(spec, Path(), say=lambda text: click.echo(f"{host}: {text}")))
