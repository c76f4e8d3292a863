"""A host's OS disks in the hypervisor's pool: the next one is made beside the running one, old ones go when they may.

`prepare` makes the next generation; `os_switch` points the VM at it. `prune` removes OS disks that are older than `os_keep`
allows, once the new one has proved healthy. The data disk is in none of them.
"""

from __future__ import annotations

from dataclasses import replace

from zerotoil.clients.hypervisor import Hypervisor
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.spec import HostSpec
from zerotoil.model.units import format_size
from zerotoil.render.domain_mark import ADOPTED, Made
from zerotoil.resources.hypervisor import volumes
from zerotoil.resources.hypervisor.image import LocalImage
from zerotoil.resources.hypervisor.os_switch import change_mark, own

HEADROOM = 1024**3  # bytes that a first boot and its updates write into a new OS disk, generously


def prepare(spec: HostSpec, hypervisor: Hypervisor, *, ignition: str, image: LocalImage) -> Made:
    """Base image, next overlay and Ignition config. An unused overlay left by an interrupted run is taken or renewed."""
    pool, number = spec.hypervisor.pool, next_number(spec, hypervisor)
    volumes.put_base(hypervisor, pool, image)
    free = hypervisor.storage.available(pool)
    if free < HEADROOM:
        raise LabError(
            f"pool {pool} has {format_size(free // 2**20 * 2**20)} free, a new OS disk needs {format_size(HEADROOM)}",
            "make space on the hypervisor, or name another pool in hypervisor_pool",
            code=Code.STORAGE_POOL_FULL,
        )
    name = volumes.overlay_name(spec.name, number)
    left = hypervisor.storage.volume(pool, name)
    if left and (left.allocation >= volumes.PRISTINE or not left.backing.endswith("/" + volumes.base_name(image))):
        _delete_unused(hypervisor, pool, name)
        left = None
    if left is None:
        volumes.put_overlay(spec, hypervisor, number, image)
    volumes.put_config(spec, hypervisor, ignition)
    return Made(number, volumes.digest(ignition), image.release)


def next_number(spec: HostSpec, hypervisor: Hypervisor) -> int:
    """The next generation: one that was begun and never ran healthy, else a new number.

    A disk of such a name may be somebody's already: of an adopted VM that we once made, and whose mark got lost.
    """
    mark, there = own(spec, hypervisor)[1], volumes.overlays(spec, hypervisor)
    newest = max([*there, mark.generation])
    ran = {mark.generation, *(made.generation for made in mark.earlier)}
    taken = newest in ran or (newest in there and is_used(hypervisor, there[newest]))
    return newest + 1 if taken else newest


def runs(spec: HostSpec, hypervisor: Hypervisor, *, ignition: str, image: LocalImage) -> bool:
    """Is the VM defined with an OS disk of just this image and config?"""
    _, mark = own(spec, hypervisor)
    disk = hypervisor.storage.volume(spec.hypervisor.pool, volumes.overlay_name(spec.name, mark.generation))
    same_config = mark.ignition_sha256 == volumes.digest(ignition)
    return disk is not None and same_config and disk.backing.endswith("/" + volumes.base_name(image))


def previous(spec: HostSpec, hypervisor: Hypervisor) -> Made:
    """The OS disk to go back to: of the newest older generation whose disk and config are there, else the adopted OS.

    Raises LabError when there is none.
    """
    _, mark = own(spec, hypervisor)
    there = hypervisor.storage.names(spec.hypervisor.pool)
    for made in sorted(mark.earlier, key=lambda made: -made.generation):
        parts = {volumes.overlay_name(spec.name, made.generation), volumes.config_name(spec.name, made.ignition_sha256)}
        if made.generation < mark.generation and parts <= there:
            return made
    if mark.former:
        return Made(ADOPTED)
    raise LabError(
        f"{spec.name}: there is no earlier OS disk to go back to",
        f"virsh vol-list {spec.hypervisor.pool} shows what is there; os_keep says how many stay",
        code=Code.NO_EARLIER_OS,
    )


def prune(spec: HostSpec, hypervisor: Hypervisor) -> list[str]:
    """Delete the host's OS disks older than `os_keep` and configs that nothing refers to; returns what was deleted."""
    hypervisor.forget()
    _, mark = own(spec, hypervisor)
    older = {number: name for number, name in volumes.overlays(spec, hypervisor).items() if number < mark.generation}
    numbers = sorted(older)[: max(len(older) - spec.os.keep, 0)]
    kept = tuple(made for made in mark.earlier if made.generation not in numbers)
    needed = {volumes.config_name(spec.name, made.ignition_sha256) for made in kept}
    change_mark(spec, hypervisor, lambda mark: replace(mark, earlier=kept))
    gone = []
    for name in [older[number] for number in numbers] + volumes.configs(spec, hypervisor):
        if name not in needed and not is_used(hypervisor, name):
            hypervisor.storage.delete(spec.hypervisor.pool, name)
            gone.append(name)
    return gone


def _delete_unused(hypervisor: Hypervisor, pool: str, name: str) -> None:
    if is_used(hypervisor, name):
        raise LabError(f"{pool}/{name} is in use by a VM", "look at virsh domblklist of the VMs", code=Code.STILL_IN_USE)
    hypervisor.storage.delete(pool, name)


def is_used(hypervisor: Hypervisor, volume: str, *, but: str = "") -> bool:
    """Does any VM (but that one), as defined or as it runs, name the volume?"""
    for name, state in hypervisor.domains().items():
        if name == but:
            continue
        texts = [hypervisor.domain_xml(name)] + ([hypervisor.domain_xml(name, live=True)] if state.active else [])
        if any(f"'{volume}'" in text or f"/{volume}'" in text for text in texts):
            return True
    return False
