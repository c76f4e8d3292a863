"""One lab read as a whole: which VMs can be declared, the inventory of them, and what the next plan would change.

A VM that the inventory cannot declare is left out with the reason, and the rest is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import NoReturn

from zerotoil.adopt import domains, nas
from zerotoil.adopt.domains import NotAdopted
from zerotoil.adopt.guest import read as read_guest
from zerotoil.adopt.inventory import Asked, Found, Written, write
from zerotoil.clients.hypervisor import Hypervisor
from zerotoil.clients.truenas import Nas
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.inventory import Declared, declare
from zerotoil.model.spec import HostSpec
from zerotoil.resources.guest import Guest
from zerotoil.resources.hypervisor import hypervisor_resources
from zerotoil.resources.nas import nas_resources, target_iqn
from zerotoil.resources.resource import Resource


@dataclass
class Adoption:
    """What was found. `plans`: host -> the lines of its next plan (NAS and hypervisor)."""

    written: Written
    found: list[Found] = field(default_factory=list)
    refused: list[NotAdopted] = field(default_factory=list)
    plans: dict[str, list[str]] = field(default_factory=dict)


def adopt(
    server: Nas,
    hypervisor: Hypervisor,
    asked: Asked,
    names: Iterable[str] = (),
    guest: Callable[[HostSpec], Guest] | None = None,
) -> Adoption:
    """Read the named domains (or all) and what serves them, and through `guest` what runs in them. Writes nothing anywhere."""
    found: list[Found] = []
    refused: list[NotAdopted] = []
    for vm in domains.read(hypervisor, names):
        if isinstance(vm, NotAdopted):
            refused.append(vm)
            continue
        try:
            found.append((vm, nas.match(server, vm.lun, f"{asked.lab}/{vm.name}")))
        except LabError as error:
            refused.append(NotAdopted(vm.name, str(error), error.code))
    written, declared = write(found, asked), Declared()
    while found:
        declared = declare({vm.name: written.layers(vm.name) for vm, _ in found})
        bad = {problem.host: problem for problem in declared.problems if _is_wrong(written, problem.key)}
        refused += [NotAdopted(host, f"{problem.key}: {problem.what}", problem.code) for host, problem in bad.items()]
        found = [(vm, volume) for vm, volume in found if vm.name not in bad]
        written = write(found, asked)
        if not bad:
            break
    if guest:
        guests = {name: read_guest(partial(guest, spec)) for name, spec in declared.specs.items()}
        written = write(found, asked, guests)
        declared = declare({vm.name: written.layers(vm.name) for vm, _ in found})
    plans = {vm.name: _plan(vm.name, declared, server, hypervisor) for vm, _ in found}
    return Adoption(written, found, refused, plans)


def _is_wrong(written: Written, key: str) -> bool:
    """A key that was left out on purpose is the owner's to fill in; everything else cannot be declared."""
    return not any(key in keys and keys[key].value is None for keys in (written.shared, *written.hosts.values()))


def _plan(host: str, declared: Declared, server: Nas, hypervisor: Hypervisor) -> list[str]:
    if host not in declared.specs:
        return [f"no plan before this is filled in: {problem.key}" for problem in declared.problems_of(host)]
    lines = []
    for resource in _resources(declared.specs[host], server, hypervisor):
        try:
            lines += [f"{change} ({change.risk})" for change in resource.plan()]
        except LabError as error:
            lines.append(f"{resource.key}: cannot be compared yet ({error.shown})")
    return lines


def _resources(spec: HostSpec, server: Nas, hypervisor: Hypervisor) -> list[Resource]:
    iqn = target_iqn(spec, server)
    of_vm = hypervisor_resources(spec, hypervisor, iqn=iqn, ignition="", image=_never, guard=_never, on_first_start=_never)
    return [*nas_resources(spec, server), *of_vm]


def _never() -> NoReturn:
    raise LabError("zerotoil adopt makes nothing", "this is a defect of zerotoil", code=Code.INTERNAL)
