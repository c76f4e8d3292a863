"""The owner's apps on a host whose containers podman runs: the same compose.yaml as quadlets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from zerotoil.errors import LabError, Several
from zerotoil.layers import apps
from zerotoil.layers.apps import OwnersApp
from zerotoil.model.compose import App as ComposeApp
from zerotoil.model.compose.variables import read_env
from zerotoil.model.spec import HostSpec
from zerotoil.render.quadlet import Refusals, quadlets, unit_clashes
from zerotoil.resources import guest as in_guest
from zerotoil.resources.guest import Guest
from zerotoil.resources.guest.app import folder
from zerotoil.resources.guest.own import AppFiles
from zerotoil.resources.guest.podman import guest_files
from zerotoil.resources.guest.podman_app import GonePodmanApps, PodmanApp
from zerotoil.resources.resource import Resource

_Quadlets = Mapping[str, Mapping[str, str]]


def problems(spec: HostSpec, found: list[tuple[OwnersApp, ComposeApp]]) -> list[LabError]:
    """What podman cannot be given of the apps."""
    wrong: list[LabError] = []
    rendered: dict[str, dict[str, str]] = {}
    for owners, app in found:
        try:
            rendered[app.name] = _quadlets(spec, owners, app)
        except Refusals as error:
            wrong.append(error)
    clashes = unit_clashes(rendered)
    return [*wrong, Refusals(clashes)] if clashes else wrong


def guest_resources(spec: HostSpec, root: Path, guest: Guest) -> list[Resource]:
    """What is kept in the guest: the apps' files first, then zerotoil's own with the quadlets that mount them."""
    found, rendered = _all(spec, root)
    files = [AppFiles(guest, owners.files, folder(app.name), f"files of app {app.name}") for owners, app in found]
    return [*files, *in_guest.guest_resources(spec, guest, guest_files(spec, rendered))]


def resources(spec: HostSpec, root: Path, guest: Guest) -> list[Resource]:
    """The apps that the host runs, and the end of those that it runs no more. Raises LabError with all that is wrong."""
    _, rendered = _all(spec, root)
    made = [PodmanApp(guest, name, files, spec.owner) for name, files in rendered.items()]
    return [*made, GonePodmanApps(guest, rendered)]


def _all(spec: HostSpec, root: Path) -> tuple[list[tuple[OwnersApp, ComposeApp]], _Quadlets]:
    found, wrong = apps.checked(spec, root)
    if wrong:
        raise Several(wrong)
    return found, {app.name: _quadlets(spec, owners, app) for owners, app in found}


def _quadlets(spec: HostSpec, owners: OwnersApp, app: ComposeApp) -> dict[str, str]:
    env = {"COMPOSE_PROJECT_NAME": app.name, **read_env(app.files.get(".env", "")).values}
    digests = {file.path.removeprefix(f"{folder(app.name)}/"): file.sha256 for file in owners.files}
    updates = {name: service.updates for name, service in app.services.items()}
    return quadlets(app.name, app.written, spec.owner, updates, env, digests)
