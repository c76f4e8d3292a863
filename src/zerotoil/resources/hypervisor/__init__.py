"""The hypervisor layer of one host, in the order in which it is made."""

from __future__ import annotations

from collections.abc import Callable

from zerotoil.clients.hypervisor import Hypervisor
from zerotoil.model.spec import HostSpec
from zerotoil.resources.hypervisor.dhcp import DhcpReservation
from zerotoil.resources.hypervisor.domain import Domain, FirstBoot, Running, pending
from zerotoil.resources.hypervisor.image import LocalImage
from zerotoil.resources.hypervisor.iscsi_pool import IscsiPool
from zerotoil.resources.hypervisor.observe import ObservedVm, address, observed, shutdown
from zerotoil.resources.hypervisor.os_switch import switch
from zerotoil.resources.hypervisor.provision import BaseImage, IgnitionVolume, Ingredients, OsDisk, kept_config
from zerotoil.resources.hypervisor.rebuild import prepare, prune
from zerotoil.resources.hypervisor.restart import Restart
from zerotoil.resources.hypervisor.secret import ChapSecret
from zerotoil.resources.resource import Resource

__all__ = [
    "LocalImage",
    "ObservedVm",
    "Running",
    "address",
    "hypervisor_resources",
    "kept_config",
    "observed",
    "pending",
    "prepare",
    "prune",
    "shutdown",
    "switch",
]


def hypervisor_resources(
    spec: HostSpec,
    hypervisor: Hypervisor,
    *,
    iqn: str,
    ignition: str,
    image: Callable[[], LocalImage],
    guard: Callable[[], None],
    on_first_start: Callable[[], None],
    progress: Callable[[int, int], None] | None = None,
) -> list[Resource]:
    """Everything of one host on its hypervisor.

    `image` is called only where an OS disk is to be made. `guard` raises LabError when the data disk must not be booted
    with; it is asked before a VM is defined and before the first start. `on_first_start` is called right before that
    start. After an interruption both may be called again.
    """
    ingredients, first_boot = Ingredients(spec, hypervisor, ignition, image, progress), FirstBoot(guard, on_first_start)
    resources: list[Resource] = [ChapSecret(spec, hypervisor)] if spec.iscsi.chap_user else []
    if spec.data.attach == "block":
        resources.append(IscsiPool(spec, hypervisor, iqn))
    resources += [DhcpReservation(spec, hypervisor, index) for index, nic in enumerate(spec.vm.nics) if nic.reserve]
    resources += [BaseImage(ingredients), OsDisk(ingredients), IgnitionVolume(ingredients)]
    resources += [Domain(ingredients, iqn, first_boot), Running(spec, hypervisor, first_boot)]
    return [*resources, Restart(spec, hypervisor, iqn)] if spec.vm.restart == "now" else resources
