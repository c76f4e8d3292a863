"""`zerotoil status INVENTORY`: what runs where, and how to look at it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from zerotoil.errors import LabError
from zerotoil.model.spec import HostSpec
from zerotoil.model.units import format_size

_WIDE = 200  # columns where no terminal says how many it has: addresses are not cut


@click.command()
@click.argument("inventory", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def status(inventory: Path) -> None:
    """One row per host of INVENTORY: VM, address, OS, data volume."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from zerotoil.cli.hosts import read

    declared, table = read(inventory), Table("host", "VM", "address", "OS", "data volume", "look at it")
    failed = bool(declared.problems)
    for spec in declared.specs.values():
        try:
            table.add_row(*_row(spec))
        except LabError as error:
            failed = True
            table.add_row(spec.name, Text(error.shown, style="red"))
    Console(width=None if sys.stdout.isatty() else _WIDE).print(table)
    for problem in declared.problems:
        click.echo(problem.shown, err=True)
    raise SystemExit(1 if failed else 0)


def _row(spec: HostSpec) -> list[str]:
    from zerotoil.layers.servers import servers
    from zerotoil.model.volumes import volumes
    from zerotoil.resources.hypervisor import address, observed
    from zerotoil.resources.nas.mark import read_mark
    from zerotoil.resources.nas.present import present

    vm = observed(spec, servers.hypervisor(spec))
    nas = servers.nas(spec)
    state = "running" if vm.running else "off" if vm.exists else "absent"
    shown = []
    for one in volumes(spec):
        serving = present(one.spec, nas)
        mark = read_mark(nas, serving)
        absent = "absent" if one.is_data else f"{serving} absent"
        shown.append(f"{serving} ({format_size(one.spec.data.size)}, {mark.filesystem or mark.state})" if mark else absent)
    where = (address(spec, servers.hypervisor(spec)) if vm.running else None) or "-"
    look = f"zerotoil ssh {spec.name}; virsh -c {spec.hypervisor.uri} console {spec.name}"
    return [spec.name, state, where, vm.os_release or "-", "\n".join(shown), look]
