"""What the apps in the owner's project declare about updates: image, policy and range of tags of each service. Reads files.

Only what `zerotoil updates` needs: settings stand in `x-zerotoil` (updates, tags), and the label zerotoil.updates of a service
goes before the app's policy.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers.updates.found import Service

LABEL = "zerotoil.updates"


def compose_file(root: Path, app: str) -> Path:
    """Where an app of the project is declared."""
    return root / "apps" / app / "compose.yaml"


def services(root: Path, apps: Iterable[str], default: str = "auto") -> tuple[list[Service], list[LabError]]:
    """The services of the apps that are in the project, and what is wrong with files that cannot be read."""
    found: list[Service] = []
    problems: list[LabError] = []
    for app in sorted(set(apps)):
        path = compose_file(root, app)
        if not path.is_file():
            continue
        try:
            found += _of_app(app, yaml.safe_load(path.read_text()), default)
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            said = str(error).splitlines()[0]
            problems.append(LabError(f"{path} cannot be read ({said})", "mend the file", code=Code.FILE_UNREADABLE))
    return found, problems


def _of_app(app: str, content: Any, default: str) -> list[Service]:
    declared = _mapping(content)
    settings = _mapping(declared.get("x-zerotoil"))
    policy, tags = str(settings.get("updates", default)), _mapping(settings.get("tags"))
    return [
        Service(app, str(name), str(service["image"]), _labels(service).get(LABEL, policy), tags.get(name))
        for name, service in _mapping(declared.get("services")).items()
        if isinstance(service, dict) and "image" in service
    ]


def _labels(service: dict[str, Any]) -> dict[str, str]:
    """A service's labels; Compose takes a mapping or a list of NAME=VALUE."""
    labels = service.get("labels")
    if isinstance(labels, list):
        return {name: value for name, _, value in (str(label).partition("=") for label in labels)}
    return {str(name): str(value) for name, value in _mapping(labels).items()}


def _mapping(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}
