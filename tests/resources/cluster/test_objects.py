"""The objects of a cluster on a stand-in for its API: plan, apply, drift, refusals, pruning, what waits. See tests/cluster."""

import base64
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.arguments import log_arguments
from tests.conftest import make_spec
from tests.resources.cluster.conftest import Node, config, dumped, lines
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.render.kubernetes import charts, upgrades
from zerotoil.resources.cluster import ClusterObjects, kubectl
from zerotoil.resources.guest import Guest
from zerotoil.resources.resource import Action, Kind, Risk

SPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "web"}}
THING = {"apiVersion": "things.example/v1", "kind": "Thing", "metadata": {"name": "one", "namespace": "web"}, "spec": {}}
DEFINITION: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "things.things.example"},
    "spec": {"group": "things.example", "names": {"kind": "Thing", "plural": "things"}, "scope": "Namespaced"},
}


def failure(objects: ClusterObjects, step: str = "plan") -> str:
    with pytest.raises(LabError) as caught:
        getattr(objects, step)()
    return caught.value.shown


def test_what_is_absent_is_made_and_then_nothing_is_written(node: Node) -> None:
    objects = node.objects(config(key="value"))
    (change,) = objects.plan()
    assert (change.resource, change.action, change.field) == ("ConfigMap default/web", Action.CREATE, "manifest")
    assert "zerotoil/managed: home.k3s1" in change.after
    assert len(node.scripts) == 1
    assert objects.apply() == [change]
    assert node.get("ConfigMap", "web", space="default")["data"] == {"key": "value"}
    node.writes()
    node.scripts.clear()
    again = node.objects(config(key="value"))
    assert (again.plan(), again.apply(), node.writes(), len(node.scripts)) == ([], [], [], 1)


def test_one_changed_field_is_the_one_that_is_told(node: Node) -> None:
    node.objects(config(key="old", same="same")).apply()
    assert lines(node.objects(config(key="new", same="same")).plan()) == ["ConfigMap default/web: data.key old -> new"]
    assert lines(node.objects(config(same="same")).plan()) == ["ConfigMap default/web: data.key old -> None"]


def test_definitions_and_namespaces_come_first_whatever_the_order(node: Node) -> None:
    objects = node.objects(THING, config(space="web"), SPACE, DEFINITION)
    assert [change.action for change in objects.plan()] == [Action.CREATE] * 4
    objects.apply()
    assert node.get("Thing", "one", "things.example/v1", "web") and node.get("ConfigMap", "web", space="web")
    assert node.objects(THING, config(space="web"), SPACE, DEFINITION).plan() == []


def test_a_refused_object_is_told_in_the_servers_words_and_hides_no_other(node: Node) -> None:
    objects = node.objects(config("a"), config("b") | {"typo": 1}, config("c"), config("d") | {"typo": 1})
    assert failure(objects).splitlines() == [
        f"k3s1: cluster/a.yaml:{line}: ConfigMap default/{name}: failed to create typed patch object (x): .typo: "
        f"field not declared "
        f"in schema: mend the manifest; the other objects are applied [{Code.OBJECT_REFUSED}]"
        for line, name in ((2, "b"), (4, "d"))
    ]
    assert node.writes() == []
    assert len(failure(objects, "apply").splitlines()) == 2
    assert [bool(node.get("ConfigMap", name, space="default")) for name in "abcd"] == [True, False, True, False]


@pytest.mark.parametrize("wrong", [config("b") | {"typo": 1}, THING, config("c", space="nope")], ids=["refused", "kind", "space"])
def test_nothing_is_taken_away_while_something_cannot_be_applied(node: Node, wrong: dict[str, Any]) -> None:
    """A renamed object has its successor in what was refused."""
    node.objects(SPACE, config("dropped")).apply()
    failure(node.objects(SPACE, config("kept"), wrong), "apply")
    assert node.get("ConfigMap", "kept", space="default") and node.get("ConfigMap", "dropped", space="default")


