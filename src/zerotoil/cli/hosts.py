"""Finding a host of the command line in the inventories."""

from __future__ import annotations

from pathlib import Path

import click

from zerotoil.errors import LabError
from zerotoil.model.inventory import Declared
from zerotoil.model.spec import HostSpec

inventory_option = click.option(
    "-i", "--inventory", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Inventory file; default: the one in inventory/ that has the host.",
)  # fmt: skip


def read(path: Path) -> Declared:
    """Specs and problems of one inventory file."""
    from zerotoil.edge.inventory import declared, load

    return declared(load(path))


def find(host: str, inventory: Path | None) -> HostSpec:
    """The host's spec. Raises LabError with its problems, or when no inventory has it."""
    files = [inventory] if inventory else sorted(Path("inventory").glob("*.py"))
    known: list[str] = []
    for path in files:
        declared = read(path)
        if host in declared.specs:
            return declared.specs[host]
        problems = declared.problems_of(host)
        if problems:
            raise LabError("\n".join(str(problem) for problem in problems))
        known += declared.specs
    raise LabError(f"no inventory has a host {host}", f"known: {', '.join(sorted(known)) or 'none'} (use -i FILE)")
