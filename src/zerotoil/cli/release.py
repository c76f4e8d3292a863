"""`zerotoil release HOST APP`."""

from __future__ import annotations

from pathlib import Path

import click

from zerotoil.cli.hosts import find, inventory_option


@click.command()
@inventory_option
@click.argument("host")
@click.argument("app")
def release(inventory: Path | None, host: str, app: str) -> None:
    """Let the images of APP on HOST move again that were put back after an update."""
    spec = find(host, inventory)
    from zerotoil.layers import Site
    from zerotoil.workflows.release import release as run

    for line in run(Site(spec, Path()), app):
        service, _, image = line.partition(" ")
        click.echo(f"{host}: app {app}: {service} was held at {image} and follows its tag again")
