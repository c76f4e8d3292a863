"""A cluster's kubeconfig for this machine: k3s's own, with the server's address and the cluster's name in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.resources.guest import Guest

_PLACE = "/etc/rancher/k3s/k3s.yaml"


def read(guest: Guest, address: str, cluster: str) -> str:
    """It as text. Raises LabError where the node has none."""
    answer = guest.ask(f"[ ! -f {_PLACE} ] || cat {_PLACE}\n")
    if not answer.strip():
        what = f"{guest.name} has no {_PLACE}: k3s has not come up there yet"
        raise LabError(what, "run the deploy", code=Code.NEEDS_ANOTHER_FIRST)
    return rewritten(answer, address, cluster)


def rewritten(text: str, address: str, cluster: str) -> str:
    """k3s calls everything `default` and its server 127.0.0.1."""
    config: dict[str, Any] = yaml.safe_load(text)
    for entry in config["clusters"]:
        port = str(entry["cluster"]["server"]).rpartition(":")[2]
        entry["name"] = cluster
        entry["cluster"]["server"] = f"https://[{address}]:{port}" if ":" in address else f"https://{address}:{port}"
    for entry in config["users"]:
        entry["name"] = cluster
    for entry in config["contexts"]:
        entry["name"] = entry["context"]["cluster"] = entry["context"]["user"] = cluster
    config["current-context"] = cluster
    return yaml.safe_dump(config, sort_keys=False, width=1_000_000)


def write(path: Path, text: str) -> None:
    """Only its owner can read it, from its first moment on. Raises LabError."""
    new = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        new.rename(path)
    except OSError as error:
        what = f"{path} cannot be written ({error.strerror})"
        raise LabError(what, "name another file by --output", code=Code.FILE_UNWRITABLE) from error
