"""`zerotoil updates [HOST]`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zerotoil.cli.hosts import find, inventory_option, sites
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.inventory import Problem

if TYPE_CHECKING:
    from zerotoil.layers import Site
    from zerotoil.layers.updates import HostUpdates
    from zerotoil.layers.updates.found import Asks
    from zerotoil.model.registry import RegistrySpec


@click.command()
@inventory_option
@click.argument("host", required=False)
@click.option("--json", "as_json", is_flag=True, help="For programs; docs/reference/updates.md describes it.")
@click.option("--write", is_flag=True, help="Set the newest allowed tags in apps/NAME/compose.yaml; nothing else is changed.")
def updates(inventory: Path | None, host: str | None, as_json: bool, write: bool) -> None:
    """What is outdated on HOST (default: on every host), and why it has not moved.

    Exit code 0: nothing is outdated, 2: something is, 1: something could not be read; the rest is shown.
    """
    chosen, problems = _sites(host, inventory)
    from zerotoil.layers.updates.found import exit_code

    asks, now = _Registries(), datetime.now(UTC)
    found = [_look(site, asks, now) for site in chosen]
    code = exit_code(found, len(problems))
    if as_json:
        from zerotoil.layers.updates.as_json import as_text

        click.echo(as_text(found, problems))
    else:
        from zerotoil.cli.updates_view import show

        show(found, now)
        for problem in problems:
            click.echo(problem.shown, err=True)
    if write and not _write(found, to_stderr=as_json):
        code = 1
    raise SystemExit(code)


def _sites(host: str | None, inventory: Path | None) -> tuple[list[Site], list[Problem]]:
    """The host, or all hosts of the inventory (of all inventories where none is named)."""
    if host:
        spec = find(host, inventory)
        from zerotoil.layers import Site

        return [Site(spec, Path())], []
    files = [inventory] if inventory else sorted(Path("inventory").glob("*.py"))
    if not files:
        raise LabError("there is no inventory", "name one: zerotoil updates -i FILE", code=Code.NO_SUCH_HOST)
    chosen: list[Site] = []
    problems: list[Problem] = []
    for path in files:
        declared, wrong = sites(path, (), ())
        chosen, problems = [*chosen, *declared], [*problems, *wrong]
    return chosen, problems


def _look(site: Site, asks: _Registries, now: datetime) -> HostUpdates:
    from zerotoil.layers.updates import HostUpdates, look

    try:
        return look(site, asks.of(site.spec.registry), now)
    except LabError as error:
        return HostUpdates(site.spec.name, problems=(error,))


class _Registries:
    """One client for all hosts that declare the same registries: what one host asked is known for the next."""

    def __init__(self) -> None:
        self._made: list[tuple[RegistrySpec, Asks]] = []

    def of(self, spec: RegistrySpec) -> Asks:
        """The client for a declaration. Raises LabError where registry_ca cannot be read."""
        for known, client in self._made:
            if known == spec:
                return client
        from zerotoil.clients.registry import Registry

        made: Asks = Registry(spec)
        self._made.append((spec, made))
        return made


def _write(found: list[HostUpdates], *, to_stderr: bool) -> bool:
    """Set the tags and show what changed; False where a file could not be changed."""
    from zerotoil.workflows.new_tags import new_tags, write_tag

    good = True
    wanted = new_tags(found)
    for (app, service), tag in wanted.items():
        try:
            click.echo(write_tag(Path(), app, service, tag), nl=False, err=to_stderr)
        except LabError as error:
            good = False
            click.echo(error.shown, err=True)
    if not wanted:
        click.echo("no newer tag is allowed: nothing was written", err=to_stderr)
    return good
