"""Every layer, in the order in which it is made. A new layer is one line here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers.site import Site
from zerotoil.resources.resource import Resource


@dataclass(frozen=True)
class Layer:
    """A part of a host. `resources` lists what is kept there; it raises LabError when the layer cannot be read."""

    title: str
    resources: Callable[[Site], list[Resource]]
    in_guest: bool = False


LAYERS: tuple[Layer, ...] = (
    Layer("NAS", Site.nas_resources),
    Layer("hypervisor", Site.vm_resources),
    Layer("guest", Site.guest_resources, in_guest=True),
    Layer("OS", Site.os_resources, in_guest=True),
    Layer("tailnet", Site.tailnet_resources, in_guest=True),
    Layer("k3s", Site.k3s_resources, in_guest=True),
    Layer("apps", Site.app_resources, in_guest=True),
    Layer("cluster", Site.cluster_resources, in_guest=True),
)
IN_GUEST = frozenset(layer.title for layer in LAYERS if layer.in_guest)


def named(titles: Iterable[str]) -> tuple[Layer, ...]:
    """The layers of these titles, in their order; all of them for none. Raises LabError for one that does not exist."""
    wanted = {title.lower() for title in titles}
    unknown = wanted - {layer.title.lower() for layer in LAYERS}
    if unknown:
        raise LabError(
            f"there is no layer {min(unknown)}", f"one of {', '.join(layer.title for layer in LAYERS)}", code=Code.WRONG_OPTION
        )
    return tuple(layer for layer in LAYERS if not wanted or layer.title.lower() in wanted)
