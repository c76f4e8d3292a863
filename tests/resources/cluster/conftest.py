"""A node whose `k3s kubectl` is the stand-in beside this file; the script on it is the real one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.resources.cluster import kubectl_standin
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.kubernetes.objects import Object
from zerotoil.resources.cluster import ClusterObjects
from zerotoil.resources.guest import Guest

OWNER = "home.k3s1"


class Node:
    """`scripts` are the round trips."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file, self.scripts = folder, folder / "state.json", list[str]()
        self.k3s = folder / "k3s"
        self.k3s.write_text(f'#!/bin/sh\nexec {sys.executable} -S {kubectl_standin.__file__} {self.file} "$@"\n')
        self.k3s.chmod(0o755)
        self.guest = Guest("k3s1", self.run)
        self.put("Node", "k3s1", status={"nodeInfo": {"kubeletVersion": "v1.36.3+k3s1"}})

    def run(self, script: str) -> str:
        self.scripts.append(script)
        env = {**os.environ, "ZEROTOIL_K3S": str(self.k3s), "ZEROTOIL_TRIES": "1", "ZEROTOIL_NOTE": str(self.folder / "note")}
        done = subprocess.run(["sh", "-s"], input=script, env=env, capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise LabError(f"k3s1: failed ({done.stderr[-500:]})", code=Code.GUEST_COMMAND_FAILED)
        return done.stdout

    @property
    def data(self) -> dict[str, Any]:
        return kubectl_standin.State(self.file).data

    def change(self, **data: Any) -> None:
        state = kubectl_standin.State(self.file)
        state.data.update(data)
        state.save()
        self.guest.writes += 1  # the last answer does not hold any more

    def put(self, kind: str, name: str, api: str = "v1", space: str = "", **fields: Any) -> None:
        """An object as somebody else made it."""
        metadata = {"name": name, **({"namespace": space} if space else {}), **fields.pop("metadata", {})}
        body = {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}
        self.change(objects={**self.data["objects"], f"{api} {kind} {space} {name}": body})

    def get(self, kind: str, name: str, api: str = "v1", space: str = "") -> Any:
        return self.data["objects"].get(f"{api} {kind} {space} {name}")

    def writes(self) -> list[str]:
        calls = [call for call in self.data["calls"] if call.startswith(("apply", "delete")) and "--dry-run" not in call]
        self.change(calls=[])
        return calls

    def objects(self, *bodies: dict[str, Any], **more: Any) -> ClusterObjects:
        declared = [Object(body, f"cluster/a.yaml:{number}").labelled(OWNER) for number, body in enumerate(bodies, 1)]
        return ClusterObjects(self.guest, "k3s1", declared, OWNER, **more)


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


def config(name: str = "web", space: str = "default", **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": space}, "data": data}


def lines(changes: Sequence[Any]) -> list[str]:
    return [str(change) for change in changes]


def dumped(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