def test_what_a_chart_has_to_bring_first_keeps_what_is_dropped_only_so_long(node: Node) -> None:
    node.objects(SPACE, config("dropped")).apply()
    brought: list[bool] = []

    def shell(script: str) -> str:
        answer = node.run(script)
        if "set -- apply" in script and not brought:  # as a chart's job would
            brought.append(bool(node.get("ConfigMap", "dropped", space="default")))
            node.put("CustomResourceDefinition", "things", DEFINITION["apiVersion"], spec=DEFINITION["spec"])
        return answer

    node.guest = Guest("k3s1", shell)
    node.objects(SPACE, THING).apply()
    assert brought == [True] and node.get("ConfigMap", "dropped", space="default") is None


def test_a_folder_that_is_not_there_takes_nothing_away(node: Node) -> None:
    node.objects(*(config(name) for name in "abcd")).apply()
    gone = node.objects(may_delete=False)
    for step in ("plan", "apply"):
        assert failure(gone, step) == (
            "k3s1: cluster/ has no manifest for k3s1, and ConfigMap default/a, ConfigMap default/b, ConfigMap default/c "
            "and 1 more would be taken away: bring the folder back; if it is meant, put a file there that holds only a comment"
            f" [{Code.MANIFEST_FILE}]"
        )
    assert node.get("ConfigMap", "a", space="default")


def test_a_kind_that_nobody_defines_is_told_after_the_rest_was_applied(node: Node) -> None:
    assert failure(node.objects(SPACE, THING, config()), "apply") == (
        "k3s1: cluster/a.yaml:2: Thing web/one: the cluster knows no kind Thing of things.example/v1; is its "
        "definition in cluster/, "
        f"or a chart that brings it?: mend the manifest; the other objects are applied [{Code.OBJECT_REFUSED}]"
    )
    assert node.get("ConfigMap", "web", space="default")


def test_a_namespace_that_is_not_there_is_named(node: Node) -> None:
    assert failure(node.objects(config(space="nope")), "apply") == (
        "k3s1: cluster/a.yaml:1: ConfigMap nope/web: there is no namespace nope; declare it in cluster/: "
        f"mend the manifest; the other objects are applied [{Code.OBJECT_REFUSED}]"
    )


def test_a_cluster_that_is_down_is_one_line(node: Node) -> None:
    node.change(down=True)
    assert failure(node.objects(config())) == (
        "k3s1: its cluster does not answer (The connection to the server 127.0.0.1:6443 was refused - did you specify "
        "the right host "
        "or port?): nothing in it was changed; look: zerotoil ssh k3s1 -- journalctl -u k3s"
        f" [{Code.CLUSTER_SILENT}]"
    )


def test_a_machine_that_runs_and_has_no_k3s_yet_is_planned(node: Node) -> None:
    """A deploy installs k3s before it comes to the objects."""
    k3s = node.k3s.rename(node.folder / "later")
    objects = node.objects(config(key="value"))
    (change,) = objects.plan()
    assert (change.resource, change.action, len(node.scripts)) == ("ConfigMap default/web", Action.CREATE, 1)
    assert failure(objects, "apply") == (
        "k3s1: there is no k3s, through which its cluster is reached: run the deploy: it installs k3s first"
        f" [{Code.CLUSTER_SILENT}]"
    )
    k3s.rename(node.k3s)
    node.objects(config(key="value")).apply()
    assert node.get("ConfigMap", "web", space="default")


def test_what_is_declared_no_more_is_shown_and_then_taken_away(node: Node) -> None:
    node.objects(config("kept"), config("dropped"), SPACE).apply()
    node.put("ConfigMap", "by-hand", space="default")
    objects = node.objects(config("kept"))
    (change,) = objects.plan()
    assert (change.resource, change.action, change.risk) == ("ConfigMap default/dropped", Action.DELETE, Risk.DESTRUCTIVE)
    objects.apply()
    assert node.get("ConfigMap", "dropped", space="default") is None
    assert node.get("ConfigMap", "by-hand", space="default") and node.get("Namespace", "web")


HELM = "helm.cattle.io/v1"


def chart() -> dict[str, Any]:
    """As a key makes it."""
    return next(one.body for one in charts.keel(make_spec(k3s_role="server", keel_enabled=True)) if one.kind == "HelmChart")


