"""`zerotoil snapshots HOST`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zerotoil.cli.hosts import find, inventory_option

if TYPE_CHECKING:
    from zerotoil.layers.snapshots import Found

_WIDE = 200  # columns where no terminal says how many it has


@click.command()
@inventory_option
@click.argument("host")
@click.option("--volume", "name", default="", metavar="NAME", help="Of this volume of data_more; default: the data volume.")
@click.option("--json", "as_json", is_flag=True, help="For programs: sizes in bytes, times in UTC.")
def snapshots(inventory: Path | None, host: str, name: str, as_json: bool) -> None:
    """The snapshots of the data of HOST, newest first: age, size, where each comes from, its note and its clones."""
    declared = find(host, inventory)
    from zerotoil.layers.servers import servers
    from zerotoil.layers.snapshots import look
    from zerotoil.model.volumes import volume
    from zerotoil.resources.nas.present import present

    spec = volume(declared, name).spec
    nas = servers.nas(spec)
    found = look(spec, nas)
    if as_json:
        shown = {"host": host, "volume": present(spec, nas), "snapshots": [snapshot.as_json() for snapshot in found]}
        click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
    elif found:
        _show(found, datetime.now(UTC))
    else:
        click.echo(f"{host}: {present(spec, nas)} has no snapshots")


def _show(found: Sequence[Found], now: datetime) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("snapshot", "age", "used", "refers to", "origin", "filesystem", "note", "clones")
    for one in found:
        sizes = (size(one.used), size(one.referenced))
        cells = (one.name, age(one.created, now), *sizes, one.origin, one.quiesced, one.note, ", ".join(one.clones))
        table.add_row(*map(Text, cells))
    Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False).print(table)


def age(then: datetime, now: datetime) -> str:
    """How long ago, in the largest unit of which there are two: "3 hours"."""
    seconds = max(0, int((now - then).total_seconds()))
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}s"
    return "now" if seconds < 60 else "1 minute"


def size(count: int) -> str:
    """About how much: 1288490188 -> "1.2 GiB"."""
    value, unit = float(count), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{count} B" if unit == "B" else f"{value:.1f} {unit}"
