"""A cluster's status in words, and its kubeconfig: whose address it has, and who can read it."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from zerotoil.cli.k3s import k3s
from zerotoil.errors import LabError
from zerotoil.layers import kubeconfig
from zerotoil.resources.cluster.status import is_well, lines
from zerotoil.resources.guest import Guest

CHANNEL = "https://update.k3s.io/v1-release/channels/v1.36"
FOUND = {CHANNEL: {"code": "302", "to": "v1.36.4+k3s1"}}
RUN = "zerotoil ssh k3s1 -- sudo k3s kubectl"


def node(name: str = "k3s1", **more: Any) -> dict[str, Any]:
    return {"name": name, "version": "v1.36.3+k3s1", "ready": True, "cordoned": False, "server": True, **more}


def plan(**more: Any) -> dict[str, Any]:
    complete = {"status": "True", "reason": "Complete", "message": ""}
    base = {"name": "server-plan", "channel": CHANNEL, "version": None, "latest": "v1.36.4-k3s1", "applying": []}
    return {**base, "complete": complete, **more}


def seen(*nodes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"nodes": nodes, "plans": [plan()], "jobs": [], "channels": FOUND, **more}


def said(**what: Any) -> list[str]:
    return list(lines("k3s1", "house", what))


def test_a_cluster_that_is_well() -> None:
    found = seen(node(), node("agent1", server=False))
    assert said(**found) == [
        "house: 2 nodes",
        "  k3s1    v1.36.3+k3s1  ready, server",
        "  agent1  v1.36.3+k3s1  ready, agent",
        "server-plan: v1.36 is v1.36.4+k3s1",
    ]
    assert is_well(found)


def test_a_node_that_a_failed_job_left_cordoned_is_explained_and_mended() -> None:
    failed = {"name": "apply", "node": "k3s1", "plan": "server-plan", "failed": "BackoffLimitExceeded", "done": False}
    found = seen(node(cordoned=True), jobs=[failed])
    assert said(**found)[2:] == [
        "server-plan: v1.36 is v1.36.4+k3s1",
        "! k3s1 is cordoned since its upgrade by server-plan failed (BackoffLimitExceeded): no new pod starts there, "
        "and nothing tries "
        "again",
        f"  let pods in again: {RUN} uncordon k3s1",
        f"  try again: {RUN} -n system-upgrade label --overwrite plan server-plan zerotoil-retry=$(date +%s)",
    ]
    assert not is_well(found)


def test_the_same_when_the_job_is_gone_by_now() -> None:
    complete = {"status": "False", "reason": "JobFailed", "message": "job failed"}
    found = seen(node(cordoned=True), plans=[plan(applying=["k3s1"], complete=complete)])
    assert said(**found)[2:4] == [
        "server-plan: v1.36 is v1.36.4+k3s1; now on k3s1",
        "! k3s1 is cordoned since its upgrade by server-plan failed (job failed): no new pod starts there, and "
        "nothing tries again",
    ]


@pytest.mark.parametrize("job_is_there", [True, False])
def test_an_upgrade_that_failed_before_its_node_was_cordoned(job_is_there: bool) -> None:
    """The Plan's prepare step could not copy the datastore."""
    failed = {"name": "apply", "node": "k3s1", "plan": "server-plan", "failed": "job failed", "done": False}
    complete = {"status": "False", "reason": "JobFailed", "message": "job failed"}
    gone = {"plans": [plan(applying=["k3s1"], complete=complete)]}
    found = seen(node(), **({"jobs": [failed]} if job_is_there else gone))
    assert said(**found)[3:] == [
        "! the upgrade of k3s1 by server-plan failed (job failed): it runs what it ran before, and nothing tries again",
        f"  look: {RUN} -n system-upgrade get events --field-selector involvedObject.name=server-plan",
        f"  try again: {RUN} -n system-upgrade label --overwrite plan server-plan zerotoil-retry=$(date +%s)",
    ]
    assert not is_well(found)


def test_a_node_that_is_upgraded_now_is_cordoned_rightly() -> None:
    complete = {"status": "False", "reason": "Resolved", "message": ""}
    found = seen(node(cordoned=True), plans=[plan(applying=["k3s1"], complete=complete)])
    assert said(**found)[-1] == "  k3s1 is cordoned while server-plan upgrades it"


def test_a_node_that_a_person_cordoned() -> None:
    assert said(**seen(node(cordoned=True)))[-2:] == [
        "! k3s1 is cordoned, by hand or by a Plan that is gone: no new pod starts there",
        f"  let pods in again: {RUN} uncordon k3s1",
    ]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("200", "answers 200, where only a redirect (302) names a release, and an image tagged v1.36 would be run"),
        ("404", "answers 404, where only a redirect (302) names a release"),
        ("000", "does not answer, where only a redirect (302) names a release"),
    ],
)
def test_a_channel_that_does_not_redirect(code: str, words: str) -> None:
    found = seen(node(), channels={CHANNEL: {"code": code, "to": ""}})
    assert said(**found)[-1] == f"! {CHANNEL} {words}: mend upgrades_channel"
    assert not is_well(found)


def test_a_cluster_without_plans_says_so() -> None:
    assert said(**seen(node(), plans=[], channels={}))[-1] == "no Plan: it does not upgrade itself (upgrades_enabled)"


K3S_YAML = """\
apiVersion: v1
kind: Config
clusters: [{name: default, cluster: {server: "https://127.0.0.1:6443", certificate-authority-data: Q0E=}}]
users: [{name: default, user: {client-key-data: S0VZ}}]
contexts: [{name: default, context: {cluster: default, user: default}}]
current-context: default
"""


@pytest.mark.parametrize(
    ("address", "server"), [("192.0.2.21", "https://192.0.2.21:6443"), ("2001:db8::1", "https://[2001:db8::1]:6443")]
)
def test_a_kubeconfig_names_the_nodes_address_and_the_cluster(address: str, server: str) -> None:
    made = yaml.safe_load(kubeconfig.read(Guest("k3s1", lambda _script: K3S_YAML), address, "house"))
    assert made["clusters"] == [{"name": "house", "cluster": {"server": server, "certificate-authority-data": "Q0E="}}]
    assert made["users"] == [{"name": "house", "user": {"client-key-data": "S0VZ"}}]
    assert made["contexts"] == [{"name": "house", "context": {"cluster": "house", "user": "house"}}]
    assert made["current-context"] == "house"


def test_a_node_without_one_says_why() -> None:
    with pytest.raises(LabError, match="k3s1 has no /etc/rancher/k3s/k3s.yaml: k3s has not come up there yet: run the deploy"):
        kubeconfig.read(Guest("k3s1", lambda _script: ""), "192.0.2.21", "house")


def test_only_its_owner_can_read_the_file_also_where_another_was(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "house.kubeconfig"
    path.parent.mkdir()
    path.write_text("old")
    path.chmod(0o644)
    kubeconfig.write(path, "new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o600)
    assert list(path.parent.iterdir()) == [path]


def test_a_host_that_is_no_server_is_told_whom_to_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.conftest import make_spec
    from zerotoil.cli import k3s as module

    monkeypatch.setattr(module, "find", lambda *_: make_spec("docker1"))
    done = CliRunner().invoke(k3s, ["status", "docker1"])
    assert str(done.exception) == "docker1 is no server of a cluster: name a host with k3s_role server"
