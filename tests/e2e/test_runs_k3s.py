"""The demo's host as a node of k3s (a stand-in) on a real VM: made, left alone, rebooted, moved to a new OS disk, and taken back
together with its datastore."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import guide_k3s
from tests.e2e.deployed import deploy
from tests.e2e.guide_plan_and_drift import HOST, ROOT, in_guest
from tests.e2e.project import ZEROTOIL, Project, wait_for
from zerotoil.minilab.k3s import VERSIONS

pytestmark = [pytest.mark.lab, pytest.mark.e2e, pytest.mark.long, pytest.mark.usefixtures("lab")]
OLD, NEW = VERSIONS
PAGE = "roll-a-cluster-back.md"
INVENTORY = ("-i", "inventory/lab.py", HOST)
FETCH = (
    "sudo curl -fsS -o /usr/local/bin/new {url} && sudo chmod 755 /usr/local/bin/new"
    " && sudo mv /usr/local/bin/new /usr/local/bin/k3s"
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, lab: None) -> Iterator[Project]:
    made = Project(tmp_path_factory.mktemp("k3s"))
    # A host of k3s has no Docker; the demo's has one until its next OS disk.
    in_guest("sudo systemctl disable --now docker.service docker.socket")
    declare(made)
    yield made
    made.declare()
    made.deploy()  # k3s off, its state stays
    in_guest("sudo systemctl enable --now docker.socket docker.service")
    deploy()


def url(project: Project) -> str:
    return f"http://{project.lab['registry'].rpartition(':')[0]}:8088/k3s"


def declare(project: Project, **more: Any) -> None:
    project.declare(k3s_role="server", k3s_url=url(project), docker_enabled=False, watchtower_enabled=False, **more)


def kubectl(*arguments: str) -> str:
    return in_guest(f"sudo k3s kubectl {' '.join(arguments)}")


def version() -> str:
    """Of the node, as it says itself."""
    try:
        return str(json.loads(kubectl("get", "nodes", "-o", "json"))["items"][0]["status"]["nodeInfo"]["kubeletVersion"])
    except AssertionError:
        return ""


def test_a_node_is_made_and_then_nothing_is_to_do(project: Project) -> None:
    assert "k3s server" in project.plan()
    project.deploy()
    assert version() == OLD
    assert in_guest("sudo stat -c %a /etc/rancher/k3s/k3s.yaml /etc/rancher/k3s/config.yaml").split() == ["600", "600"]
    assert in_guest("findmnt -no SOURCE /var/lib/rancher").strip().endswith("[/k3s]")
    kubectl("create", "configmap", "mine")
    project.plan(code=0)


def test_a_changed_config_restarts_k3s_and_not_its_pods(project: Project) -> None:
    pod = in_guest("cat /run/k3s-standin-pod.pid")
    declare(project, k3s_config={"disable": ["traefik"]})
    assert "traefik" in project.plan()
    project.deploy()
    assert in_guest("cat /run/k3s-standin-pod.pid") == pod
    project.plan(code=0)


def test_a_reboot_brings_it_back(project: Project) -> None:
    boot = in_guest("cat /proc/sys/kernel/random/boot_id")
    in_guest("sudo systemctl --no-block reboot")
    wait_for(lambda: booted() not in ("", boot), seconds=600)
    wait_for(lambda: version() == OLD, seconds=300)
    project.plan(code=0)


def booted() -> str:
    try:
        return in_guest("cat /proc/sys/kernel/random/boot_id")
    except AssertionError:
        return ""


def test_an_upgrade_is_kept_and_a_new_os_disk_has_it_without_a_deploy(project: Project) -> None:
    project.run(ZEROTOIL, "snapshot", *INVENTORY, "--note", "before the upgrade")
    in_guest(FETCH.format(url=f"{url(project)}/{NEW.replace('+', '%2B')}/k3s"))
    in_guest("sudo systemctl restart k3s.service")
    wait_for(lambda: version() == NEW, seconds=120)
    kubectl("create", "configmap", "later")
    project.plan(code=0)
    project.run(ZEROTOIL, "rebuild", *INVENTORY, "--yes")
    in_guest("sudo systemctl disable --now docker.service docker.socket")
    wait_for(lambda: version() == NEW, seconds=300)
    assert kubectl("get", "configmaps", "-o", "name").split() == ["configmap/mine", "configmap/later"]


def test_an_undo_brings_back_binary_and_datastore_together_and_a_return_the_newer_ones(project: Project) -> None:
    shown = project.run(ZEROTOIL, "undo", *INVENTORY, "--dry-run")
    undone = project.run(ZEROTOIL, "undo", *INVENTORY, "--yes")
    assert version() == OLD, "the stand-in of this release refuses the datastore of the newer one"
    objects = kubectl("get", "configmaps", "-o", "name")
    assert objects.split() == ["configmap/mine"]
    project.plan(code=0)
    returned = project.run(ZEROTOIL, "undo", *INVENTORY, "--return", "--yes")
    assert version() == NEW
    assert kubectl("get", "configmaps", "-o", "name").split() == ["configmap/mine", "configmap/later"]
    walked = guide_k3s.roll_a_cluster_back(shown, undone, objects, returned)
    if folder := os.environ.get("ZEROTOIL_E2E_PAGES"):
        (Path(folder) / PAGE).write_text(walked)
    assert walked == (ROOT / "docs/guides" / PAGE).read_text()


def test_taken_off_it_stops_and_keeps_its_state(project: Project) -> None:
    project.declare(docker_enabled=False, watchtower_enabled=False)
    assert "its state stays in /var/mnt/data/k3s" in project.plan()
    project.deploy()
    assert "inactive" in in_guest("systemctl is-active k3s.service || true")
    assert in_guest("sudo ls /var/mnt/data/k3s/k3s/server/db")
    project.plan(code=0)
