"""zerotoil's own plan and apply against the real API: drift by field, others' fields, conflicts, refusals, pruning, "
"300 objects."""

import base64
import copy
import json
import re
import time
from http import HTTPStatus

import pytest

from tests.cluster.control_plane import K3S
from tests.conftest import make_spec
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers.cluster import judge
from zerotoil.model.kubernetes.objects import Object
from zerotoil.model.secret import Secret
from zerotoil.resources.cluster import ClusterObjects, kubectl
from zerotoil.resources.cluster.status import lines as status_lines
from zerotoil.resources.guest import Guest
from zerotoil.resources.resource import Action, Kind, Risk

pytestmark = pytest.mark.cluster


@pytest.fixture
def declare(shell, namespace):
    """Objects of a cluster that is this test's own: nobody else has its label."""

    def made(*bodies, **more):
        owner = f"home.{namespace}"
        declared = [Object(body, f"cluster/a.yaml:{number}").labelled(owner) for number, body in enumerate(bodies, 1)]
        return ClusterObjects(Guest("zt-1", shell), "house", declared, owner, **more)

    return made


def config(namespace, name="settings", **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": data}


def deployment(namespace, image="web:1.2.0", **spec):
    labels = {"app": "web"}
    pod = {
        "metadata": {"labels": labels},
        "spec": {"containers": [{"name": "web", "image": image, "ports": [{"containerPort": 80}]}]},
    }
    body = {"replicas": 2, "selector": {"matchLabels": labels}, "template": pod, **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": namespace}, "spec": body}


def failure(objects, step="plan"):
    with pytest.raises(LabError) as caught:
        getattr(objects, step)()
    return caught.value.shown


def lines(changes):
    return [str(change) for change in changes]


def test_everything_is_made_waited_for_and_then_as_declared(declare, namespace, cluster, shell):
    objects = declare(deployment(namespace), config(namespace, key="value"))
    assert [change.action for change in objects.plan()] == [Action.CREATE, Action.CREATE]
    objects.apply()
    assert cluster.get("deployment", "web", "-n", namespace)["status"]["availableReplicas"] == 2
    shell.scripts.clear()
    before = versions(cluster, namespace)
    again = declare(deployment(namespace), config(namespace, key="value"))
    assert (again.plan(), again.apply(), list(again.notices())) == ([], [], [])
    assert len(shell.scripts) == 1 and versions(cluster, namespace) == before


def versions(cluster, namespace):
    return [one["metadata"]["resourceVersion"] for one in cluster.get("deployments,configmaps", "-n", namespace)["items"]]


def test_one_changed_field_is_the_one_that_is_told_and_the_servers_defaults_are_no_drift(declare, namespace, cluster):
    declare(deployment(namespace), config(namespace, key="old", same="same")).apply()
    (image, key) = declare(deployment(namespace, image="web:1.3.0"), config(namespace, key="new", same="same")).plan()
    assert str(image) == f"Deployment {namespace}/web: spec.template.spec.containers[web].image web:1.2.0 -> web:1.3.0"
    assert image.risk is Risk.RESTART
    assert str(key) == f"ConfigMap {namespace}/settings: data.key old -> new"


def test_a_field_that_another_took_is_shown_and_taken_back(declare, namespace, cluster):
    objects = declare(config(namespace, key="ours"))
    objects.apply()
    cluster.kubectl("patch", "configmap", "settings", "-n", namespace, "-p", '{"data": {"key": "theirs"}}')
    again = declare(config(namespace, key="ours"))
    assert lines(again.plan()) == [f"ConfigMap {namespace}/settings: data.key theirs -> ours"]
    again.apply()
    assert cluster.get("configmap", "settings", "-n", namespace)["data"] == {"key": "ours"}


def test_a_field_that_another_added_is_a_notice(declare, namespace, cluster):
    declare(config(namespace, key="ours")).apply()
    cluster.kubectl("patch", "configmap", "settings", "-n", namespace, "-p", '{"data": {"more": "theirs"}}')
    objects = declare(config(namespace, key="ours"))
    assert objects.plan() == []
    (notice,) = objects.notices()
    assert notice.kind is Kind.FOREIGN
    assert notice.what == "kubectl-patch has set data.more, which cluster/a.yaml:1 does not name"


def test_what_was_applied_client_side_becomes_ours(declare, namespace, cluster):
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(config(namespace, key="old", gone="x")))
    objects = declare(config(namespace, key="new"))
    assert f"ConfigMap {namespace}/settings: data.key old -> new" in lines(objects.plan())
    objects.apply()
    assert declare(config(namespace, key="new")).plan() == []


def test_refused_objects_are_told_in_the_servers_own_words_and_the_others_planned(declare, namespace):
    typo = {**config(namespace, "typo"), "dta": {}}
    wrong = deployment(namespace, replicas="two")
    said = failure(declare(config(namespace), typo, wrong)).splitlines()
    assert len(said) == 2
    assert said[0] == (
        f"zt-1: cluster/a.yaml:2: ConfigMap {namespace}/typo: failed to create typed patch object ({namespace}/typo; /v1, "
        f"Kind=ConfigMap): .dta: field not declared in schema: mend the manifest; the other objects are applied "
        f"[{Code.OBJECT_REFUSED}]"
    )
    assert said[1].startswith(f"zt-1: cluster/a.yaml:3: Deployment {namespace}/web: ") and "replicas" in said[1]


DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "things.zerotoil.example"},
    "spec": {
        "group": "zerotoil.example",
        "names": {"kind": "Thing", "plural": "things", "singular": "thing", "listKind": "ThingList"},
        "scope": "Namespaced",
        "versions": [
            {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                "spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}}},
        ],
    },
}  # fmt: skip


