"""What is kept as declared inside a guest: container engine, Watchtower, and the proof of the data volume."""

from __future__ import annotations

from collections.abc import Sequence

from zerotoil.model.secret import Secret
from zerotoil.model.spec import HostSpec
from zerotoil.render.notify import shoutrrr_url
from zerotoil.render.registry import mirrored
from zerotoil.resources.guest.engine import DockerService
from zerotoil.resources.guest.files import GuestFile
from zerotoil.resources.guest.guest import Guest
from zerotoil.resources.guest.own import OwnFiles
from zerotoil.resources.guest.own_files import own_files
from zerotoil.resources.guest.registries import ca_file
from zerotoil.resources.guest.watchtower import Watchtower
from zerotoil.resources.resource import Resource

__all__ = ["Guest", "guest_resources"]


def guest_resources(spec: HostSpec, guest: Guest, more: Sequence[GuestFile] = ()) -> list[Resource]:
    """Everything kept in one guest, in the order in which it is made; `more` are own files that come from the host's apps."""
    resources: list[Resource] = []
    if spec.docker.enabled:
        resources.append(DockerService(guest))
    resources.append(OwnFiles(guest, [*own_files(spec), *more]))
    if spec.watchtower.enabled and spec.docker.enabled:
        update = {"image": mirrored(spec.watchtower.image, spec.registry), "notify_url": _sinks_of_watchtower(spec)}
        watchtower = spec.watchtower.model_copy(update=update)
        ca = ca_file(spec)
        logins, trusted = bool(spec.registry.logins), ca.path.rpartition("/")[0] if ca else ""
        resources.append(Watchtower(guest, watchtower, spec.owner, spec.vm.adopt, logins, trusted))
    return resources


def _sinks_of_watchtower(spec: HostSpec) -> Secret | None:
    """Where Watchtower reports: what is declared for it, else every sink of the host (its file takes a URL a line)."""
    if spec.watchtower.notify_url or not spec.notify.sinks:
        return spec.watchtower.notify_url
    return Secret("\n".join(shoutrrr_url(sink.reveal(), "notify_sinks") for sink in spec.notify.sinks))
