"""What a guest needs for its registries, as files on its data disk. Reads the passwords and the owner's CA; else pure.

Docker's units read the logins by DOCKER_CONFIG, Podman's by REGISTRY_AUTH_FILE (a quadlet that updates itself also by the label
io.containers.autoupdate.authfile). What belongs to /etc is brought there by registries.sh, at boot and after each change:
the OS disk may be a new one. Certificates (/etc/docker/certs.d, /etc/containers/certs.d) are the owner's, by os_butane; only
Watchtower, which asks registries from inside its container, gets registry_ca from here.
"""

from __future__ import annotations

import hashlib
import re
from typing import Literal

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.places import TREE
from zerotoil.model.spec import HostSpec
from zerotoil.render import registry as render
from zerotoil.resources.guest.files import GuestFile
from zerotoil.resources.guest.packaged import script

DOCKER_CONFIG = f"{TREE}/docker"
PODMAN_AUTH = f"{TREE}/containers/auth.json"
SCRIPT = f"{TREE}/bin/registries.sh"
LOGINS_INSIDE = "/docker"  # where a container that asks registries itself (Watchtower) sees the logins, by DOCKER_CONFIG
BIND_OF_LOGINS = f"{DOCKER_CONFIG}:{LOGINS_INSIDE}:ro"  # the folder: a replaced file would stay the old one
CA_INSIDE = "/registry-ca"
_PEM = "write the path of a PEM file"
_DAEMON = f"{TREE}/etc/docker/daemon.json"
_REGISTRIES = f"{TREE}/etc/containers/registries.conf.d/50-zerotoil.conf"


def guest_files(spec: HostSpec, backend: Literal["docker", "podman"] = "docker") -> list[GuestFile]:
    """The files of one host. The script is always one of them: it also takes back what is declared no more."""
    files = [script("registries.sh")]
    registry = spec.registry
    if registry.logins:
        files.append(
            GuestFile(f"{DOCKER_CONFIG}/config.json", 0o600, render.docker_config(registry.logins), secret=True)
            if backend == "docker"
            else GuestFile(PODMAN_AUTH, 0o600, render.podman_auth(registry.logins), secret=True)
        )
    path, content = (
        (_DAEMON, render.docker_daemon(registry)) if backend == "docker" else (_REGISTRIES, render.podman_registries(registry))
    )
    if content:
        files.append(GuestFile(path, 0o644, content))
    ca = ca_file(spec) if backend == "docker" and spec.watchtower.enabled else None
    return [*files, ca] if ca else files


def ca_file(spec: HostSpec) -> GuestFile | None:
    """The certificates of registry_ca, and nothing else that its file may hold. Raises LabError where it cannot be read.

    Watchtower reads it when it starts. So its folder, which the container mounts, is named after what it holds: another CA
    makes another container.
    """
    if not spec.registry.ca:
        return None
    try:
        text = spec.registry.ca.expanduser().read_text()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise LabError(f"registry_ca {spec.registry.ca} cannot be read ({why})", _PEM, code=Code.FILE_UNREADABLE) from error
    found = re.findall(r"-----BEGIN CERTIFICATE-----\n.+?\n-----END CERTIFICATE-----", text, re.DOTALL)
    if not found:
        raise LabError(f"registry_ca {spec.registry.ca} holds no certificate", _PEM, code=Code.FILE_UNREADABLE)
    content = "\n".join([*found, ""])
    name = hashlib.sha256(content.encode()).hexdigest()[:12]
    return GuestFile(f"{TREE}/registry-ca-{name}/ca.pem", 0o644, content)
