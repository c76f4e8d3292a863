"""`zerotoil ssh HOST [-- COMMAND]`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from zerotoil.cli.hosts import find, inventory_option
from zerotoil.error_codes import Code
from zerotoil.errors import LabError


@click.command(context_settings={"ignore_unknown_options": True})
@inventory_option
@click.argument("host")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def ssh(inventory: Path | None, host: str, command: tuple[str, ...]) -> None:
    """Log in to HOST, or run COMMAND there, with the keys and addresses of the deploy."""
    spec = find(host, inventory)
    from zerotoil.clients.ssh import command as ssh_command
    from zerotoil.layers.project import known_hosts
    from zerotoil.layers.servers import servers
    from zerotoil.resources.hypervisor import address

    where = address(spec, servers.hypervisor(spec))
    if not where:
        raise LabError(f"{host}: no address is known", "is the VM running?", code=Code.NO_ADDRESS)
    arguments = [*ssh_command(spec, where, known_hosts(Path())), *command]
    os.execvp(arguments[0], arguments)
