"""`zerotoil adopt`: write the inventory of a lab that exists."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zerotoil.error_codes import Code
from zerotoil.errors import LabError, coded

if TYPE_CHECKING:
    from zerotoil.adopt.inventory import Asked
    from zerotoil.adopt.lab import Adoption
    from zerotoil.model.spec import HostSpec
    from zerotoil.resources.guest import Guest

_WIDE = 200  # columns where no terminal says how many it has


@click.command()
@click.option("--nas", "nas_url", required=True, help="API address of the TrueNAS: wss://nas.lan")
@click.option("--nas-user", required=True, help="User the API key belongs to.")
@click.option("--nas-api-key", required=True, help="The API key: file:PATH or env:NAME.")
@click.option("--nas-ca", type=click.Path(dir_okay=False), help="CA certificate (PEM) of the NAS.")
@click.option("--nas-fingerprint", help="SHA-256 of the NAS's certificate, instead of a CA.")
@click.option("--hypervisor", "hypervisor_uri", required=True, help="libvirt address: qemu+ssh://root@hv1/system")
@click.option("--ssh-user", help="Read the guests too, as this user (sudo without a password): Docker, Watchtower, filesystem.")
@click.option("--ssh-key", help="Private key for that; default: your agent and ~/.ssh")
@click.option("--lab-name", default="lab", show_default=True, help="The lab's name, part of every mark.")
@click.option(
    "--output", type=click.Path(path_type=Path), default=Path("inventory/lab.py"), show_default=True,
    help="Where the inventory is written; never over a file that exists.",
)  # fmt: skip
@click.argument("domains", nargs=-1)
def adopt(output: Path, lab_name: str, domains: tuple[str, ...], **servers: Any) -> None:
    """Read an existing lab and write the inventory that describes it: DOMAINs, or all of the hypervisor's.

    Nothing is changed on the NAS, the hypervisor or a guest.
    """
    from zerotoil.adopt.inventory import Asked
    from zerotoil.adopt.lab import adopt as read
    from zerotoil.clients.hypervisor import Hypervisor

    _is_free(output)
    asked = Asked(lab_name, **servers)
    nas = _connect(asked)
    hypervisor = Hypervisor.connect(asked.hypervisor_uri)
    found = read(nas, hypervisor, asked, domains, _guest if asked.ssh_user else None)
    if found.found:
        _write(output, found.written.text())
    _say(found, output)


def _guest(spec: HostSpec) -> Guest:
    from zerotoil.layers import Site

    return Site(spec, Path()).running_guest()


def _is_free(output: Path) -> None:
    if output.exists():
        raise LabError(f"{output} exists and is not overwritten", "name another file with --output", code=Code.FILE_EXISTS)


def _connect(asked: Asked) -> Any:
    """The NAS, by the same rules as in an inventory. Raises LabError."""
    from pydantic import ValidationError

    from zerotoil.clients.truenas import Nas
    from zerotoil.model.nas import NasSpec
    from zerotoil.model.spec import LabSpec
    from zerotoil.model.vm import HypervisorSpec

    given = {
        "url": asked.nas_url, "user": asked.nas_user, "api_key": asked.nas_api_key, "dataset": "tank",
        "ca": asked.nas_ca, "fingerprint": asked.nas_fingerprint,
    }  # fmt: skip
    try:
        LabSpec(name=asked.lab)
        HypervisorSpec(uri=asked.hypervisor_uri)
        nas = NasSpec.model_validate(given)
    except ValidationError as error:
        raise LabError(error.errors()[0]["msg"].removeprefix("Value error, "), code=Code.WRONG_VALUE) from error
    ca = nas.ca.expanduser() if nas.ca else None
    return Nas.connect(nas.url, nas.user, nas.api_key, ca=ca, fingerprint=nas.fingerprint, timeout=nas.timeout)


def _write(output: Path, text: str) -> None:
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with output.open("x") as file:  # fails when it appeared meanwhile
            file.write(text)
    except OSError as error:
        raise LabError(
            f"{output} cannot be written ({error.strerror})", "name another file with --output", code=Code.FILE_UNWRITABLE
        ) from error


def _say(found: Adoption, output: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False, markup=False)
    table = Table("VM", "zvol", "target", "what to look at", "what the next plan would change", show_lines=True)
    for vm, volume in found.found:
        remarks = "\n".join(found.written.remarks(vm.name))
        plan = "\n".join(found.plans[vm.name])
        table.add_row(vm.name, volume.zvol, volume.target, remarks or "-", plan or "nothing")
    if found.found:
        console.print(table)
        for remark in found.written.remarks():
            console.print(f"all VMs: {remark}", soft_wrap=True)
    for refused in found.refused:
        console.print(coded(f"not adopted: {refused.name}: {refused.reason}", refused.code), soft_wrap=True)
    if not found.found:
        raise LabError(
            "no VM can be adopted; no inventory was written",
            "see the reasons above" if found.refused else "",
            code=Code.NOTHING_ADOPTED,
        )
    console.print(f"{output} was written; nothing else was changed. Read it, above all its lines 'not known'.", soft_wrap=True)
