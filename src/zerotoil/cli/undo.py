"""`zerotoil undo HOST`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zerotoil.cli.hosts import find, inventory_option
from zerotoil.error_codes import Code
from zerotoil.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from zerotoil.layers import Site
    from zerotoil.resources.guest.swap import Pin
    from zerotoil.workflows.swap import Swapping
    from zerotoil.workflows.undo import Ahead

_FORMS = ["%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"]
_SHORT = 19  # characters of a digest: "sha256:" and twelve more


@click.command()
@inventory_option
@click.argument("host")
@click.option("--to", default="", metavar="SNAPSHOT", help="To this snapshot, by its name in `zerotoil snapshots`, or latest.")
@click.option("--before", type=click.DateTime(_FORMS), help="To the newest snapshot from before this time, in local time.")
@click.option("--app", default="", metavar="NAME", help="Only this app: its folder and its images.")
@click.option("--return", "back", is_flag=True, help="Back to the data as it was before the last undo.")
@click.option("--continue", "go_on", is_flag=True, help="Finish an undo that was interrupted.")
@click.option("--dry-run", is_flag=True, help="Show what would go back, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def undo(
    inventory: Path | None,
    host: str,
    to: str,
    before: datetime | None,
    app: str,
    back: bool,
    go_on: bool,
    dry_run: bool,
    yes: bool,
) -> None:
    """Take the data of HOST and the images that belong to it back to a snapshot; the present is kept and can be returned to.

    Without --to and --before: to the newest snapshot with which other images, or another k3s, ran than run now.
    """
    if sum(map(bool, (to, before, back, go_on))) > 1:
        raise LabError("--to, --before, --return and --continue exclude each other", "choose one", code=Code.WRONG_OPTION)
    spec = find(host, inventory)
    from zerotoil.layers import Site
    from zerotoil.workflows import undo as workflow

    site = Site(spec, Path(), say=lambda text: click.echo(f"{host}: {text}"))
    if app and go_on:
        raise LabError("--continue finishes an undo of the whole host", "run the same --app again", code=Code.WRONG_OPTION)
    if app:
        _one_app(site, app, to, before, back=back, dry_run=dry_run, yes=yes)
        return
    if go_on:
        _finish(site, dry_run=dry_run)
        return
    ahead = workflow.look_back(site) if back else workflow.look_ahead(site, to, before.astimezone() if before else None)
    _show(site, ahead)
    if dry_run:
        click.echo(f"{host}: nothing was changed")
        return
    if not yes:
        click.confirm("The apps are stopped for it. Go on?", abort=True)
    _told(host, workflow.undo(site, ahead))


def _finish(site: Site, *, dry_run: bool) -> None:
    """`--continue`: an undo that was interrupted, to its end."""
    from zerotoil.workflows.undo import go_on

    swapping = go_on(site)
    click.echo(f"{site.spec.name}: goes on from {swapping.swap.old} to {swapping.swap.new}")
    _others_stay(site)
    if not dry_run:
        swapping.run()
        _told(site.spec.name, swapping)


def _one_app(site: Site, app: str, to: str, before: datetime | None, *, back: bool, dry_run: bool, yes: bool) -> None:
    """`--app`: one app's folder and images, the rest stays."""
    from zerotoil.workflows import undo as workflow
    from zerotoil.workflows.undo_app import refuse_unknown, return_app, undo_app

    host = site.spec.name
    refuse_unknown(site, app)
    if back:
        if dry_run:
            click.echo(f"{host}: would put back the folder of {app} that was kept last")
            return
        click.echo(f"{host}: {app} is {return_app(site, app)} again; what was there is kept beside it")
        return
    ahead = workflow.look_ahead(site, to, before.astimezone() if before else None, app)
    _show(site, ahead, f"/var/mnt/data/apps/{app}")
    if dry_run:
        click.echo(f"{host}: nothing was changed")
        return
    if not yes:
        click.confirm(f"{app} is stopped for it. Go on?", abort=True)
    pins, kept = undo_app(site, app, ahead)
    _pins(pins)
    click.echo(f"  what was there is kept as {kept}")
    click.echo(f"  return: zerotoil undo {host} --app {app} --return")
    if any(pin.image for pin in pins):
        click.echo(f"  follow the updates again: zerotoil release {host} {app}")


def _pins(pins: Sequence[Pin]) -> None:
    for pin in pins:
        if pin.image:
            click.echo(f"  {pin.app} {pin.service} is held at {pin.image}")
        else:
            click.echo(f"  {pin.app} {pin.service} cannot be held: no registry knows the image that ran")


def _show(site: Site, ahead: Ahead, what: str = "/var/mnt/data") -> None:
    from datetime import UTC

    from zerotoil.cli.snapshots import age, size

    host, swap, snapshot = site.spec.name, ahead.swap, ahead.snapshot
    if snapshot is None:
        click.echo(f"{host}: /var/mnt/data goes back to {swap.new} as it was when it was replaced")
    else:
        when, old = f"{snapshot.created.astimezone():%Y-%m-%d %H:%M}", age(snapshot.created, datetime.now(UTC))
        ago = when if old == "now" else f"{when}, {old} ago"
        click.echo(f"{host}: {what} goes back to {snapshot.name} ({ago}, {size(snapshot.referenced)})")
        for image in ahead.images:
            now = image.now[:_SHORT] or "nothing"
            click.echo(f"  {image.app} {image.service}: {now} -> {image.then[:_SHORT] or 'what its tag names'}")
        if ahead.k3s:
            click.echo(f"  k3s: {' -> '.join(ahead.k3s)}, with its datastore")
        if ahead.recorded is None:
            click.echo("  which images ran then is not recorded: they stay as they are")
        elif not ahead.images and not ahead.k3s:
            click.echo("  the images that ran then are those that run now")
    if what == "/var/mnt/data":
        click.echo(f"  what is there now stays: {swap.old}")
    _others_stay(site)


def _others_stay(site: Site) -> None:
    from zerotoil.model.volumes import further

    for volume in further(site.spec):
        click.echo(f"  {volume.mount} is another volume ({volume.spec.zvol}): it stays as it is, with what is in it now")


def _told(host: str, swapping: Swapping) -> None:
    click.echo(f"{host}: /var/mnt/data is {swapping.swap.new}")
    held = sorted({pin.app for pin in swapping.pins if pin.image})
    _pins(swapping.pins)
    if swapping.safety:
        click.echo(f"  the present was kept as {swapping.swap.old}, and as the snapshot {swapping.safety}")
    click.echo(f"  return: zerotoil undo {host} --return")
    for app in held:
        click.echo(f"  follow the updates again: zerotoil release {host} {app}")
