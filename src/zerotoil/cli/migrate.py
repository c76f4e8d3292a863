"""`zerotoil migrate HOST`."""

from __future__ import annotations

from pathlib import Path

import click

from zerotoil.cli.hosts import find, inventory_option


@click.command()
@inventory_option
@click.argument("host")
@click.option("--os-stream", default="", metavar="STREAM", help="The newest image of this stream, whatever is declared.")
@click.option("--os-image", default="", metavar="PATH|URL", help="This image (.qcow2, .qcow2.xz), whatever is declared.")
@click.option("--os-image-sha256", default="", metavar="HEX", help="SHA-256 of --os-image as it is stored there.")
@click.option("--back", is_flag=True, help="Return to the OS disk before, or call off a migration that was cut off.")
@click.option("--force-off", is_flag=True, help="Pull the plug of a guest that does not shut down in vm_shutdown_timeout.")
@click.option("--dry-run", is_flag=True, help="Check everything, say what would happen, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def migrate(
    inventory: Path | None,
    host: str,
    os_stream: str,
    os_image: str,
    os_image_sha256: str,
    back: bool,
    force_off: bool,
    dry_run: bool,
    yes: bool,
) -> None:
    """Give HOST another OS under the same data: the declared image, or the one that is asked for here.

    It goes back by itself when the new OS does not come up healthy with the same data. Cut off, it goes on when it is run again.
    """
    spec = find(host, inventory)
    from zerotoil.layers import Site
    from zerotoil.workflows.migrate import dry_run as foreseen
    from zerotoil.workflows.migrate import migrate as run
    from zerotoil.workflows.migrate import with_image
    from zerotoil.workflows.migrate_journey import Wish

    site = Site(spec, Path(), say=lambda text: click.echo(f"{host}: {text}"))
    site = with_image(site, stream=os_stream, image=os_image, sha256=os_image_sha256)
    wish = Wish(back=back, force_off=force_off)
    if dry_run:
        for line in foreseen(site, wish):
            click.echo(f"{host}: {line}")
        return
    if not yes:
        to = "the OS disk before" if back else "a new OS disk"
        what = f"{host} is shut down and started from {to}; everything outside /var/mnt/data stays behind. Go on?"
        click.confirm(what, abort=True)
    run(site, wish)
