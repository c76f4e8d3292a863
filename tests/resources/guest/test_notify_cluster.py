"""What a server tells of its cluster: the real script, with a stand-in for `k3s kubectl` that prints objects."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import make_spec
from zerotoil.model.secret import Secret
from zerotoil.resources.guest.notify import guest_files

TREE = "var/mnt/data/zerotoil"
K3S = """#!/bin/sh
case $* in
  *"get deployments,statefulsets,daemonsets"*" --selector zerotoil/managed "*) cat "$SHELF/live" 2>/dev/null && exit ;;
  *plans.upgrade.cattle.io*) cat "$SHELF/plans" 2>/dev/null && exit ;;
  *) exit 64 ;;
esac
echo refused >&2
exit 1
"""
NOTIFY = '#!/bin/sh\n{ echo "$1|$2"; cat; } >>"$SHELF/told"\n'


class Server:
    """The first server of a cluster with one Deployment."""

    def __init__(self, root: Path) -> None:
        self.root = root
        spec = make_spec("k3s1", notify_sinks=[Secret("ntfy://ntfy.lan/home")], k3s_role="server", docker_enabled=False)
        for file in guest_files(spec):
            path = root / file.path.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(str(file.content))
        self.program(root / TREE / "bin/notify.sh", NOTIFY)
        self.program(root / "k3s", K3S)
        self.runs()

    @staticmethod
    def program(path: Path, text: str) -> None:
        path.write_text(text)
        path.chmod(0o755)

    def runs(self, image: str = "blog:1", ready: int = 1, **status: Any) -> None:
        made = {"observedGeneration": 1, "updatedReplicas": 1, "availableReplicas": ready, **status}
        body = {
            "kind": "Deployment", "metadata": {"name": "blog", "namespace": "web", "generation": 1}, "status": made,
            "spec": {"replicas": 1, "template": {"spec": {"containers": [{"image": image}]}}},
        }  # fmt: skip
        (self.root / "live").write_text(json.dumps({"items": [body]}))

    def look(self) -> str:
        """What is told at this look."""
        told = self.root / "told"
        told.unlink(missing_ok=True)
        env = os.environ | {"ZEROTOIL_ROOT": str(self.root), "ZEROTOIL_K3S": str(self.root / "k3s"), "SHELF": str(self.root)}
        line = ["sh", str(self.root / TREE / "bin/notify-cluster.sh")]
        done = subprocess.run(line, env=env, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")
        return told.read_text() if told.exists() else ""


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path)


def test_one_server_of_a_cluster_looks_and_no_other_host() -> None:
    sinks = {"notify_sinks": [Secret("ntfy://ntfy.lan/home")]}
    assert not [file for file in guest_files(make_spec("docker1", **sinks)) if "notify-cluster" in file.path]


def test_what_is_ready_is_not_told_and_nothing_is_written(server: Server) -> None:
    assert server.look() == ""
    kept = server.root / TREE / "notify/cluster.json"
    before = kept.stat()
    assert [server.look() for _ in range(2)] == ["", ""]
    assert (kept.stat().st_ino, kept.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_an_update_that_does_not_become_ready_is_told_with_the_image_that_was(server: Server) -> None:
    assert server.look() == ""
    server.runs("blog:2", ready=0)
    assert server.look() == "", "it may just be starting"
    assert server.look() == (
        "update-failed|web/blog\n"
        "Deployment web/blog: 0 of 1 pods are available. It runs blog:2; it was ready with blog:1.\n"
        "Look: sudo k3s kubectl -n web describe deployment blog\n"
    )
    assert server.look().startswith("update-failed|web/blog"), "notify.sh tells it once"
    server.runs("blog:2")
    assert server.look() == ""
    server.runs("blog:2", ready=0)
    assert server.look() == ""
    assert server.look().startswith("unhealthy|web/blog\nDeployment web/blog: 0 of 1 pods are available.\nLook:")


def test_one_that_was_never_ready_is_unhealthy(server: Server) -> None:
    server.runs("blog:1", ready=0)
    assert server.look() == ""
    assert server.look().startswith("unhealthy|web/blog\n")


def test_a_state_that_cannot_be_read_is_begun_anew(server: Server) -> None:
    server.look()
    (server.root / TREE / "notify/cluster.json").write_text('{"Deploy')
    assert server.look() == ""
    assert json.loads((server.root / TREE / "notify/cluster.json").read_text())["Deployment web/blog"]["good"] == ["blog:1"]


def test_a_cluster_that_does_not_answer_is_told_at_the_second_look(server: Server) -> None:
    live = server.root / "live"
    live.rename(server.root / "kept")
    assert server.look() == ""
    assert server.look() == "unhealthy|k3s\nThe cluster does not answer: refused\nLook: journalctl -u k3s\n"
    (server.root / "kept").rename(live)
    assert server.look() == ""
    live.unlink()
    assert server.look() == "", "counted from the start"


def test_a_plan_whose_job_failed(server: Server) -> None:
    failed = {"type": "Complete", "status": "False", "reason": "JobFailed", "message": "BackoffLimitExceeded"}
    plans = [
        {"metadata": {"name": "server-plan"}, "status": {"applying": ["k3s1"], "conditions": [failed]}},
        {"metadata": {"name": "agent-plan"}, "status": {"conditions": [{**failed, "reason": "Resolved"}]}},
    ]
    (server.root / "plans").write_text(json.dumps({"items": plans}))
    assert server.look() == (
        "update-failed|Plan server-plan\n"
        "Plan server-plan on k3s1: its job failed, and nothing tries again: BackoffLimitExceeded.\n"
        "What to do: zerotoil k3s status, for a server of the cluster\n"
    )