def test_a_definition_a_namespace_and_what_needs_them_in_one_go(declare, namespace, cluster):
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"{namespace}-new"}}
    thing = {"apiVersion": "zerotoil.example/v1", "kind": "Thing", "metadata": {"name": "one", "namespace": f"{namespace}-new"}}
    objects = declare({**thing, "spec": {"size": 1}}, space, DEFINITION)
    assert {change.action for change in objects.plan()} == {Action.CREATE}
    objects.apply()
    (change,) = declare({**thing, "spec": {"size": 2}}, space, DEFINITION).plan()
    assert str(change) == f"Thing {namespace}-new/one: spec.size 1 -> 2"
    nothing = declare()
    assert [
        change.resource for change in nothing.plan()
    ] == []  # neither a namespace nor a definition nor what it defines is pruned
    cluster.kubectl("delete", "namespace", f"{namespace}-new", "--wait=false")


def test_a_kind_that_nobody_defines(declare, namespace, cluster):
    nothing = {"apiVersion": "nosuch.example/v1", "kind": "Nothing", "metadata": {"name": "x", "namespace": namespace}}
    said = failure(declare(config(namespace), nothing), "apply")
    assert said.startswith(
        f"zt-1: cluster/a.yaml:2: Nothing {namespace}/x: the cluster knows no kind Nothing of nosuch.example/v1"
    )
    assert cluster.get("configmap", "settings", "-n", namespace)


def test_pruning_takes_what_was_declared_and_nothing_else(declare, namespace, cluster):
    declare(config(namespace, "kept"), config(namespace, "dropped")).apply()
    cluster.kubectl("create", "configmap", "by-hand", "-n", namespace)
    cluster.kubectl("label", "configmap", "by-hand", "-n", namespace, f"zerotoil/managed=home.{namespace}")  # a copied label
    objects = declare(config(namespace, "kept"))
    (change,) = objects.plan()
    assert (change.resource, change.action, change.risk) == (f"ConfigMap {namespace}/dropped", Action.DELETE, Risk.DESTRUCTIVE)
    objects.apply()
    left = {item["metadata"]["name"] for item in cluster.get("configmaps", "-n", namespace)["items"]}
    assert left == {"kept", "by-hand", "kube-root-ca.crt"}


