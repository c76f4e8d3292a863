"""What a deploy would change, field by field, over all layers of all hosts. Reads only.

A layer that cannot be read is a problem of its host; everything else is still planned. Guests are read in parallel:
each costs an SSH connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace

from zerotoil.errors import LabError
from zerotoil.layers.layers import LAYERS, Layer
from zerotoil.layers.notices import notices, told_once
from zerotoil.layers.site import Site
from zerotoil.model.inventory import Problem
from zerotoil.resources.resource import Change, Notice, Resource

_GUESTS_AT_ONCE = 20


@dataclass(frozen=True)
class LayerPlan:
    """One layer of one host: its changes in the order in which they would be made, and what could not be read."""

    title: str
    changes: tuple[Change, ...] = ()
    problems: tuple[LabError, ...] = ()


@dataclass(frozen=True)
class HostPlan:
    """One host."""

    host: str
    layers: tuple[LayerPlan, ...] = ()
    notices: tuple[Notice, ...] = ()

    @property
    def changes(self) -> list[Change]:
        """The changes of all layers."""
        return [change for layer in self.layers for change in layer.changes]

    @property
    def problems(self) -> list[LabError]:
        """What could not be read, each said once."""
        found = {str(problem): problem for layer in self.layers for problem in layer.problems}
        return list(found.values())


@dataclass(frozen=True)
class LabPlan:
    """All hosts of an inventory, and the inventory's own problems."""

    hosts: list[HostPlan] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0: converged, 2: a deploy would change something, 1: some host could not be read."""
        if self.problems or any(host.problems for host in self.hosts):
            return 1
        return 2 if any(host.changes for host in self.hosts) else 0


def plan_lab(sites: Iterable[Site], problems: list[Problem] | None = None, layers: Sequence[Layer] = LAYERS) -> LabPlan:
    """The plan of every site in these layers. Never raises for what a server or a guest does."""
    sites, guest = list(sites), [layer for layer in layers if layer.in_guest]
    _read_ahead(sites)
    outside = [_plan_host(site, [layer for layer in layers if not layer.in_guest]) for site in sites]
    threads = ThreadPoolExecutor(_GUESTS_AT_ONCE)
    try:
        inside = list(threads.map(lambda site: _plan_host(site, guest), sites))
    finally:
        threads.shutdown(wait=False, cancel_futures=True)  # after Ctrl-C nobody waits for a guest that is silent
    found = told_once({site.spec.name: notices(site) for site in sites})
    hosts = [
        replace(one, layers=one.layers + two.layers, notices=found[one.host]) for one, two in zip(outside, inside, strict=True)
    ]
    return LabPlan(hosts, problems or [])


def _read_ahead(sites: list[Site]) -> None:
    """The definitions of all VMs, hypervisor by hypervisor. What cannot be read is said by the host that needs it."""
    names: dict[str, list[Site]] = {}
    for site in sites:
        names.setdefault(site.spec.hypervisor.uri, []).append(site)
    for group in names.values():
        with suppress(LabError):
            hypervisor = group[0].hypervisor
            there = hypervisor.domains()
            hypervisor.read_definitions([site.spec.name for site in group if site.spec.name in there])


def _plan_host(site: Site, layers: Iterable[Layer]) -> HostPlan:
    return HostPlan(site.spec.name, tuple(_plan_layer(site, layer) for layer in layers))


def _plan_layer(site: Site, layer: Layer) -> LayerPlan:
    try:
        resources = layer.resources(site)
    except LabError as error:
        return LayerPlan(layer.title, problems=(error,))
    changes: list[Change] = []
    problems: list[LabError] = []
    for found in _planned(resources):
        if isinstance(found, LabError):
            problems.append(found)
        else:
            changes += found
    return LayerPlan(layer.title, tuple(changes), tuple(problems))


def _planned(resources: Iterable[Resource]) -> Iterator[list[Change] | LabError]:
    for resource in resources:
        try:
            yield resource.plan()
        except LabError as error:
            yield error