def applied_chart(node: Node, *more: dict[str, Any]) -> None:
    """Nobody runs its job here."""
    node.put("Namespace", "kube-system")
    with pytest.raises(LabError, match="the chart has no job yet"):
        node.objects(chart(), *more, timeout=0).apply()


def claim(node: Node, release: str, name: str = "data", **more: str) -> None:
    notes = {"meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": "keel", **more}
    node.put("PersistentVolumeClaim", name, space="keel", metadata={"annotations": notes})


def test_a_chart_that_is_declared_no_more_is_uninstalled_and_the_plan_says_so(node: Node) -> None:
    applied_chart(node)
    claim(node, "another")
    claim(node, "keel", "kept-by-helm", **{"helm.sh/resource-policy": "keep"})
    objects = node.objects()
    (change,) = objects.plan()
    assert str(change) == (
        "HelmChart kube-system/keel: object there -> uninstalled with all that it made: it is declared no more"
    )
    objects.apply()
    assert node.get("HelmChart", "keel", HELM, "kube-system") is None


def test_a_chart_with_claims_stays_with_its_values_until_it_is_named(node: Node) -> None:
    values = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keel-values", "namespace": "kube-system"}, "data": {}}
    applied_chart(node, values, config("dropped"))
    claim(node, "keel")
    kept = node.objects()
    assert lines(kept.plan()) == ["ConfigMap default/dropped: object there -> removed: it is declared no more"]
    assert lines(kept.notices()) == [
        "HelmChart kube-system/keel: kept: declared no more; to uninstall it would delete the data of keel/data, so it stays "
        '(if it is meant: cluster_uninstall = ["kube-system/keel"])'
    ]
    kept.apply()
    assert kept.plan() == [] and node.get("HelmChart", "keel", HELM, "kube-system") is not None
    assert node.get("Secret", "keel-values", space="kube-system") is not None
    named = node.objects(uninstall=["kube-system/keel"])
    change = next(change for change in named.plan() if change.resource == "HelmChart kube-system/keel")
    assert (change.after, change.risk) == (
        "uninstalled with all that it made, and the data of its claims keel/data: it is declared no more",
        Risk.DESTRUCTIVE,
    )
    named.apply()
    assert node.get("HelmChart", "keel", HELM, "kube-system") is None


def test_what_only_has_a_copy_of_our_label_is_not_ours(node: Node) -> None:
    """system-upgrade-controller copies a Plan's labels to its jobs."""
    node.objects(config()).apply()
    node.put("Job", "upgrade", "batch/v1", "default", metadata={"labels": {"zerotoil/managed": "home.k3s1"}})
    assert node.objects(config()).plan() == []


def test_another_clusters_objects_are_not_ours(node: Node) -> None:
    node.objects(config("theirs")).apply()
    other = ClusterObjects(node.guest, "other", [], "home.other")
    assert other.plan() == []


def test_a_secret_leaves_no_trace_in_plan_or_answer(node: Node) -> None:
    def secret(value: str) -> dict[str, Any]:
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "db", "namespace": "default"},
            "data": {"password": value},
        }

    first = node.objects(secret("b2xkLXNlY3JldA=="))
    assert "b2xkLXNlY3JldA" not in str([vars(change) if hasattr(change, "__dict__") else change for change in first.plan()])
    first.apply()
    second = node.objects(secret("bmV3LXNlY3JldA=="))
    assert lines(second.plan()) == ["Secret default/db: data.password another value -> as declared"]
    assert "c2VjcmV0" not in str(second._seen)
    second.apply()
    assert node.get("Secret", "db", space="default")["data"] == {"password": "bmV3LXNlY3JldA=="}
    assert node.objects(secret("bmV3LXNlY3JldA==")).plan() == []


def test_what_kubectl_noted_of_a_secret_is_not_shown(node: Node) -> None:
    """Whoever applied it client-side left the whole of it in an annotation, which kubectl itself keeps up to date."""

    def secret(value: str) -> dict[str, Any]:
        metadata = {"name": "db", "namespace": "default"}
        return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"password": value}}

    note = {"kubectl.kubernetes.io/last-applied-configuration": dumped(secret("b2xkLXNlY3JldA=="))}
    node.put("Secret", "db", space="default", metadata={"annotations": note}, data={"password": "b2xkLXNlY3JldA=="})
    made = node.objects(secret("bmV3LXNlY3JldA=="))
    assert "Secret default/db: data.password another value -> as declared" in lines(made.plan())
    assert "c2VjcmV0" not in str(made._seen) and "b2xkLXNlY3JldA" not in str(made._seen)