def test_a_secret_is_compared_and_never_shown(declare, namespace, cluster, shell):
    def secret(**data):
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "Opaque",
            "metadata": {"name": "db", "namespace": namespace},
            "data": data,
        }

    declare(secret(password="b2xkLXNlY3JldA==", more="eA==")).apply()
    objects = declare(secret(password="bmV3LXNlY3JldA=="))
    shown = lines(objects.plan())
    assert f"Secret {namespace}/db: data.password another value -> as declared" in shown and len(shown) == 2
    assert "c2VjcmV0" not in json.dumps(objects._seen["answer"])
    objects.apply()
    assert cluster.get("secret", "db", "-n", namespace)["data"] == {"password": "bmV3LXNlY3JldA=="}


def test_what_does_not_become_ready_is_told_with_the_reason(declare, namespace):
    body = deployment(namespace)
    body["spec"]["template"]["spec"]["nodeSelector"] = {"nosuch": "node"}
    said = failure(declare(body, timeout=1), "apply")
    assert said.startswith(
        f"zt-1: cluster/a.yaml:1: Deployment {namespace}/web is not ready after 1 second: 0 of 2 pods are available; "
    )
    assert "didn't match Pod's node affinity/selector" in said and said.endswith(f"[{Code.OBJECT_NOT_READY}]")


def test_a_workload_that_somebody_broke_is_told_though_it_is_as_declared(declare, namespace, cluster):
    """Here by a node that takes no pods; Keel would do it by an image."""
    cluster.kubectl("cordon", "zt-1")
    try:
        with pytest.raises(LabError):
            declare(deployment(namespace), timeout=1).apply()
        objects = declare(deployment(namespace))
        assert objects.plan() == []
        (notice,) = objects.notices()
    finally:
        cluster.kubectl("uncordon", "zt-1")
    assert (notice.kind, notice.what) == (Kind.UNREADY, "0 of 2 pods are available")


def test_a_cluster_that_is_down_is_one_line(declare, namespace, shell):
    elsewhere = re.sub(r"https://127.0.0.1:\d+", "https://127.0.0.1:9", shell.kubeconfig.read_text())
    shell.kubeconfig.write_text(elsewhere)
    said = failure(declare(config(namespace)))
    assert said.startswith("zt-1: its cluster does not answer (") and said.endswith(f"[{Code.CLUSTER_SILENT}]")
    assert "\n" not in said


def test_three_hundred_objects(declare, namespace, shell):
    bodies = [config(namespace, f"one-{number}", key="value", number=str(number)) for number in range(300)]
    declare(*bodies).apply()
    shell.scripts.clear()
    began = time.monotonic()
    assert declare(*bodies).plan() == []
    took = time.monotonic() - began
    print(f"300 objects: {took:.1f} s in {len(shell.scripts)} round trips")
    assert len(shell.scripts) <= 3  # the seconds are a figure: bench/README.md
    changed = copy.deepcopy(bodies)
    changed[123]["data"]["key"] = "other"
    assert lines(declare(*changed).plan()) == [f"ConfigMap {namespace}/one-123: data.key value -> other"]


def spec(**more):
    follow = {"k3s_role": "server", "upgrades_enabled": True, "upgrades_channel": "v1.36"}
    return make_spec("zt-1", **{**follow, **more})


def upgrades(shell, tmp_path, **more):
    judged = judge(spec(**more), tmp_path)
    assert judged.problems == ()
    return ClusterObjects(Guest("zt-1", shell), "zt-1", judged.objects, "home.zt-1", upgrades=True, target=(1, 36))


