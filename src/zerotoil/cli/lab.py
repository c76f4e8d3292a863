"""`zerotoil lab`: the embedded lab, made of real parts on this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from zerotoil.minilab import layout


@click.group()
def lab() -> None:
    """The embedded lab: real ZFS, iSCSI, libvirt and Ignition around a TrueNAS API simulator. Needs root."""


@lab.command()
@click.option(
    "--nas-version",
    type=click.Choice(layout.NAS_VERSIONS),
    help=f"TrueNAS version to play; first {layout.NAS_VERSION}, then as before.",
)
def up(nas_version: str | None) -> None:
    """Bring the lab up; harmless when it is up. The first time builds tools and a guest image (minutes)."""
    from zerotoil.minilab.lab import up as bring_up

    bring_up(_say, nas_version)


@lab.command()
def ostree() -> None:
    """Build the guest whose root is an ostree deployment; hosts get it by os_stream = "ostree". Takes minutes.

    Its tree is pushed as os/base:v1, to build images of one's own on. `zerotoil lab up` does without all this.
    """
    from zerotoil.minilab.lab import ostree as bring_ostree

    bring_ostree(_say)


@lab.command()
def status() -> None:
    """What runs. Exit code 0: all of it, 2: a part, 1: nothing."""
    from rich.console import Console
    from rich.table import Table

    from zerotoil.minilab import lab as whole

    rows = whole.status()
    table = Table("piece", "state", "address")
    for row in rows:
        table.add_row(row.name, "[green]up[/green]" if row.is_up else "[red]down[/red]", row.address)
    table.add_row("guests", "", ", ".join(whole.guests()) or "none")
    Console(soft_wrap=not sys.stdout.isatty()).print(table)
    own = [row.is_up for row in rows if row.name != "libvirt"]  # which may be the system's, or another lab's
    raise SystemExit(0 if all(row.is_up for row in rows) else 2 if any(own) else 1)


@lab.command()
def down() -> None:
    """Leave nothing running, mounted or defined. Data and built images stay for the next `up`."""
    from zerotoil.minilab.lab import down as bring_down

    bring_down(_say)


@lab.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(yes: bool) -> None:
    """Down, and remove everything that the lab stored, its guests' data included."""
    from zerotoil.minilab import preflight
    from zerotoil.minilab.lab import reset as remove

    preflight.require_root()
    if not yes:
        click.confirm(f"Remove {layout.STATE} with all guests' disks and data volumes of the lab?", abort=True)
    remove(_say)


@lab.command()
@click.argument("host")
@click.option("--log", "log_only", is_flag=True, help="Print what the console has logged instead of attaching to it.")
def console(host: str, log_only: bool) -> None:
    """Attach to HOST's serial console (leave with Ctrl+]); without a terminal, print its log."""
    from zerotoil.minilab import preflight
    from zerotoil.minilab.libvirtd import guest_console

    preflight.require_root()
    preflight.extend_path()
    if log_only or not (sys.stdin.isatty() and sys.stdout.isatty()):
        click.echo(guest_console(host))
        return
    os.execvp("virsh", ["virsh", "--connect", layout.LIBVIRT_URI, "console", "--force", host])


@lab.command()
@click.option("--json", "as_json", is_flag=True, help="One line of JSON per message, with every field that was sent.")
def messages(as_json: bool) -> None:
    """What the stand-in for Signal's REST service has taken, oldest first."""
    import json

    from zerotoil.minilab import preflight, signal

    preflight.require_root()
    for message in signal.taken(layout.SIGNAL_MESSAGES):
        recipients = ", ".join(message["recipients"])
        head = f"{message['time']}  {message['number']} -> {recipients}"
        text = str(message.get("message", "")).replace("\n", "\n    ")
        click.echo(json.dumps(message) if as_json else f"{head}\n    {text}")


@lab.group()
def image() -> None:
    """Test images in the lab's registries."""


@image.command()
@click.argument("name", metavar="NAME:TAG")
@click.option("--version", default="1", show_default=True, help="What the app answers; another version is another image.")
@click.option("--broken", is_flag=True, help="Its health check fails.")
@click.option(
    "--created", metavar="DATE", help="When the image says it was made (2026-08-18, or now): what a cooldown counts from."
)
@click.option("--postgres", is_flag=True, help="A real PostgreSQL on /data; any version but 1 migrates badly at its start.")
@click.option("--private", is_flag=True, help="Into the registry that wants a login.")
def push(name: str, version: str, broken: bool, created: str | None, postgres: bool, private: bool) -> None:
    """Push the test app as NAME:TAG and print its digest.

    The app is a small web server on port 8080: / answers its version, /health says ok or fails.
    """
    from zerotoil.minilab import images, preflight, registry

    preflight.require_root()
    preflight.extend_path()
    made_at = created or images.CREATED
    if postgres:
        from zerotoil.minilab import postgres as database

        made = database.image(version, made_at)
    else:
        made = images.app(version, broken=broken, created=made_at)
    click.echo(images.push(name, made, to=registry.PRIVATE if private else registry.OPEN))


@image.command("os")
@click.argument("name", metavar="NAME:TAG")
@click.option("--version", default="1", show_default=True, help="What the system says of itself in `rpm-ostree status`.")
@click.option(
    "--overlay",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with usr/ and etc/ that lie on top of the tree.",
)
@click.option("--private", is_flag=True, help="Into the registry that wants a login.")
def push_os(name: str, version: str, overlay: Path | None, private: bool) -> None:
    """Push the ostree guest's tree, with files on top, as NAME:TAG and print its digest."""
    from zerotoil.minilab import ostree, preflight, registry

    preflight.require_root()
    preflight.extend_path()
    repository, _, tag = name.rpartition(":")
    click.echo(ostree.push(repository, tag, overlay or {}, version, to=registry.PRIVATE if private else registry.OPEN))


def _say(piece: str, what: str, seconds: float) -> None:
    click.echo(f"{piece:<20} {what:<60} {seconds:6.1f} s")
