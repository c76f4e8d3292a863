"""From the command line to hosts: which inventory, which of its hosts, with which data on top."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.inventory import Declared, Problem, Problems
from zerotoil.model.spec import HostSpec

if TYPE_CHECKING:
    from zerotoil.layers import Site

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
inventory_option = click.option(
    "-i", "--inventory", type=_FILE, help="Inventory file; default: the one in inventory/ that has the host."
)
inventory_argument = click.argument("inventory", type=_FILE)
limit_option = click.option("--limit", multiple=True, metavar="HOST|GROUP", help="Only these hosts (patterns allowed).")
data_option = click.option("--data", multiple=True, metavar="KEY=VALUE", help="Data that wins over the inventory's.")


def read(path: Path, data: tuple[str, ...] = (), limit: tuple[str, ...] = ()) -> Declared:
    """Specs and problems of one inventory file. Cross-host rules see all hosts, whatever `limit` leaves."""
    from zerotoil.edge.start import load_pyinfra

    load_pyinfra()
    from zerotoil.edge.inventory import declared, load, matching
    from zerotoil.edge.lines import left_out, located, repeated

    inventory = load(path, override(data))
    found = declared(inventory)
    names = matching(inventory, limit) if limit else {host.name for host in inventory}
    twice = list(repeated(path))
    once = names - {problem.host for problem in twice}
    specs, partly = ({name: spec for name, spec in some.items() if name in once} for some in (found.specs, found.partly))
    problems = [*twice, *(located(problem, path) for problem in found.problems)]
    problems = [problem for problem in problems if problem.host in names]
    if not limit:
        problems += left_out(path, names)
    return Declared(specs, problems, found.layers, partly)


def override(data: tuple[str, ...]) -> dict[str, object]:
    """`key=value` pairs as pyinfra's own --data reads them. Raises LabError for a pair without "="."""
    from pyinfra_cli.util import parse_cli_arg

    found: dict[str, object] = {}
    for pair in data:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise LabError(
                f"--data {pair} is not KEY=VALUE", "write for instance --data vm_memory='4 GiB'", code=Code.WRONG_OPTION
            )
        found[key] = parse_cli_arg(value)
    return found


def sites(path: Path, limit: tuple[str, ...], data: tuple[str, ...]) -> tuple[list[Site], list[Problem]]:
    """The hosts that are declared right, where they stand, and the problems of the others. Raises LabError for none at all."""
    found = read(path, data, limit)  # first: it loads pyinfra, which wants to patch sockets before anything imports them
    return stand(found, path), found.problems


def stand(found: Declared, path: Path, partly: bool = False) -> list[Site]:
    """The hosts that are declared right, where they stand; with `partly` also the others, as far as they are right.

    Raises LabError when the inventory has none that are ours.
    """
    from zerotoil.layers import Site

    if not found.layers:
        raise LabError(
            f"{path} has no host of ours", 'write hosts as [("@vm/NAME", {…})]; others are left alone', code=Code.NO_SUCH_HOST
        )
    return [Site(spec, Path()) for spec in (found.specs | (found.partly if partly else {})).values()]


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
            raise Problems(problems)
        known += declared.specs
    raise LabError(
        f"no inventory has a host {host}", f"known: {', '.join(sorted(known)) or 'none'} (use -i FILE)", code=Code.NO_SUCH_HOST
    )
