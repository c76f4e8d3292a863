"""What a VM is made from: base image, OS disk, Ignition config. Made once, then only looked for.

A VM that exists keeps what it was made with (a rebuild is another command); an adopted one was made otherwise. Where
only the OS disk is left, by an interrupted run or a VM undefined by hand, the newest one is used again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from lxml import etree

from zerotoil.clients.hypervisor import Hypervisor
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.spec import HostSpec
from zerotoil.render.ignition import readable
from zerotoil.resources.hypervisor import volumes
from zerotoil.resources.hypervisor.domain_fields import config_path, os_disk
from zerotoil.resources.hypervisor.image import LocalImage
from zerotoil.resources.hypervisor.observe import own_domain
from zerotoil.resources.hypervisor.redefine import as_never_booted
from zerotoil.resources.resource import Change, created, must_match


@dataclass
class Ingredients:
    """What one host is made from; shared by its resources. The image is fetched when it is needed, once."""

    spec: HostSpec
    hypervisor: Hypervisor
    ignition: str
    fetch: Callable[[], LocalImage]
    progress: Callable[[int, int], None] | None = None

    @cached_property
    def image(self) -> LocalImage:
        """The OS image on the controller."""
        return self.fetch()

    @property
    def pool(self) -> str:
        """The pool it all lives in."""
        return self.spec.hypervisor.pool

    def exists(self) -> bool:
        """Is there a VM? Raises LabError for one that is not ours."""
        return own_domain(self.spec, self.hypervisor) is not None

    def generation(self) -> int | None:
        """The newest OS disk there is."""
        return max(volumes.overlays(self.spec, self.hypervisor), default=None)

    def config(self) -> str:
        """The Ignition config that belongs to the OS disk: today's, unless that disk was booted with an older one."""
        today = volumes.config_name(self.spec.name, volumes.digest(self.ignition))
        there = volumes.configs(self.spec, self.hypervisor)
        generation = self.generation()
        if generation is None or not there or today in there or self._is_pristine(generation):
            return today
        found = [self.hypervisor.storage.volume(self.pool, name) for name in there]
        return max((volume for volume in found if volume), key=lambda volume: volume.changed).name

    def _is_pristine(self, generation: int) -> bool:
        disk = self.hypervisor.storage.volume(self.pool, volumes.overlay_name(self.spec.name, generation))
        return disk is not None and disk.allocation < volumes.PRISTINE


class _Ingredient:
    def __init__(self, ingredients: Ingredients) -> None:
        self.ingredients, self.spec, self.hypervisor = ingredients, ingredients.spec, ingredients.hypervisor

    @property
    def key(self) -> str:
        raise NotImplementedError

    def plan(self) -> list[Change]:
        raise NotImplementedError

    def make(self) -> bool:
        """Make it; False when it was there already."""
        raise NotImplementedError

    def apply(self) -> list[Change]:
        """Make what is missing."""
        self.hypervisor.forget()
        changes = self.plan()
        if not changes:
            return []
        made = self.make()
        must_match(self.key, self.left())
        return changes if made else []

    def left(self) -> list[Change]:
        """What is missing after `make`."""
        return self.plan()


def kept_config(spec: HostSpec, hypervisor: Hypervisor) -> str:
    """The Ignition config that the VM was made with; empty where there is none."""
    own = own_domain(spec, hypervisor)
    name = config_path(own[0]).rsplit("/", 1)[-1] if own else ""
    if not name or name not in hypervisor.storage.names(spec.hypervisor.pool):
        return ""
    return hypervisor.storage.read(spec.hypervisor.pool, name, volumes.CONFIG_BYTES).decode(errors="replace")


