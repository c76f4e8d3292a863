"""`zerotoil plan INVENTORY`."""

from __future__ import annotations

from pathlib import Path

import click

from zerotoil.cli.hosts import data_option, inventory_argument, limit_option, sites


@click.command()
@inventory_argument
@limit_option
@data_option
@click.option("--layer", multiple=True, metavar="LAYER", help="Only these layers; without the guest no SSH is needed.")
@click.option("--json", "as_json", is_flag=True, help="For programs; docs/reference/plan.md describes it.")
@click.option("--verbose", is_flag=True, help="Every field of what would be made, and whole texts.")
def plan(
    inventory: Path, limit: tuple[str, ...], data: tuple[str, ...], layer: tuple[str, ...], as_json: bool, verbose: bool
) -> None:
    """Show what a deploy of INVENTORY would change, field by field. Writes nothing.

    Exit code 0: converged, 2: changes, 1: some host could not be read.
    """
    found, problems = sites(inventory, limit, data)
    from zerotoil.layers.layers import named
    from zerotoil.layers.plan import plan_lab

    made = plan_lab(found, problems, named(layer))
    if as_json:
        from zerotoil.layers.plan_json import as_text

        click.echo(as_text(made))
    else:
        from zerotoil.cli.plan_view import show

        show(made, verbose)
    raise SystemExit(made.exit_code)
