"""A node that is only pretended, and a shell on it as zerotoil has one over SSH."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from zerotoil.error_codes import Code
from zerotoil.errors import LabError

HOSTED_BY_KWOK = ("kwok.x-k8s.io/node", "fake")  # the annotation that kwok takes nodes by
PATHS = ("/var/mnt/data", "/var/lib/rancher", "/etc/rancher", "/usr/local/bin")  # of a script: they mean the fake root's
K3S_SH = """#!/bin/sh
# STAND-IN for k3s: its kubectl is the real one, and talks to the test's control plane. It is no server and no agent.
set -eu
case ${1-} in
  kubectl)
    shift
    export KUBECONFIG="${KUBECONFIG-ROOT/etc/rancher/k3s/k3s.yaml}"
    exec KUBECTL "$@"
    ;;
  -v | --version) printf 'k3s version VERSION (STAND-IN)\\n' ;;
  *) echo "STAND-IN for k3s: it cannot $*" >&2 && exit 1 ;;
esac
"""


def node(name: str, version: str, control_plane: bool = True) -> dict[str, Any]:
    """The object that a kubelet of k3s would register; its status is as reported, kwok adds that it is ready."""
    labels = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": "k3s",
    }
    if control_plane:
        labels["node-role.kubernetes.io/control-plane"] = "true"
    capacity = {"cpu": "4", "memory": "8Gi", "pods": "110", "ephemeral-storage": "50Gi"}
    info = {
        "architecture": "amd64",
        "operatingSystem": "linux",
        "kubeletVersion": version,
        "kubeProxyVersion": version,
        "containerRuntimeVersion": "containerd://2.1.4-k3s2",
        "osImage": "pretended by kwok",
        "kernelVersion": "6.17.0",
        "bootID": "",
        "machineID": "",
        "systemUUID": "",
    }
    addresses = [{"type": "InternalIP", "address": "127.0.0.1"}, {"type": "Hostname", "address": name}]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": dict([HOSTED_BY_KWOK])},
        "spec": {"podCIDR": "10.42.0.0/24"} if control_plane else {},
        "status": {"capacity": capacity, "allocatable": capacity, "nodeInfo": info, "addresses": addresses},
    }


class NodeShell:
    """Runs scripts as `Guest`'s shell does, on this machine with a folder as the node's root. `k3s` there is a stand-in.

    In a script the PATHS, and in its answer the folder, are put in each other's place.
    """

    def __init__(self, name: str, root: Path, kubectl: Path, kubeconfig: Path, version: str) -> None:
        self.name, self.root, self.scripts = name, root, list[str]()
        for path in PATHS:
            self.path(path).mkdir(parents=True, exist_ok=True)
        text = K3S_SH.replace("ROOT", str(root)).replace("KUBECTL", str(kubectl)).replace("VERSION", version)
        self.k3s = self.path("/usr/local/bin/k3s")
        self.k3s.write_text(text)
        self.k3s.chmod(0o755)
        self.kubeconfig = self.path("/etc/rancher/k3s/k3s.yaml")
        self.kubeconfig.parent.mkdir(exist_ok=True)
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_bytes(kubeconfig.read_bytes())

    def __call__(self, script: str) -> str:
        """What the script prints. LabError with the node's own words when it fails."""
        self.scripts.append(script)
        here = script
        for path in PATHS:
            here = here.replace(path, str(self.path(path)))
        env = {"PATH": f"{self.path('/usr/local/bin')}:{os.environ['PATH']}", "HOME": str(self.root)}
        done = subprocess.run(["sh", "-s"], input=here, env=env, cwd=self.root, capture_output=True, text=True, timeout=300)
        if done.returncode:
            said = done.stderr.strip().replace(str(self.root), "")
            raise LabError(f"{self.name}: a command in the guest failed ({said[-300:]})", "look", code=Code.GUEST_COMMAND_FAILED)
        return done.stdout.replace(str(self.root), "")

    def path(self, path: str) -> Path:
        """Where the node's absolute path lies here."""
        return self.root / path.lstrip("/")
