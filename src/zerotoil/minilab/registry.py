"""The container registries (Debian's docker-registry, TLS): an open one, and one that wants a login."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from zerotoil.minilab import daemons, endpoints, layout, state
from zerotoil.minilab.daemons import Daemon

MANIFESTS = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json"
_ROUNDS = 8  # of bcrypt, the only hash that docker-registry takes: the password is random, and `lab status` waits for this


@dataclass(frozen=True)
class Registry:
    """One registry: its daemon's name, and its port."""

    name: str
    port: int
    login: bool = False  # wants layout.REGISTRY_USER and the password in layout.REGISTRY_PASSWORD_FILE

    @property
    def address(self) -> str:
        """Host and port, as image names begin with."""
        return f"{layout.ADDRESS}:{self.port}"

    @property
    def files(self) -> Path:
        """The folder of its configuration and its images."""
        return layout.STATE / self.name

    @property
    def config_file(self) -> Path:
        return self.files / "config.json"  # JSON is YAML

    @property
    def htpasswd(self) -> Path:
        return self.files / "htpasswd"


OPEN = Registry("registry", layout.REGISTRY_PORT)
PRIVATE = Registry("private-registry", layout.PRIVATE_REGISTRY_PORT, login=True)


def config(registry: Registry) -> dict[str, object]:
    """docker-registry's configuration. Source: distribution's docs/configuration.md."""
    made: dict[str, object] = {
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(registry.files / "files")}, "delete": {"enabled": True}},
        "http": {"addr": registry.address, "tls": {"certificate": str(layout.SERVER_CERT), "key": str(layout.SERVER_KEY)}},
    }
    if registry.login:
        made["auth"] = {"htpasswd": {"realm": "zerotoil lab", "path": str(registry.htpasswd)}}
    return made


def daemon(registry: Registry) -> Daemon:
    """The registry's process; restarted when its configuration, its certificate or its password changes."""
    read = (layout.SERVER_CERT, *([layout.REGISTRY_PASSWORD_FILE] if registry.login else []))
    seen = [hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "" for path in read]
    return Daemon(
        registry.name,
        ["docker-registry", "serve", str(registry.config_file)],
        lambda: endpoints.status(registry.port, "/v2/", login=_login(registry)) == 200,
        port=registry.port,
        settings={"config": config(registry), "files": seen},
    )


def up(registry: Registry) -> str:
    """Start the registry."""
    registry.config_file.write_text(json.dumps(config(registry), indent=1))
    if registry.login:
        _write_htpasswd(registry)
    return daemons.start(daemon(registry))


def is_up(registry: Registry) -> bool:
    """Alive, ours, answering with the lab's certificate (and to its login, where it wants one)."""
    return daemons.is_up(daemon(registry))


def down(registry: Registry) -> str:
    """Stop the registry; its images stay."""
    return "stopped" if daemons.stop(daemon(registry)) else "was not running"


def has(registry: Registry, name: str) -> bool:
    """Whether the registry holds NAME:TAG."""
    repository, _, tag = name.rpartition(":")
    path = f"/v2/{repository}/manifests/{tag}"
    return endpoints.status(registry.port, path, "HEAD", accept=MANIFESTS, login=_login(registry)) == 200


def auth_file(registry: Registry, folder: Path) -> Path:
    """A config.json (mode 0600) in `folder` with the registry's login, as docker, podman and skopeo read it."""
    token = base64.b64encode(_login(registry).encode()).decode()
    path = folder / "config.json"
    state.write_secret(path, json.dumps({"auths": {registry.address: {"auth": token}}}))
    return path


def _login(registry: Registry) -> str:
    if not registry.login or not layout.REGISTRY_PASSWORD_FILE.exists():
        return ""
    return f"{layout.REGISTRY_USER}:{layout.REGISTRY_PASSWORD_FILE.read_text().strip()}"


def _write_htpasswd(registry: Registry) -> None:
    """Write the password's hash where it is missing or another's."""
    import bcrypt

    password = layout.REGISTRY_PASSWORD_FILE.read_text().strip().encode()
    if registry.htpasswd.exists():
        user, _, hashed = registry.htpasswd.read_text().strip().partition(":")
        if user == layout.REGISTRY_USER and bcrypt.checkpw(password, hashed.encode()):
            return
    hashed = bcrypt.hashpw(password, bcrypt.gensalt(_ROUNDS)).decode()
    state.write_secret(registry.htpasswd, f"{layout.REGISTRY_USER}:{hashed}\n")