def test_a_plan_whose_job_failed_is_told_though_it_is_as_declared(node: Node) -> None:
    (plan,) = upgrades.plans(make_spec("k3s1", k3s_role="server", upgrades_enabled=True, upgrades_channel="v1.36"))
    node.put("Namespace", "system-upgrade")
    node.objects(plan).apply()
    live = node.get("Plan", "server-plan", "upgrade.cattle.io/v1", "system-upgrade")
    failed = {"type": "Complete", "status": "False", "reason": "JobFailed", "message": "prepare failed"}
    key = "upgrade.cattle.io/v1 Plan system-upgrade server-plan"
    node.change(objects={**node.data["objects"], key: {**live, "status": {"conditions": [failed]}}})
    objects = node.objects(plan)
    assert objects.plan() == []
    assert [(notice.kind, notice.what, notice.command) for notice in objects.notices()] == [
        (Kind.UNREADY, "its job failed, and nothing tries again: prepare failed", "zerotoil k3s status k3s1")
    ]


def test_fields_of_others_are_known_and_no_drift(node: Node) -> None:
    node.objects(config(key="value")).apply()
    live = node.get("ConfigMap", "web", space="default")
    live["data"]["extra"] = "x"
    live["metadata"]["managedFields"].append(
        {"manager": "kubectl-edit", "operation": "Update", "fieldsV1": {"f:data": {"f:extra": {}}}}
    )
    node.change(objects={**node.data["objects"], "v1 ConfigMap default web": live})
    objects = node.objects(config(key="value"))
    assert objects.plan() == []
    (notice,) = objects.notices()
    assert (notice.kind, notice.resource) == (Kind.FOREIGN, "ConfigMap default/web")
    assert notice.what == "kubectl-edit has set data.extra, which cluster/a.yaml:1 does not name"


def binding(role: str) -> dict[str, Any]:
    return {
        "roleRef": {"kind": "ClusterRole", "name": role, "apiGroup": "rbac.authorization.k8s.io"},
        "subjects": [{"kind": "ServiceAccount", "name": "system-upgrade", "namespace": "system-upgrade"}],
    }


RBAC = "rbac.authorization.k8s.io/v1"
OURS = {"apiVersion": RBAC, "kind": "ClusterRoleBinding", "metadata": {"name": "system-upgrade"}, **binding("narrow")}


def test_the_old_binding_to_cluster_admin_is_made_again(node: Node) -> None:
    node.put("ClusterRoleBinding", "system-upgrade", RBAC, **binding("cluster-admin"))
    objects = node.objects(OURS)
    assert lines(objects.plan()) == ["ClusterRoleBinding system-upgrade: roleRef cluster-admin -> narrow (made again)"]
    objects.apply()
    assert node.get("ClusterRoleBinding", "system-upgrade", RBAC)["roleRef"]["name"] == "narrow"
    assert any(call.startswith("delete clusterrolebinding") for call in node.writes())


def test_a_binding_with_another_subject_is_no_such_binding(node: Node) -> None:
    old = binding("cluster-admin")
    old["subjects"].append({"kind": "User", "name": "me"})
    node.put("ClusterRoleBinding", "system-upgrade", RBAC, **old)
    node.objects(OURS).apply()
    assert not any(call.startswith("delete") for call in node.writes())


