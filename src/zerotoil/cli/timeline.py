"""`zerotoil timeline HOST`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from zerotoil.cli.hosts import find, inventory_option


@click.command()
@inventory_option
@click.argument("host")
@click.option("--json", "as_json", is_flag=True, help="For programs; docs/reference/timeline.md describes it.")
def timeline(inventory: Path | None, host: str, as_json: bool) -> None:
    """What happened to HOST, newest first: snapshots, updates, changes of its apps, its OS, reboots.

    Exit code 0, or 1: something could not be read; the rest is shown.
    """
    spec = find(host, inventory)
    from zerotoil.layers import Site
    from zerotoil.layers.timeline import look

    found = look(Site(spec, Path()))
    if as_json:
        from zerotoil.layers.timeline.as_json import as_text

        click.echo(as_text(found))
    else:
        from zerotoil.cli.timeline_view import show

        show(found, datetime.now(UTC))
    raise SystemExit(found.exit_code)
