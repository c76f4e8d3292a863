"""The override file of an app: what zerotoil adds to the owner's compose file. Pure.

Compose merges it over compose.yaml (`-f compose.yaml -f override.yaml`): labels are added, an image is replaced. Source of
Watchtower's labels: nicholas-fedor/watchtower docs/configuration; the host's Watchtower runs with label_enable.
"""

from __future__ import annotations

from typing import Any

import yaml

from zerotoil.model.compose import App, Service
from zerotoil.model.compose.lint.structure import APP_LABEL, OWNER_LABEL, WATCHTOWER
from zerotoil.model.registry import RegistrySpec
from zerotoil.model.units import Lifetime
from zerotoil.render.registry import mirrored

_NONE = RegistrySpec()
_HEAD = """# Written by zerotoil, over compose.yaml of the same folder. Do not edit: the next run writes it anew.
"""


def override(app: App, owner: str, registry: RegistrySpec = _NONE) -> str:
    """The file's text. `owner` is LAB/HOST; images come from the mirrors of `registry`, where Docker cannot be told of them.

    Raises LabError for an image that an airgap keeps out.
    """
    services = {name: _service(app, service, owner, registry) for name, service in app.services.items()}
    return _HEAD + yaml.safe_dump({"services": services}, sort_keys=False, width=1000)


def _service(app: App, service: Service, owner: str, registry: RegistrySpec) -> dict[str, Any]:
    labels = {OWNER_LABEL: owner, APP_LABEL: app.name, **watchtower_labels(service, app.policy.min_age)}
    image = mirrored(service.image, registry)
    return {"image": image, "labels": labels} if image != service.image else {"labels": labels}


def watchtower_labels(service: Service, min_age: Lifetime | None = None) -> dict[str, str]:
    """What tells Watchtower the service's policy; without `min_age` its own cooldown holds."""
    if service.updates == "off":
        return {f"{WATCHTOWER}.enable": "false"}
    labels = {f"{WATCHTOWER}.enable": "true"}
    if service.updates == "notify":
        labels[f"{WATCHTOWER}.monitor-only"] = "true"
    if min_age:
        labels[f"{WATCHTOWER}.cooldown-delay"] = f"{min_age.value}{min_age.unit[0]}"
    return labels
