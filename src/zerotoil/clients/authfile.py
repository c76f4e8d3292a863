"""A file of registry logins, as podman, buildah, skopeo and Docker keep them. Source: containers-auth.json(5)."""

from __future__ import annotations

import base64
import binascii
import json
from pathlib import Path

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.registry import RegistryLogin
from zerotoil.model.secret import Secret


def logins(path: Path) -> dict[str, RegistryLogin]:
    """The logins by registry. Raises LabError for a file that is readable by others or holds something else."""
    text = Secret(source=f"file:{path}").reveal()
    try:
        entries = json.loads(text).get("auths", {})
        pairs = {
            name: base64.b64decode(entry["auth"], validate=True).decode() for name, entry in entries.items() if "auth" in entry
        }
    except (ValueError, TypeError, AttributeError, KeyError, binascii.Error) as error:
        what, remedy = f"{path} holds no registry logins", f"podman login --authfile {path} REGISTRY"
        raise LabError(what, remedy, code=Code.SECRET_UNREADABLE) from error
    found = {}
    for name, pair in pairs.items():
        user, _, password = pair.partition(":")
        registry = name.removeprefix("https://").partition("/")[0]  # a path below a registry is podman's own refinement
        if user:
            found[registry] = RegistryLogin(user=user, password=Secret(password))
    return found
