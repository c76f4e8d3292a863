"""The harness itself: a ready node, real parts of one release, loopback only, nothing left, a node's shell."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.cluster.control_plane import K3S, KUBERNETES, NODE, ControlPlane
from zerotoil.errors import LabError

pytestmark = pytest.mark.cluster
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}},
    },
}


def test_the_node_is_ready_and_looks_like_one_of_k3s(cluster):
    node = cluster.get("node", NODE)
    labels = node["metadata"]["labels"]
    assert labels["node-role.kubernetes.io/control-plane"] == "true" and labels["kubernetes.io/hostname"] == NODE
    assert node["status"]["nodeInfo"]["kubeletVersion"] == K3S
    assert f"{NODE}   Ready    control-plane" in cluster.kubectl("get", "nodes")


def test_server_and_kubectl_are_of_the_pinned_release(cluster):
    versions = cluster.kubectl("version")
    assert re.findall(r"(Client|Server) Version: (\S+)", versions) == [("Client", KUBERNETES), ("Server", KUBERNETES)]


def test_it_listens_on_loopback_only(cluster):
    listening = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout.splitlines()
    pids = [f"pid={process.pid}," for process in cluster.processes.running.values()]
    ours = {line.split()[3] for line in listening if any(pid in line for pid in pids)}
    assert cluster.url.removeprefix("https://") in ours
    assert all(address.startswith("127.0.0.1:") for address in ours)


def test_pods_are_scheduled_and_said_to_run(cluster, namespace):
    cluster.apply(DEPLOYMENT | {"metadata": {"name": "web", "namespace": namespace}})
    cluster.kubectl("-n", namespace, "rollout", "status", "deployment/web", "--timeout=60s")
    pods = cluster.get("pods", "-n", namespace)["items"]
    assert [(pod["spec"]["nodeName"], pod["status"]["phase"]) for pod in pods] == [(NODE, "Running")] * 2


def test_another_node_can_join(cluster):
    cluster.add_node("zt-2", control_plane=False)
    try:
        assert re.search(r"zt-2 +Ready +<none>", cluster.kubectl("get", "nodes"))
    finally:
        cluster.kubectl("delete", "node", "zt-2")


def test_stopped_it_leaves_no_process_and_started_again_it_knows_what_it_knew(tmp_path):
    with ControlPlane(tmp_path / "cluster") as first:
        first.kubectl("create", "configmap", "kept", "--from-literal=key=value")
        groups = [process.pid for process in first.processes.running.values()]
    assert [pid for pid in groups if Path(f"/proc/{pid}").exists()] == []
    with ControlPlane(tmp_path / "cluster") as again:
        assert again.get("configmap", "kept")["data"] == {"key": "value"}


def test_a_part_that_ends_is_told_with_its_last_words(tmp_path):
    cluster = ControlPlane(tmp_path)
    cluster.processes.start("kine", "sh", "-c", "echo the disk is full; exit 3")
    with pytest.raises(RuntimeError, match=r"(?s)the datastore: kine has ended.*the disk is full"):
        cluster.processes.until(lambda: False, "the datastore")


def test_the_nodes_shell_has_k3s_kubectl(shell):
    assert shell("k3s kubectl get node zt-1 --output name\n") == "node/zt-1\n"
    assert shell("k3s --version") == f"k3s version {K3S} (STAND-IN)\n"
    manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-shell}\n"
    applied = shell(f"k3s kubectl apply --server-side --dry-run=server -f - <<'END'\n{manifest}END\n")
    assert applied == "configmap/from-shell serverside-applied (server dry run)\n"


def test_the_nodes_shell_fails_as_a_guests_does(shell):
    with pytest.raises(LabError, match=r"zt-1: .*nodes \"nobody\" not found"):
        shell("k3s kubectl get node nobody")
    with pytest.raises(LabError, match="it cannot etcd-snapshot save"):
        shell("k3s etcd-snapshot save")


def test_the_nodes_paths_are_in_a_folder(shell):
    assert (
        shell("stat -c '%a %n' /etc/rancher/k3s/k3s.yaml; command -v k3s")
        == "600 /etc/rancher/k3s/k3s.yaml\n/usr/local/bin/k3s\n"
    )
    shell("mkdir -p /var/lib/rancher/k3s/server; echo secret >/var/lib/rancher/k3s/server/token")
    assert shell.path("/var/lib/rancher/k3s/server/token").read_text() == "secret\n"
    assert not os.path.lexists("/var/lib/rancher/k3s/server/token")
