"""A new OS disk for a VM, step by step; each step may be repeated after an interruption.

`prepare` makes the next generation beside the running one. `switch`, with the VM off, points the definition at it and
marks it as never booted: `Running` then proves the data disk again before it starts. `prune` removes OS disks that are
older than `os_keep` allows, once the new one has proved healthy. The data disk is in none of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from lxml import etree

from zerotoil.clients.hypervisor import Hypervisor
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.spec import HostSpec
from zerotoil.render.domain import Mark
from zerotoil.render.domain_devices import OS_SERIAL
from zerotoil.resources.hypervisor import volumes
from zerotoil.resources.hypervisor.domain_fields import os_disk, set_config_path
from zerotoil.resources.hypervisor.image import LocalImage
from zerotoil.resources.hypervisor.observe import own_domain
from zerotoil.resources.hypervisor.redefine import as_never_booted


@dataclass(frozen=True)
class Generation:
    """An OS disk that is ready to be switched to."""

    number: int
    os_volume: str
    config_volume: str
    ignition_sha256: str
    os_release: str


def prepare(spec: HostSpec, hypervisor: Hypervisor, *, ignition: str, image: LocalImage) -> Generation:
    """Base image, next overlay and Ignition config. An unused overlay left by an interrupted rebuild is taken or renewed."""
    _, mark = _own(spec, hypervisor)
    pool, number = spec.hypervisor.pool, mark.generation + 1
    volumes.put_base(hypervisor, pool, image)
    name = volumes.overlay_name(spec.name, number)
    left = hypervisor.storage.volume(pool, name)
    if left and (left.allocation >= volumes.PRISTINE or not left.backing.endswith("/" + volumes.base_name(image))):
        _delete_unused(hypervisor, pool, name)
        left = None
    if left is None:
        volumes.put_overlay(spec, hypervisor, number, image)
    config = volumes.put_config(spec, hypervisor, ignition)
    return Generation(number, name, config, volumes.digest(ignition), image.release)


def switch(spec: HostSpec, hypervisor: Hypervisor, to: Generation) -> None:
    """Let the VM start from `to` next. Raises LabError while it runs. Switching twice is harmless."""
    hypervisor.forget()
    tree, mark = _own(spec, hypervisor)
    if mark.generation == to.number:
        return
    if hypervisor.domains()[spec.name].active:
        raise LabError(
            f"{spec.name}: the VM still runs; its OS disk is not taken away under it",
            "shut it down first",
            code=Code.STILL_IN_USE,
        )
    disk, config = os_disk(tree), hypervisor.storage.volume(spec.hypervisor.pool, to.config_volume)
    source = disk.find("source") if disk is not None else None
    if source is None or config is None:
        raise LabError(
            f"{spec.name}: the VM has no OS disk, or {to.config_volume} is gone", "run the rebuild again", code=Code.OS_DISK_GONE
        )
    new = replace(mark, generation=to.number, ignition_sha256=to.ignition_sha256, os_release=to.os_release, booted=False)
    as_never_booted(hypervisor, spec.name, new, lambda domain: _point(domain, spec.hypervisor.pool, to, config.path))


def _point(domain: etree._Element, pool: str, to: Generation, config: str) -> None:
    source = domain.find(f"devices/disk[serial='{OS_SERIAL}']/source")
    if source is not None:
        source.set("pool", pool)
        source.set("volume", to.os_volume)
    set_config_path(domain, config)


def prune(spec: HostSpec, hypervisor: Hypervisor) -> list[str]:
    """Delete the host's OS disks older than `os_keep` and configs that no VM refers to; returns what was deleted."""
    hypervisor.forget()
    _, mark = _own(spec, hypervisor)
    oldest = mark.generation - spec.os.keep
    old = [name for number, name in sorted(volumes.overlays(spec, hypervisor).items()) if number < oldest]
    gone = []
    for name in old + volumes.configs(spec, hypervisor):
        if not _is_used(hypervisor, name):
            hypervisor.storage.delete(spec.hypervisor.pool, name)
            gone.append(name)
    return gone


def _own(spec: HostSpec, hypervisor: Hypervisor) -> tuple[etree._Element, Mark]:
    own = own_domain(spec, hypervisor)
    if own is None:
        raise LabError(f"{spec.name}: there is no VM to rebuild", "create it with the deploy", code=Code.NEEDS_ANOTHER_FIRST)
    if own[1].adopted:
        raise LabError(
            f"{spec.name}: the VM was adopted, its OS disk is not zerotoil's",
            "docs/guides/adopt.md says how to replace it",
            code=Code.REBUILD_OF_ADOPTED,
        )
    return own


def _delete_unused(hypervisor: Hypervisor, pool: str, name: str) -> None:
    if _is_used(hypervisor, name):
        raise LabError(f"{pool}/{name} is in use by a VM", "look at virsh domblklist of the VMs", code=Code.STILL_IN_USE)
    hypervisor.storage.delete(pool, name)


def _is_used(hypervisor: Hypervisor, volume: str) -> bool:
    """Does any VM, as defined or as it runs, name the volume?"""
    for name, state in hypervisor.domains().items():
        texts = [hypervisor.domain_xml(name)] + ([hypervisor.domain_xml(name, live=True)] if state.active else [])
        if any(f"'{volume}'" in text or f"/{volume}'" in text for text in texts):
            return True
    return False
