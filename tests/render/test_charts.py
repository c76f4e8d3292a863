"""Keel, its policies, and the Tailscale operator: what is made of the keys, what is refused, what is risky."""

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import RIGHT, make_spec
from zerotoil.layers.cluster import judge
from zerotoil.model.inventory import declare
from zerotoil.model.secret import Secret
from zerotoil.render.kubernetes import charts

SERVER = {"k3s_role": "server"}
CLIENT = {"tailscale_client_id": Secret("id"), "tailscale_client_secret": Secret("hush")}
WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: blog
  namespace: web
  annotations: {ANNOTATIONS}
spec: {template: {spec: {containers: [{name: web, image: "web:1.2.0"}]}}}
"""


def secret_values(body: dict[str, Any]) -> dict[str, Any]:
    return {key: base64.b64decode(value).decode() for key, value in body["data"].items()}


def test_keel_is_pinned_polls_hourly_and_has_a_password() -> None:
    spec = make_spec("k3s1", **SERVER, keel_enabled=True, notify_sinks=[Secret("ntfy://ntfy.lan/a"), Secret("ntfy://ntfy.lan/b")])
    space, secret, chart = (one.body for one in charts.keel(spec))
    assert space["metadata"]["name"] == "keel"
    assert chart["spec"] == {
        "chart": "keel",
        "repo": "https://keel-hq.github.io/keel/",
        "version": "1.2.0",
        "targetNamespace": "keel",
        "failurePolicy": "abort",
        "valuesContent": chart["spec"]["valuesContent"],
        "valuesSecrets": [{"name": "keel-values", "keys": ["login.yaml", "sinks.yaml"]}],
    }
    assert yaml.safe_load(chart["spec"]["valuesContent"]) == {
        "helmProvider": {"enabled": False},
        "polling": {"enabled": True, "defaultSchedule": "@every 3600s"},
        "service": {"enabled": True, "type": "ClusterIP"},
        "persistence": {"enabled": True, "storageClass": "local-path", "size": "1Gi"},
    }
    values = secret_values(secret)
    login = {"enabled": True, "user": "keel", "password": "@GENERATED@"}
    assert yaml.safe_load(values["login.yaml"]) == {"basicauth": login}
    assert yaml.safe_load(values["sinks.yaml"]) == {"shoutrrr": {"urls": "ntfy://ntfy.lan/a ntfy://ntfy.lan/b"}}
    assert secret["metadata"]["annotations"] == {"zerotoil/generated": "login.yaml"}


def test_the_operator_has_its_client_in_a_secret_and_its_tags() -> None:
    space, secret, chart = (one.body for one in charts.tailscale(make_spec("k3s1", **SERVER, **CLIENT, tailscale_enabled=True)))
    assert secret_values(secret) == {"client_id": "id", "client_secret": "hush"}
    assert (secret["metadata"]["name"], secret["metadata"]["namespace"]) == ("operator-oauth", space["metadata"]["name"])
    assert chart["spec"]["version"] == "1.96.5" and "hush" not in str(chart)
    assert yaml.safe_load(chart["spec"]["valuesContent"]) == {
        "operatorConfig": {"defaultTags": ["tag:k8s-operator"], "hostname": "k3s1-operator"},
        "proxyConfig": {"defaultTags": "tag:k8s"},
    }


POLICIES = [
    ("patch", {"keel.sh/policy": "patch", "keel.sh/trigger": "poll"}),
    ("major+approve", {"keel.sh/policy": "major", "keel.sh/trigger": "poll", "keel.sh/approvals": "1"}),
    ("force+tag", {"keel.sh/policy": "force", "keel.sh/trigger": "poll", "keel.sh/matchTag": "true"}),
]


def judged(root: Path, annotations: str = "{}", **more: Any) -> Any:
    (root / "cluster").mkdir(exist_ok=True)
    (root / "cluster/web.yaml").write_text(WEB.replace("{ANNOTATIONS}", annotations))
    return judge(make_spec("k3s1", **SERVER, **more), root)


@pytest.mark.parametrize(("policy", "annotations"), POLICIES, ids=[policy for policy, _ in POLICIES])
def test_a_policy_becomes_annotations(tmp_path: Path, policy: str, annotations: dict[str, str]) -> None:
    found = judged(tmp_path, keel_workloads={"web/blog": policy})
    assert (found.problems, found.warnings) == ((), ())
    assert found.objects[0].body["metadata"]["annotations"] == {**annotations, "zerotoil/images": "web=web:1.2.0"}


def test_never_leaves_the_images_to_the_owner(tmp_path: Path) -> None:
    notes = judged(tmp_path, keel_workloads={"web/blog": "never"}).objects[0].body["metadata"]["annotations"]
    assert "zerotoil/images" not in notes


def test_a_major_version_without_approval_is_risky(tmp_path: Path) -> None:
    (notice,) = judged(tmp_path, keel_workloads={"web/blog": "major"}).warnings
    assert str(notice) == (
        "Deployment web/blog: risky: a new major version is taken without asking; major+approve asks first "
        "(declare another policy, see cluster/web.yaml:1)"
    )


def test_force_without_its_tag_is_refused_in_a_manifest_too(tmp_path: Path) -> None:
    (problem,) = judged(tmp_path, "{keel.sh/policy: force}").problems
    assert problem.shown == (
        'cluster/web.yaml:1: Deployment web/blog: policy force without keel.sh/matchTag: "true" takes any tag that is '
        "pushed, also an "
        "older one [ZT183]"
    )


def test_a_policy_of_nothing_is_named(tmp_path: Path) -> None:
    (problem,) = judged(tmp_path, keel_workloads={"web/other": "minor"}).problems
    said = "keel_workloads[web/other]:1: web/other is no Deployment, StatefulSet or DaemonSet of cluster/ [ZT183]"
    assert problem.shown == said


def test_a_channel_that_moves_is_risky(tmp_path: Path) -> None:
    (notice,) = judged(tmp_path, upgrades_enabled=True, upgrades_channel="stable").warnings
    assert (
        notice.what == "upgrades_channel stable goes on to the next minor release by itself, and may skip one after a long pause"
    )


WRONG: list[tuple[dict[str, Any], str]] = [
    (
        {"keel_workloads": {"web/blog": "force"}},
        "keel_workloads (from host data): web/blog: force alone takes any tag that is pushed, also an older one; write force+tag "
        "[ZT103]",
    ),
    (
        {"keel_workloads": {"web/blog": "mayor"}},
        "keel_workloads (from host data): web/blog: 'mayor' is no policy; it is one of patch, minor, major, major+approve, "
        "minor+approve, patch+approve, force+tag, never [ZT103]",
    ),
    (
        {"keel_workloads": {"blog": "minor"}},
        "keel_workloads (from host data): 'blog' is no workload; write NAMESPACE/NAME, for instance web/blog [ZT103]",
    ),
    (
        {"keel_poll": "1 minute"},
        'keel_poll (from host data): registries limit who asks too often; write at least "1 hour" [ZT103]',
    ),
    (
        {"tailscale_enabled": True, "tailscale_client_id": Secret("id")},
        "tailscale_client_secret: missing; make an OAuth client (scopes Devices Core, Auth Keys, Services: write) [ZT104]",
    ),
    ({"tailscale_tag": "k8s"}, "tailscale_tag (from host data): 'k8s' is no tag; write for instance tag:k8s [ZT103]"),
]


@pytest.mark.parametrize(("data", "line"), WRONG, ids=[line[:40] for _, line in WRONG])
def test_what_is_wrong_is_told_in_one_line(data: dict[str, Any], line: str) -> None:
    problems = declare({"k3s1": [("host data", {**RIGHT, **SERVER, **data})]}).problems
    assert [problem.shown for problem in problems] == [f"k3s1: {line}"]
