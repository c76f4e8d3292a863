"""The owner's apps on a host whose containers podman runs: the same compose.yaml as quadlets."""

from __future__ import annotations

from collections.abc import Sequence

from zerotoil.errors import LabError
from zerotoil.layers.apps import Judged, OwnersApp, asserted
from zerotoil.model.compose import App as ComposeApp
from zerotoil.model.places import DATA, app_folder
from zerotoil.model.spec import HostSpec
from zerotoil.render.quadlet import Refusals, quadlets, unit_clashes
from zerotoil.resources import guest as in_guest
from zerotoil.resources.guest import Guest
from zerotoil.resources.guest.own import AppFiles
from zerotoil.resources.guest.podman import guest_files
from zerotoil.resources.guest.podman_app import GonePodmanApps, PodmanApp
from zerotoil.resources.resource import Resource

_DATA = f"RequiresMountsFor={DATA}\n"


def render(spec: HostSpec, found: Sequence[tuple[OwnersApp, ComposeApp]]) -> tuple[dict[str, dict[str, str]], list[LabError]]:
    """The quadlets of each app, and what podman cannot be given of them."""
    made: dict[str, dict[str, str]] = {}
    refused: list[LabError] = []
    for owners, app in found:
        digests = {file.path.removeprefix(f"{app_folder(app.name)}/"): file.sha256 for file in owners.files}
        updates = {name: service.updates for name, service in app.services.items()}
        try:
            made[app.name] = quadlets(app.name, app.document, spec.owner, updates, digests)
        except Refusals as error:
            refused.append(error)
    for name, lines in asserted(spec, found).items():
        made[name] = {file: _with(text, lines) for file, text in made.get(name, {}).items()}
    clashes = unit_clashes(made)
    return made, [*refused, Refusals(clashes)] if clashes else refused


def _with(quadlet: str, lines: str) -> str:
    """Beside what a container asks for of the data disk; other quadlets ask for nothing."""
    return quadlet.replace(_DATA, _DATA + lines, 1)


def guest_resources(spec: HostSpec, judged: Judged, guest: Guest) -> list[Resource]:
    """What is kept in the guest: the apps' files first, then zerotoil's own with the quadlets that mount them."""
    judged.must_be_right()
    files = [AppFiles(guest, owners.files, app_folder(app.name), f"files of app {app.name}") for owners, app in judged.found]
    return [*files, *in_guest.guest_resources(spec, guest, guest_files(spec, judged.quadlets))]


def resources(spec: HostSpec, judged: Judged, guest: Guest) -> list[Resource]:
    """The apps that the host runs, and the end of those that it runs no more."""
    judged.must_be_right()
    made = [PodmanApp(guest, name, files, spec.owner) for name, files in judged.quadlets.items()]
    return [*made, GonePodmanApps(guest, judged.quadlets)]
