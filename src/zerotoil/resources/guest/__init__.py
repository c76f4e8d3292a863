"""What is kept as declared inside a guest: container engine, Watchtower, and the proof of the data volume."""

from __future__ import annotations

from zerotoil.model.spec import HostSpec
from zerotoil.resources.guest.engine import DockerService
from zerotoil.resources.guest.guest import Guest
from zerotoil.resources.guest.own_files import own_files
from zerotoil.resources.guest.tree import Tree
from zerotoil.resources.guest.watchtower import Watchtower
from zerotoil.resources.resource import Resource

__all__ = ["Guest", "guest_resources"]


def guest_resources(spec: HostSpec, guest: Guest) -> list[Resource]:
    """Everything kept in one guest, in the order in which it is made."""
    resources: list[Resource] = []
    if spec.docker.enabled:
        resources.append(DockerService(guest))
    resources.append(Tree(guest, own_files(spec)))
    if spec.watchtower.enabled and spec.docker.enabled:
        resources.append(Watchtower(guest, spec.watchtower, spec.owner, spec.vm.adopt))
    return resources
