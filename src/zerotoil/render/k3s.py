"""What k3s reads: config.yaml and registries.yaml. Pure, but for the logins, which are revealed.

Sources: docs.k3s.io installation/configuration (the names are those of the flags), installation/private-registry (mirrors,
rewrites, what airgapped nodes need).
"""

from __future__ import annotations

from typing import Any

import yaml

from zerotoil.model.image import DOCKER_HUB
from zerotoil.model.places import K3S
from zerotoil.model.registry import RegistrySpec
from zerotoil.model.spec import HostSpec

TOKEN_FILE = f"{K3S}/token"
_HEAD = "# Written by zerotoil; changes here are lost. k3s_config adds to it.\n"
_REGISTRIES_HEAD = "# Written by zerotoil from registry_mirrors and registry_logins; changes here are lost.\n"
_HUB = (DOCKER_HUB, "index.docker.io", "registry-1.docker.io")  # the names under which containerd may look for its login


def config(spec: HostSpec) -> str:
    """config.yaml of one node."""
    cluster = spec.k3s_in
    assert cluster is not None
    ours: dict[str, Any] = {"node-name": spec.name, "selinux": True}
    if spec.k3s.role == "server":
        ours["write-kubeconfig-mode"] = "0600"
    if spec.k3s.token:
        ours["token-file"] = TOKEN_FILE
    if spec.name != cluster.first:
        ours["server"] = cluster.url
    elif cluster.datastore == "etcd":
        ours["cluster-init"] = True
    if spec.registry.airgapped:
        ours["disable-default-registry-endpoint"] = True
    return _HEAD + yaml.safe_dump({**ours, **spec.k3s.config}, sort_keys=False, default_flow_style=False, width=1000)


def registries(registry: RegistrySpec) -> str | None:
    """registries.yaml; None where there is neither a mirror nor a login. Reveals the logins."""
    mirrors: dict[str, Any] = {}
    for name in sorted(registry.mirrors):
        if place := registry.mirror(name):
            host, path = place
            mirrors[name] = {"endpoint": [f"https://{host}"]}
            if path:
                mirrors[name]["rewrite"] = {"^(.*)$": f"{path}/$1"}
    configs: dict[str, Any] = {}
    for name, login in sorted(registry.logins.items()):
        for known in _HUB if name == DOCKER_HUB else (name,):
            configs[known] = {"auth": {"username": login.user, "password": login.password.reveal()}}
    parts = {key: value for key, value in (("mirrors", mirrors), ("configs", configs)) if value}
    return _REGISTRIES_HEAD + yaml.safe_dump(parts, sort_keys=False, width=1000) if parts else None