def test_the_upgrade_controller_and_its_plan_are_taken_and_stay_as_declared(shell, tmp_path, cluster):
    """After a release that was cluster-admin, whose binding cannot be changed."""
    binding = ("clusterrolebinding", "system-upgrade")
    cluster.attempt("delete", *binding)
    cluster.kubectl("create", *binding, "--clusterrole=cluster-admin", "--serviceaccount=system-upgrade:system-upgrade")
    objects = upgrades(shell, tmp_path)
    assert "ClusterRoleBinding system-upgrade: roleRef cluster-admin -> system-upgrade-controller (made again)" in lines(
        objects.plan()
    )
    objects.apply()
    assert upgrades(shell, tmp_path).plan() == []
    plan = cluster.get("plan", "server-plan", "-n", "system-upgrade")
    assert plan["spec"]["channel"].endswith("/v1.36") and plan["spec"]["prepare"]["command"] == ["chroot", "/host", "sh", "-c"]
    (change,) = upgrades(shell, tmp_path, upgrades_end="06:00").plan()
    assert str(change) == "Plan system-upgrade/server-plan: spec.window.endTime 05:00 -> 06:00"
    gone = ClusterObjects(Guest("zt-1", shell), "zt-1", [], "home.zt-1")
    gone.apply()
    assert cluster.get("plans", "-n", "system-upgrade")["items"] == []


def test_status_asks_the_channel_itself(shell, tmp_path, cluster, channels):
    channels.answers["v1.36"] = "v1.36.4+k3s1"
    upgrades(shell, tmp_path, upgrades_channel=channels.url("v1.36")).apply()
    guest = Guest("zt-1", shell)
    seen = kubectl.status(guest)
    assert seen["channels"] == {channels.url("v1.36"): {"code": "302", "to": "v1.36.4+k3s1"}}
    channels.answers["v1.36"] = HTTPStatus.OK
    cluster.kubectl("cordon", "zt-1")
    try:
        said = list(status_lines("zt-1", "house", kubectl.status(guest)))
    finally:
        cluster.kubectl("uncordon", "zt-1")
    assert f"  zt-1  {K3S}  ready, server, cordoned" in said
    assert "server-plan: v1.36 is not known yet" in said
    assert any(
        "answers 200, where only a redirect (302) names a release, and an image tagged v1.36 would be run" in line
        for line in said
    )
    assert "! zt-1 is cordoned, by hand or by a Plan that is gone: no new pod starts there" in said


def test_keel_is_taken_up_by_the_real_helm_controller_and_its_password_stays(shell, tmp_path, helm_controller):
    def declared(**more):
        chosen = make_spec("zt-1", k3s_role="server", k3s_cluster="keel-test", **more)
        judged = judge(chosen, tmp_path)
        assert judged.problems == ()
        return ClusterObjects(Guest("zt-1", shell), "keel-test", judged.objects, "home.keel-test", timeout=120)

    def password():
        data = helm_controller.get("secret", "keel-values", "-n", "kube-system")["data"]
        return base64.b64decode(data["login.yaml"]).decode()

    declared(keel_enabled=True).apply()
    job = helm_controller.get("job", "helm-install-keel", "-n", "kube-system")
    assert job["status"]["succeeded"] == 1
    made = password()
    assert re.search(r"password: '[A-Za-z0-9_-]{24}'", made)
    again = declared(keel_enabled=True)
    assert (again.plan(), list(again.notices())) == ([], [])
    changed = declared(keel_enabled=True, keel_version="1.3.0", notify_sinks=[Secret("ntfy://ntfy.lan/a")])
    assert sorted(lines(changed.plan())) == [
        "HelmChart kube-system/keel: spec.version 1.2.0 -> 1.3.0",
        'Secret kube-system/keel-values: data["sinks.yaml"] another value -> as declared',
    ]
    changed.apply()
    assert password() == made
    assert {change.action for change in declared().apply()} == {Action.DELETE}
    helm_controller.kubectl("wait", "--for=delete", "helmchart/keel", "-n", "kube-system", "--timeout=60s")