class BaseImage(_Ingredient):
    """The OS image in the pool, once per hypervisor. Fetched and looked at only where an OS disk is to be made."""

    @property
    def key(self) -> str:
        """Natural key: what is declared; release and checksum are known once it is fetched."""
        os = self.spec.os
        return f"OS image {os.image or f'of stream {os.stream}'}"

    def plan(self) -> list[Change]:
        """Needed for a new OS disk only."""
        if self.ingredients.exists() or self.ingredients.generation() is not None:
            return []
        return created(self.key, {"in pool": self.ingredients.pool})

    def make(self) -> bool:
        """Upload it, unless another host did."""
        return volumes.put_base(self.hypervisor, self.ingredients.pool, self.ingredients.image, self.ingredients.progress)

    def left(self) -> list[Change]:
        """It is there or `make` raised."""
        there = volumes.base_name(self.ingredients.image) in self.hypervisor.storage.names(self.ingredients.pool)
        return [] if there else self.plan()


class OsDisk(_Ingredient):
    """The VM's OS disk, an overlay over the base image."""

    @property
    def key(self) -> str:
        """Natural key: the host."""
        return f"OS disk of {self.spec.name}"

    def plan(self) -> list[Change]:
        """Missing. Raises LabError for a VM that runs on an OS disk which was deleted: it loses it when it goes off."""
        if own := own_domain(self.spec, self.hypervisor):
            lost = self._lost(own[0]) if not own[1].adopted else ""
            return created(self.key, {"volume": lost}) if lost else []
        if self.ingredients.generation() is not None:
            return []
        return created(self.key, {"volume": volumes.overlay_name(self.spec.name, 1)})

    def make(self) -> bool:
        """Create generation 1, or again the one that a VM lost. That one then is a new machine: the guard stands before it."""
        own = own_domain(self.spec, self.hypervisor)
        if own:
            image = self.ingredients.image
            volumes.put_base(self.hypervisor, self.ingredients.pool, image, self.ingredients.progress)
            mark = replace(own[1], os_release=image.release, booted=False)
            as_never_booted(self.hypervisor, self.spec.name, mark)
        volumes.put_overlay(self.spec, self.hypervisor, own[1].generation if own else 1, self.ingredients.image)
        return True

    def _lost(self, domain: etree._Element) -> str:
        """The volume of the VM's OS disk when it is not there; empty when it is, or when it is not ours."""
        disk = os_disk(domain)
        source = disk.find("source") if disk is not None else None
        pool, name = (source.get("pool", ""), source.get("volume", "")) if source is not None else ("", "")
        if not name or not pool or name in self.hypervisor.storage.names(pool):
            return ""
        if pool != self.ingredients.pool or self.hypervisor.domains()[self.spec.name].active:
            raise LabError(
                f"{self.spec.name}: the OS disk {pool}/{name} was deleted",
                f"the VM may run on until it goes off; zerotoil rebuild {self.spec.name}",
                code=Code.OS_DISK_GONE,
            )
        return name


class IgnitionVolume(_Ingredient):
    """The Ignition config in the pool. QEMU opens it at every start, so a VM's own one must stay."""

    @property
    def key(self) -> str:
        """Natural key: the host."""
        return f"Ignition config of {self.spec.name}"

    def plan(self) -> list[Change]:
        """Missing. A VM keeps the config it was made with; when that one is lost, only a rebuild helps."""
        spec, today = self.spec, volumes.config_name(self.spec.name, volumes.digest(self.ingredients.ignition))
        own = own_domain(spec, self.hypervisor)
        if own and own[1].adopted:
            return []
        there = self.hypervisor.storage.names(self.ingredients.pool)
        if own is None:
            name = self.ingredients.config()
            if name in there and (name != today or volumes.config_is_whole(self.hypervisor, self.ingredients.pool, name)):
                return []
            return self._new(name)
        name = config_path(own[0]).rsplit("/", 1)[-1] or volumes.config_name(spec.name, own[1].ignition_sha256)
        if name in there:
            return []
        if name != today:
            raise LabError(
                f"{spec.name}: the Ignition config {name} of the VM is gone",
                f"zerotoil rebuild {spec.name}",
                code=Code.OS_DISK_GONE,
            )
        return self._new(name)

    def _new(self, name: str) -> list[Change]:
        return created(self.key, {"volume": name, "config": readable(self.ingredients.ignition)})

    def make(self) -> bool:
        """Upload it."""
        volumes.put_config(self.spec, self.hypervisor, self.ingredients.ignition)
        return True
