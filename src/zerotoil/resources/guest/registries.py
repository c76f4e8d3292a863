"""What a guest needs for its registries, as files on its data disk. Pure but for the passwords, which are revealed.

Docker's units read the logins by DOCKER_CONFIG, Podman's by REGISTRY_AUTH_FILE (a quadlet that updates itself also by the label
io.containers.autoupdate.authfile). What belongs to /etc is brought there by registries.sh, at boot and after each change:
the OS disk may be a new one. Certificates (/etc/docker/certs.d, /etc/containers/certs.d) are the owner's, by os_butane.
"""

from __future__ import annotations

from typing import Literal

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
    return files
