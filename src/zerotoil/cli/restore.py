"""`zerotoil restore HOST`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zerotoil.cli.hosts import find, inventory_option
from zerotoil.cli.snapshots import age, size
from zerotoil.error_codes import Code
from zerotoil.errors import LabError

if TYPE_CHECKING:
    from zerotoil.layers import Site
    from zerotoil.layers.restores import Found

_WIDE = 200  # columns where no terminal says how many it has


@click.command()
@inventory_option
@click.argument("host")
@click.argument("snapshot", required=False)
@click.option("--beside", "is_beside", is_flag=True, help="Mount SNAPSHOT (or latest) at /var/mnt/restore/NAME in the guest.")
@click.option("--as", "name", default="", metavar="NAME", help="What to call it; default: the snapshot's name.")
@click.option("--volume", default="", metavar="NAME", help="With --beside: of this volume of data_more, not of the data volume.")
@click.option("--writable", is_flag=True, help="With --beside: writable; what is written there goes with --drop.")
@click.option("--list", "is_list", is_flag=True, help="What is beside the data, and what was left behind.")
@click.option("--json", "as_json", is_flag=True, help="With --list: for programs, sizes in bytes.")
@click.option("--drop", default="", metavar="NAME", help="Take it apart again; the data and the snapshot stay.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
def restore(
    inventory: Path | None,
    host: str,
    snapshot: str | None,
    is_beside: bool,
    name: str,
    volume: str,
    writable: bool,
    is_list: bool,
    as_json: bool,
    drop: str,
    dry_run: bool,
) -> None:
    """Look at a snapshot of the data of HOST beside its data, without a restart. The data itself is never touched.

    Interrupted anywhere, the same command goes on from there. Exit code 0, or 1: with --list, something could not be looked at.
    """
    _check_options(snapshot, is_beside, is_list, drop, needs_beside=bool(name or volume or writable), as_json=as_json)
    spec = find(host, inventory)
    from zerotoil.layers import Site

    site = Site(spec, Path(), say=lambda text: click.echo(f"{host}: {text}"))
    if is_list:
        _list(site, as_json)
    elif drop:
        _drop(site, drop, dry_run)
    else:
        _beside(site, snapshot or "", name, volume, writable=writable, dry_run=dry_run)


def _check_options(snapshot: str | None, is_beside: bool, is_list: bool, drop: str, *, needs_beside: bool, as_json: bool) -> None:
    """Raise LabError unless they say one thing."""
    if [is_beside, is_list, bool(drop)].count(True) != 1:
        wrong = "one of --beside, --list and --drop NAME is needed"
    elif is_beside != bool(snapshot):
        wrong = "--beside needs a SNAPSHOT, and nothing else does"
    elif needs_beside and not is_beside:
        wrong = "--as, --volume and --writable go with --beside"
    elif as_json and not is_list:
        wrong = "--json goes with --list"
    else:
        return
    raise LabError(wrong, "for instance: zerotoil restore HOST latest --beside", code=Code.WRONG_OPTION)


def _beside(site: Site, snapshot: str, name: str, volume: str, *, writable: bool, dry_run: bool) -> None:
    from zerotoil.workflows.restore import beside_steps, mount_beside, wanted

    want = wanted(site, snapshot, name, volume=volume, writable=writable)
    if dry_run:
        click.echo(f"{site.spec.name}: would see to, where it is not so already:")
        for step in beside_steps(want):
            click.echo(f"  {step.what}")
        return
    folder = mount_beside(want)
    click.echo(f"{site.spec.name}: {want.snapshot} is at {folder}, {'writable' if writable else 'read-only'}")
    click.echo(f"{site.spec.name}: when you are done: zerotoil restore {site.spec.name} --drop {want.restore.name}")


def _drop(site: Site, name: str, dry_run: bool) -> None:
    from zerotoil.workflows.restore import drop, would_drop

    if dry_run:
        click.echo(f"{site.spec.name}: would take apart:")
        for what in would_drop(site, name):
            click.echo(f"  {what}")
        return
    drop(site, name)
    click.echo(f"{site.spec.name}: {name} is taken apart")


def _list(site: Site, as_json: bool) -> None:
    from zerotoil.layers.restores import look

    seen = look(site)
    if as_json:
        shown = {"host": site.spec.name, "restores": [one.as_json() for one in seen.found]}
        shown["problems"] = [{"code": problem.code, "what": str(problem)} for problem in seen.problems]
        click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
    elif seen.found:
        _show(seen.found, datetime.now(UTC))
    elif not seen.problems:
        click.echo(f"{site.spec.name}: nothing is beside its data")
    for problem in seen.problems:
        click.echo(problem.shown, err=True)
    raise SystemExit(1 if seen.problems else 0)


def _show(found: Sequence[Found], now: datetime) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("name", "snapshot", "age", "used", "state")
    for one in found:
        taken = age(one.taken, now) if one.taken else ""
        table.add_row(*map(Text, (one.name, one.snapshot.rpartition("@")[2], taken, size(one.used), one.state)))
    Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False).print(table)
    for one in found:
        click.echo(f"{one.drop}" + (f"   or finish it: {one.finish}" if one.finish else ""))