def test_images_that_keel_chose_stay_until_others_are_declared(node: Node) -> None:
    def web(image: str) -> dict[str, Any]:
        spec = {"template": {"spec": {"containers": [{"name": "web", "image": image}]}}}
        metadata = {"name": "web", "namespace": "default", "annotations": {"zerotoil/images": f"web={image}"}}
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}

    node.change(objects={**node.data["objects"]})
    with pytest.raises(LabError):  # no controller makes it ready here
        node.objects(web("web:1.2.0"), timeout=1).apply()
    live = node.get("Deployment", "web", "apps/v1", "default")
    live["spec"]["template"]["spec"]["containers"][0]["image"] = "web:1.2.7"
    node.change(objects={**node.data["objects"], "apps/v1 Deployment default web": live})
    assert node.objects(web("web:1.2.0")).plan() == []
    assert lines(node.objects(web("web:1.3.0")).plan()) == [
        'Deployment default/web: metadata.annotations["zerotoil/images"] web=web:1.2.0 -> web=web:1.3.0',
        "Deployment default/web: spec.template.spec.containers[web].image web:1.2.7 -> web:1.3.0",
    ]


def test_what_does_not_become_ready_is_told_with_its_pods_words(node: Node) -> None:
    body = {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "default"},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}},
    }  # fmt: skip
    waiting = {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "nope"'}
    pod = {
        "metadata": {"name": "web-1", "namespace": "default", "labels": {"app": "web"}},
        "status": {"containerStatuses": [{"state": {"waiting": waiting}}]},
    }
    node.change(pods=[pod])
    assert failure(node.objects(body, timeout=1), "apply") == (
        "k3s1: cluster/a.yaml:1: Deployment default/web is not ready after 1 second: it is not taken up yet; ImagePullBackOff: "
        'Back-off pulling image "nope": zerotoil ssh k3s1 -- sudo k3s kubectl -n default describe deployment web'
        f" [{Code.OBJECT_NOT_READY}]"
    )


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ((1, 37), ""),
        ((1, 36), ""),
        ((1, 38), "k3s1 runs v1.36.3+k3s1, and the Plan leads to v1.38: a minor is never skipped: declare v1.37 first"),
        (
            (1, 35),
            "k3s1 runs v1.36.3+k3s1, and the Plan leads back to v1.35, which k3s refuses: zerotoil undo k3s1 brings "
            "an earlier state "
            "back, with its datastore",
        ),
    ],
)
def test_a_plan_never_skips_a_minor(node: Node, target: tuple[int, int], said: str) -> None:
    objects = node.objects(config(), upgrades=True, target=target)
    if said:
        assert failure(objects) == f"k3s1: {said} [{Code.K3S_SKIPS_MINOR}]"
    else:
        assert objects.plan()


def test_a_cluster_for_which_nothing_was_ever_declared_is_not_asked(node: Node) -> None:
    node.change(down=True)
    assert node.objects().plan() == []


def test_when_the_last_object_is_declared_no_more_it_goes(node: Node) -> None:
    node.objects(config()).apply()
    assert [change.action for change in node.objects().apply()] == [Action.DELETE]
    assert node.objects().plan() == []


def test_a_password_is_made_once_in_the_cluster_and_is_in_no_argument(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def login(more: str) -> dict[str, Any]:
        data = {"login": base64.b64encode(b"password: @GENERATED@").decode(), "sinks": base64.b64encode(more.encode()).decode()}
        metadata = {"name": "login", "namespace": "default", "annotations": {"zerotoil/generated": "login"}}
        return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}

    seen = log_arguments("jq", tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    node.objects(login("a")).apply()
    made = node.get("Secret", "login", space="default")["data"]["login"]
    found = re.fullmatch(r"password: ([A-Za-z0-9_-]{24})", base64.b64decode(made).decode())
    assert found and found[1] not in seen.read_text() and made not in seen.read_text()
    assert node.objects(login("a")).plan() == []
    assert lines(node.objects(login("b")).plan()) == ["Secret default/login: data.sinks another value -> as declared"]
    node.objects(login("b")).apply()
    assert node.get("Secret", "login", space="default")["data"]["login"] == made


def test_status_is_one_round_trip(node: Node) -> None:
    node.put("Node", "k3s2", status={"nodeInfo": {"kubeletVersion": "v1.35.1+k3s1"}}, spec={"unschedulable": True})
    seen = kubectl.status(node.guest)
    assert [(one["name"], one["cordoned"], one["ready"]) for one in seen["nodes"]] == [
        ("k3s1", False, False),
        ("k3s2", True, False),
    ]
    assert (seen["plans"], seen["jobs"], seen["channels"], len(node.scripts)) == ([], [], {}, 1)
