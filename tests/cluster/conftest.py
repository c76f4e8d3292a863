"""One control plane for all tests of this folder; a test keeps to a namespace of its own, or to names of its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import upgrades
from tests.cluster.channels import Channels
from tests.cluster.control_plane import K3S, KUBECTL, NODE, ControlPlane
from tests.cluster.node import NodeShell
from zerotoil.minilab.tools import tool


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A running control plane with the ready node zt-1."""
    with ControlPlane(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture
def shell(cluster: ControlPlane, tmp_path: Path) -> NodeShell:
    """zt-1's shell, in which `k3s kubectl` talks to the control plane."""
    return NodeShell(NODE, tmp_path / "root", KUBECTL, cluster.kubeconfig, K3S)


@pytest.fixture
def namespace(cluster: ControlPlane) -> Iterator[str]:
    """A namespace for one test; it goes afterwards, by itself."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    cluster.kubectl("create", "namespace", name)
    yield name
    cluster.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="session")
def helm_controller(cluster: ControlPlane) -> ControlPlane:
    """From now on the real helm-controller takes HelmCharts up."""
    cluster.start_helm_controller()
    return cluster


@pytest.fixture(scope="session")
def plans(cluster: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> ControlPlane:
    """system-upgrade-controller's real CRD and manifests are in the cluster; nothing acts on Plans."""
    with_manager = ("apply", "--server-side", "--field-manager=zerotoil", "-f")
    cluster.kubectl(*with_manager, str(upgrades.crd()))
    cluster.kubectl("wait", "--for=condition=Established", "crd/plans.upgrade.cattle.io", "--timeout=30s")
    cluster.kubectl(*with_manager, "-", stdin=upgrades.manifests(tmp_path_factory.mktemp("suc")))
    return cluster


@pytest.fixture(scope="session")
def helm() -> Path:
    """The real helm, for `helm template`; built when a test first asks for it."""
    return tool("helm")


@pytest.fixture
def channels() -> Iterator[Channels]:
    """A channel server; put answers in."""
    with Channels() as serving:
        yield serving
