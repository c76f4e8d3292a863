"""The override file of an app: what zerotoil adds to the owner's compose file. Pure.

Compose merges it over compose.yaml (`-f compose.yaml -f override.yaml`): labels are added, an image is replaced. Source of
Watchtower's labels: nicholas-fedor/watchtower docs/configuration; the host's Watchtower runs with label_enable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from zerotoil.model.compose import App, Service, reference
from zerotoil.model.compose.lint.structure import APP_LABEL, OWNER_LABEL, WATCHTOWER
from zerotoil.model.units import Lifetime

_HEAD = """# Written by zerotoil, over compose.yaml of the same folder. Do not edit: the next run writes it anew.
"""


def override(app: App, owner: str, pins: Mapping[str, str] | None = None) -> str:
    """The file's text. `owner` is LAB/HOST; `pins`: service -> digest (sha256:…, or IMAGE@sha256:…) that it is kept at."""
    pins = pins or {}
    services = {name: _service(app, service, owner, pins.get(name, "")) for name, service in app.services.items()}
    return _HEAD + yaml.safe_dump({"services": services}, sort_keys=False, width=1000)


def _service(app: App, service: Service, owner: str, pin: str) -> dict[str, Any]:
    labels = {OWNER_LABEL: owner, APP_LABEL: app.name, **watchtower_labels(service, app.policy.min_age, pinned=bool(pin))}
    return {"image": pinned(service.image, pin), "labels": labels} if pin else {"labels": labels}


def watchtower_labels(service: Service, min_age: Lifetime | None = None, *, pinned: bool = False) -> dict[str, str]:
    """What tells Watchtower the service's policy; without `min_age` its own cooldown holds. It leaves a pinned service alone."""
    if pinned or service.updates == "off":
        return {f"{WATCHTOWER}.enable": "false"}
    labels = {f"{WATCHTOWER}.enable": "true"}
    if service.updates == "notify":
        labels[f"{WATCHTOWER}.monitor-only"] = "true"
    if min_age:
        labels[f"{WATCHTOWER}.cooldown-delay"] = f"{min_age.value}{min_age.unit[0]}"
    return labels


def pinned(image: str, digest: str) -> str:
    """An image at a digest. The tag stays readable; a digest that is there already is replaced."""
    parts = reference(image)
    if parts is None:  # nothing that any engine would run; refused long before
        return image
    named = f"{parts.registry}/{parts.repository}" if parts.registry else parts.repository
    return f"{named}{':' + parts.tag if parts.tag else ''}@{digest.rpartition('@')[2]}"
