"""Registries in the words of Docker and of Podman: logins, mirrors, and references that are moved to a mirror. Pure.

Sources: docs.docker.com/reference/cli/dockerd (registry-mirrors: Docker Hub only, no path, no login of the mirror's own),
docs.docker.com/reference/cli/docker/login (auths), containers-registries.conf(5), containers-auth.json(5).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.image import DOCKER_HUB, ImageRef
from zerotoil.model.registry import RegistryLogin, RegistrySpec

_HUB_IN_DOCKER_CONFIG = "https://index.docker.io/v1/"  # the key under which Docker looks for Docker Hub's login
_HEAD = "# Written by zerotoil from registry_mirrors; changes here are lost.\n"


def mirrored(image: str, registry: RegistrySpec) -> str:
    """The reference under which Docker gets the image. Podman needs none of this: it mirrors by registries.conf.

    What Docker mirrors by itself stays as it is written, as does what has no mirror. In an airgap everything is moved, since
    Docker would go on to Docker Hub where its mirror does not have an image; what cannot be moved is refused with a LabError.
    Raises ValueError for what is no reference.
    """
    ref = ImageRef.parse(image)
    if outside := registry.outside(image):
        raise LabError(outside, code=Code.IMAGE_OUTSIDE)
    place = registry.mirror(ref.registry)
    if place is None or (ref.registry == DOCKER_HUB and docker_mirror(registry) and not registry.airgapped):
        return image
    return str(ref.moved(*place))


def docker_mirror(registry: RegistrySpec) -> str | None:
    """The mirror that Docker can use by itself: of Docker Hub, without a path and without a login of its own."""
    place = registry.mirror(DOCKER_HUB)
    if place is None or place[1] or place[0] in registry.logins:
        return None
    return f"https://{place[0]}"


def docker_config(logins: Mapping[str, RegistryLogin]) -> str:
    """Docker's config.json with the logins. Reveals them."""
    return _auths({_HUB_IN_DOCKER_CONFIG if name == DOCKER_HUB else name: login for name, login in logins.items()})


def docker_daemon(registry: RegistrySpec) -> str | None:
    """Our part of /etc/docker/daemon.json; None where Docker itself has nothing to mirror. It is taken over at a reload."""
    mirror = docker_mirror(registry)
    return f"{json.dumps({'registry-mirrors': [mirror]})}\n" if mirror else None


def podman_auth(logins: Mapping[str, RegistryLogin]) -> str:
    """Podman's auth.json with the logins. Reveals them."""
    return _auths(logins)


def podman_registries(registry: RegistrySpec) -> str | None:
    """Podman's registries.conf drop-in; None without mirrors. In an airgap a mirror is the only place, else the first one."""
    tables = []
    for name, place in sorted((name, registry.mirror(name)) for name in registry.mirrors):
        if place is None:
            continue
        mirror = "/".join(filter(None, place))
        if registry.airgapped:
            tables.append(f'[[registry]]\nprefix = "{name}"\nlocation = "{mirror}"\n')
        else:
            tables.append(f'[[registry]]\nprefix = "{name}"\nlocation = "{name}"\n\n[[registry.mirror]]\nlocation = "{mirror}"\n')
    return "\n".join([_HEAD, *tables]) if tables else None


def _auths(logins: Mapping[str, RegistryLogin]) -> str:
    auths = {name: {"auth": _basic(login)} for name, login in sorted(logins.items())}
    return f"{json.dumps({'auths': auths}, indent=2)}\n"


def _basic(login: RegistryLogin) -> str:
    return base64.b64encode(f"{login.user}:{login.password.reveal()}".encode()).decode()
