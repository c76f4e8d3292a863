"""Every layer, in the order in which it is made. A new layer is one line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from zerotoil.layers.site import Site
from zerotoil.resources.resource import Resource


@dataclass(frozen=True)
class Layer:
    """A part of a host. `resources` lists what is kept there; it raises LabError when the layer cannot be read."""

    title: str
    resources: Callable[[Site], list[Resource]]
    in_guest: bool = False


LAYERS = (
    Layer("NAS", Site.nas_resources),
    Layer("hypervisor", Site.vm_resources),
    Layer("guest", Site.guest_resources, in_guest=True),
)
