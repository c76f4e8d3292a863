"""What the real API says to server-side apply: a field manager, a dry run, a typo, another's field, and pruning by label."""

import json

import pytest

pytestmark = pytest.mark.cluster
APPLY = ("apply", "--server-side", "--field-manager=zerotoil", "-f", "-")
DRY_RUN = (*APPLY, "--dry-run=server", "--force-conflicts", "-o", "json")


def config(namespace, name="settings", **data):
    metadata = {"name": name, "namespace": namespace, "labels": {"zerotoil/managed": "true"}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def test_what_is_applied_belongs_to_zerotoil(cluster, namespace):
    cluster.apply(config(namespace, key="value"))
    live = cluster.get("configmap", "settings", "-n", namespace, "--show-managed-fields")
    (owner,) = live["metadata"]["managedFields"]
    assert (owner["manager"], owner["operation"]) == ("zerotoil", "Apply")
    assert owner["fieldsV1"]["f:data"] == {".": {}, "f:key": {}} or owner["fieldsV1"]["f:data"] == {"f:key": {}}


def test_a_dry_run_shows_the_changed_field_and_changes_nothing(cluster, namespace):
    cluster.apply(config(namespace, key="old", same="same"))
    planned = json.loads(cluster.kubectl(*DRY_RUN, stdin=json.dumps(config(namespace, key="new", same="same"))))
    live = cluster.get("configmap", "settings", "-n", namespace)
    assert (live["data"], planned["data"]) == ({"key": "old", "same": "same"}, {"key": "new", "same": "same"})
    assert live["metadata"]["uid"] == planned["metadata"]["uid"]


def test_a_typo_is_refused_by_the_dry_run(cluster, namespace):
    wrong = config(namespace) | {"dta": {"key": "value"}}
    said = cluster.attempt(*DRY_RUN, stdin=json.dumps(wrong))
    assert said.returncode == 1 and ".dta: field not declared in schema" in said.stderr


def test_a_field_that_another_took_is_a_conflict_and_not_without_force(cluster, namespace):
    cluster.apply(config(namespace, key="ours"))
    cluster.kubectl("patch", "configmap", "settings", "-n", namespace, "-p", '{"data": {"key": "theirs"}}')
    wanted = json.dumps(config(namespace, key="ours"))
    refused = cluster.attempt(*APPLY, stdin=wanted)
    assert refused.returncode == 1 and 'conflict with "kubectl-patch"' in refused.stderr and ".data.key" in refused.stderr
    assert json.loads(cluster.kubectl(*DRY_RUN, stdin=wanted))["data"] == {"key": "ours"}


def test_pruning_takes_what_bears_our_label_and_nothing_else(cluster, namespace):
    cluster.apply(config(namespace, "kept"), config(namespace, "dropped"))
    cluster.kubectl("create", "configmap", "by-hand", "-n", namespace)
    listed = cluster.get("configmaps", "-n", namespace, "-l", "zerotoil/managed=true")["items"]
    extra = {item["metadata"]["name"] for item in listed} - {"kept"}
    assert extra == {"dropped"}
    cluster.kubectl("delete", "configmap", "-n", namespace, *extra)
    left = {item["metadata"]["name"] for item in cluster.get("configmaps", "-n", namespace)["items"]}
    assert left == {"kept", "by-hand", "kube-root-ca.crt"}


def test_known_objects_are_read_in_one_call_absent_ones_too(cluster, namespace):
    cluster.apply(config(namespace, "there"))
    stubs = [{**config(namespace, name), "data": None} for name in ("there", "absent")]
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": stubs})
    found = json.loads(cluster.kubectl("get", "-f", "-", "-o", "json", "--ignore-not-found", stdin=listed))
    assert [item["metadata"]["name"] for item in found.get("items", [found])] == ["there"]
