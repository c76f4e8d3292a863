"""What the host's apps declare about updates: image, policy and range of tags of each service. Reads the project's files."""

from __future__ import annotations

from pathlib import Path

from zerotoil.errors import LabError
from zerotoil.layers.site import Site
from zerotoil.layers.updates.found import Service


def compose_file(root: Path, app: str) -> Path:
    """Where an app of the project is declared."""
    return root / "apps" / app / "compose.yaml"


def services(site: Site) -> tuple[list[Service], list[LabError]]:
    """The services of the apps that the host runs, and what is wrong with their files. No secret is read."""
    if not site.spec.apps.run:
        return [], []
    from zerotoil.layers import apps  # loads a schema and its validator, which most hosts do without

    judged = apps.judge(site.spec, site.root, offline=True)
    return [
        Service(app.name, service.name, service.image, service.updates, app.policy.tags.get(service.name))
        for _, app in judged.found
        for service in app.services.values()
    ], list(judged.problems)
