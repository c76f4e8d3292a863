"""A real Kubernetes control plane on loopback, its datastore SQLite behind kine as on k3s, and a node that is only pretended.

    with ControlPlane(folder) as cluster:
        cluster.kubectl("get", "nodes")

Programs come from `zerotoil.minilab.tools`, built once and kept by content. There is no kubelet: kwok says of pods that they
run, by the stages in kwok.yaml. Nothing of a pod is ever executed.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cluster.node import HOSTED_BY_KWOK, node
from tests.cluster.pki import Authority
from tests.cluster.processes import Processes
from zerotoil.minilab.tools import module_files, pinned, tool

NODE = "zt-1"
KUBERNETES = pinned("cluster", "k8s.io/kubernetes")
K3S = f"{KUBERNETES}+k3s1"  # what a k3s of this release calls itself
STAGES = Path(__file__).with_name("kwok.yaml")
KUBECTL = Path(sys.prefix) / "bin" / "kubectl"


class KubectlError(AssertionError):
    """kubectl ended with another code than 0; its own words."""


class ControlPlane:
    """Certificates, datastore and logs are in `folder`. Started again on the same folder, it has the same content."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kubeconfig = folder / "admin.kubeconfig"
        self.processes = Processes(folder / "log")
        self.url = ""

    def __enter__(self) -> ControlPlane:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Returns when the API answers and the node is ready."""
        first = not (self.folder / "pki").exists()
        if first:
            self._make()
        try:
            self._start_api()
            self._start_controllers()
            if first:
                self._register(node(NODE, K3S))
                self.kubectl("create", "-f", str(module_files("helm-controller") / "pkg/crds/yaml/generated"))  # k3s has them
            self.kubectl("wait", "--for=create", "serviceaccount/default", "--timeout=60s")
            self.kubectl("wait", "--for=condition=Ready", f"node/{NODE}", "--timeout=60s")
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends every process of it at once; the datastore keeps what was written."""
        self.processes.stop_all()

    def start_helm_controller(self) -> None:
        """k3s has it built in; it takes HelmCharts up from now on."""
        argv = ("--kubeconfig", self.kubeconfig, "--controller-name", "helm-controller", "--node-name", NODE, "--threads", "2")
        self.processes.start("helm-controller", tool("helm-controller"), *argv)

    def stop_helm_controller(self) -> None:
        self.processes.stop("helm-controller")

    def attempt(self, *arguments: str, stdin: str = "", kubeconfig: Path | None = None) -> subprocess.CompletedProcess[str]:
        """kubectl as cluster-admin, or with another kubeconfig; any exit code is an answer."""
        env = {
            "KUBECONFIG": str(kubeconfig or self.kubeconfig),
            "KUBECACHEDIR": str(self.folder / "cache"),
            "HOME": str(self.folder),
        }
        return subprocess.run([KUBECTL, *arguments], input=stdin, env=env, capture_output=True, text=True, timeout=120)

    def kubectl(self, *arguments: str, stdin: str = "") -> str:
        """What kubectl prints. KubectlError when it fails."""
        done = self.attempt(*arguments, stdin=stdin)
        if done.returncode:
            raise KubectlError(f"kubectl {' '.join(arguments)}: exit {done.returncode}\n{done.stderr}{done.stdout}")
        return done.stdout

    def get(self, *arguments: str) -> Any:
        """The object, or the list of objects, that `kubectl get …` shows."""
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def apply(self, *objects: dict[str, Any]) -> str:
        """Server-side, as zerotoil would."""
        listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        return self.kubectl("apply", "--server-side", "--field-manager=zerotoil", "-f", "-", stdin=json.dumps(listed))

    def until(self, true: Callable[[], bool], what: str, seconds: float = 60) -> None:
        """Waits for something in the cluster; fails with the logs' last lines."""
        self.processes.until(true, what, seconds)

    def add_node(self, name: str, **declared: Any) -> None:
        """Another pretend node; see `node`. Returns when it is ready."""
        self._register(node(name, **{"version": K3S, **declared}))
        self.kubectl("wait", "--for=condition=Ready", f"node/{name}", "--timeout=60s")

    def _register(self, registered: dict[str, Any]) -> None:
        self.kubectl("create", "-f", "-", stdin=json.dumps(registered))  # as a kubelet does it: with its status

    def _make(self) -> None:
        for name in ("data", "run"):
            (self.folder / name).mkdir()
        authority = Authority(self.folder / "pki")
        authority.server()
        authority.service_accounts()
        self.url = f"https://127.0.0.1:{free_port()}"
        (self.folder / "url").write_text(self.url)
        for name, user, group in (
            ("admin", "kubernetes-admin", "system:masters"),
            ("kwok", "kwok", "system:masters"),
            ("manager", "system:kube-controller-manager", ""),
            ("scheduler", "system:kube-scheduler", ""),
        ):
            authority.kubeconfig(self.folder / f"{name}.kubeconfig", self.url, user, group)

    def _start_api(self) -> None:
        self.url = (self.folder / "url").read_text()
        socket_file, pki = self.folder / "run/kine.sock", self.folder / "pki"
        socket_file.unlink(missing_ok=True)
        self.processes.start("kine", tool("kine"), socket_file, self.folder / "data/state.db")
        self.processes.until(socket_file.exists, "the datastore")
        flags = {
            "etcd-servers": f"unix://{socket_file}",
            "bind-address": "127.0.0.1",
            "secure-port": self.url.rpartition(":")[2],
            "advertise-address": "127.0.0.1",  # needs that reconciler: loopback is no endpoint of a service
            "endpoint-reconciler-type": "none",
            "tls-cert-file": pki / "apiserver.crt",
            "tls-private-key-file": pki / "apiserver.key",
            "client-ca-file": pki / "ca.crt",
            "authorization-mode": "Node,RBAC",
            "anonymous-auth": "false",
            "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
            "service-account-key-file": pki / "sa.pub",
            "service-account-signing-key-file": pki / "sa.key",
            "service-cluster-ip-range": "10.43.0.0/16",
            "allow-privileged": "true",
            "profiling": "false",
        }
        self._start_part("kube-apiserver", flags)
        self.processes.until(lambda: self.attempt("get", "--raw=/readyz").returncode == 0, "the API", 120)

    def _start_controllers(self) -> None:
        pki = self.folder / "pki"
        quiet = {"leader-elect": "false", "secure-port": "0", "profiling": "false"}
        manager = {
            "kubeconfig": self.folder / "manager.kubeconfig",
            "kube-api-qps": "500",  # the default takes twice as long to start
            "kube-api-burst": "1000",
            "service-account-private-key-file": pki / "sa.key",
            "root-ca-file": pki / "ca.crt",
            "use-service-account-credentials": "true",
        }
        self._start_part("kube-controller-manager", quiet | manager)
        self._start_part("kube-scheduler", quiet | {"kubeconfig": self.folder / "scheduler.kubeconfig"})
        kwok = {
            "kubeconfig": self.folder / "kwok.kubeconfig",
            "config": STAGES,
            "manage-all-nodes": "false",
            "manage-nodes-with-annotation-selector": "=".join(HOSTED_BY_KWOK),
            "node-ip": "127.0.0.1",
            "node-port": "0",  # else it listens on all addresses
            "cidr": "10.42.0.0/24",
            "node-lease-duration-seconds": "40",
        }
        self.processes.start("kwok", tool("kwok"), *_flags(kwok))

    def _start_part(self, name: str, flags: dict[str, str | Path]) -> None:
        self.processes.start(name, tool("kubernetes"), name, *_flags(flags))


def free_port() -> int:
    """A TCP port on loopback that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _flags(flags: dict[str, str | Path]) -> list[str]:
    return [f"--{name}={value}" for name, value in flags.items()]
