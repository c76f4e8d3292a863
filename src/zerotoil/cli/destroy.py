"""`zerotoil destroy HOST`."""

from __future__ import annotations

from pathlib import Path

import click

from zerotoil.cli.hosts import find, inventory_option


@click.command()
@inventory_option
@click.argument("host")
@click.option("--dry-run", is_flag=True, help="Say what would go and what would stay, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def destroy(inventory: Path | None, host: str, dry_run: bool, yes: bool) -> None:
    """Remove the VM of HOST with its OS disks and configs. Its data volume, target and snapshots stay on the NAS."""
    spec = find(host, inventory)
    from zerotoil.layers import Site
    from zerotoil.workflows.destroy import destroy as run
    from zerotoil.workflows.destroy import foreseen, staying

    site = Site(spec, Path(), say=lambda text: click.echo(f"{host}: {text}"))
    going, stays = foreseen(site), staying(site)
    would = "would be removed" if dry_run else "to be removed"
    for name in going:
        click.echo(f"{host}: {would}: {name}")
    if not going:
        click.echo(f"{host}: the hypervisor has nothing of it")
    elif not dry_run:
        if not yes:
            click.confirm(f"{host} is shut down and removed; its data stays. Go on?", abort=True)
        run(site)
        click.echo(f"{host}: removed")
    for line in stays:
        click.echo(f"{host}: {line}")
