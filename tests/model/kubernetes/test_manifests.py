"""Manifests: what is read with which line, and the exact line for everything that is wrong."""

from textwrap import dedent
from typing import Any

import pytest

from zerotoil.error_codes import Code
from zerotoil.model.kubernetes.manifests import across, read
from zerotoil.model.kubernetes.objects import managed

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web, namespace: web}\n"
CHART = """\
apiVersion: helm.cattle.io/v1
kind: HelmChart
metadata: {name: web, namespace: kube-system}
spec:
  chart: web
  repo: https://charts.example
"""


def said(text: str) -> list[str]:
    return [finding.shown for finding in read(dedent(text), "cluster/a.yaml")[1]]


def test_documents_are_objects_with_their_lines() -> None:
    data = "data: {mode: '0644', when: 22:30, port: 8080}"
    text = f"# first\n{CONFIG}{data}\n---\n---\nkind: List\napiVersion: v1\nitems:\n- {{{_flow()}}}\n"
    objects, findings = read(text, "cluster/a.yaml")
    assert findings == []
    assert [(one.title, one.where) for one in objects] == [
        ("ConfigMap web/web", "cluster/a.yaml:2"),
        ("Namespace web", "cluster/a.yaml:11"),
    ]
    assert objects[0].body["data"] == {"mode": "0644", "when": "22:30", "port": 8080}


def _flow() -> str:
    return "apiVersion: v1, kind: Namespace, metadata: {name: web}"


@pytest.mark.parametrize("text", ["", "---\n", "# nothing\n", "---\n---\n"])
def test_an_empty_file_is_no_object(text: str) -> None:
    assert read(text, "a.yaml") == ([], [])


MALFORMED = [
    ("a: [", "2: did not find expected node content"),
    ("just text", "1: this is no object; a manifest begins with apiVersion and kind"),
    ("kind: ConfigMap\n", "1: apiVersion is missing; an object has apiVersion, kind and metadata.name"),
    ("apiVersion: v1\nkind: 5\n", "2: kind is missing; an object has apiVersion, kind and metadata.name"),
    ("apiVersion: v1\nkind: ConfigMap\n", "1: metadata.name is missing; this ConfigMap has no name"),
    (
        "apiVersion: v1\nkind: Pod\nmetadata:\n  generateName: x-\n",
        "3: metadata.name is missing; this Pod has no name; generateName makes another one at every deploy",
    ),
    ("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: 123\n", "4: metadata.name is a int; quote it"),
    ("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  labels: b\n", "5: metadata.labels is no mapping"),
    (f"{CONFIG}data: {{}}\ndata: {{}}\n", "5: data stands twice, first in line 4"),
    (
        f"{CONFIG}data:\n  on: yes\n",
        "5: yes without quotes is true to kubectl and text to others; write true, or quote it",
    ),
    (f"{CONFIG}data:\n  a: n\n", "5: n without quotes is false to kubectl and text to others; write false, or quote it"),
]


@pytest.mark.parametrize(("text", "line"), MALFORMED, ids=[line for _, line in MALFORMED])
def test_what_is_no_manifest_is_told_with_its_line(text: str, line: str) -> None:
    (told,) = said(text)
    assert told.startswith(f"cluster/a.yaml:{line}") and told.endswith(f"[{Code.MANIFEST_MALFORMED}]")


SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: db, namespace: web}\n"
REINSTALL = "uninstalls the chart, and what it keeps, when an upgrade fails; write failurePolicy: abort, or retry"
RULES = [
    (CONFIG.replace("name: web,", "name: Web_1,"), "3: 'Web_1' is no name of an object; use a-z, 0-9, '-' and '.'"),
    (CONFIG.replace("namespace: web", "namespace: a.b"), "3: 'a.b' is no name of a namespace; use a-z, 0-9 and '-'"),
    (f"{CONFIG}status: {{}}\n", "4: status is the cluster's own; leave it out"),
    (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  uid: b\n",
        "5: metadata.uid is the cluster's own; leave it out",
    ),
    (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  labels:\n    zerotoil/managed: b\n",
        "6: zerotoil/managed is zerotoil's own; leave it out",
    ),
    (
        f"{SECRET}data: {{password: c2VjcmV0}}\n",
        "4: Secret web/db has its data in the project; write it as cluster_secrets, whose values stay out of the project",
    ),
    (
        f"{SECRET}stringData:\n  password: secret\n",
        "4: Secret web/db has its data in the project; write it as cluster_secrets, whose values stay out of the project",
    ),
    (
        f"{CHART}  failurePolicy: abort\n",
        "5: HelmChart kube-system/web has no version: the chart would move by itself; write spec.version",
    ),
    (f"{CHART}  failurePolicy: abort\n  version: 1.2\n", "8: spec.version 1.2 is a number; quote it"),
    (f"{CHART}  version: 1.2.0\n", f"4: failurePolicy is not set, and its default, reinstall, {REINSTALL}"),
    (f"{CHART}  version: 1.2.0\n  failurePolicy: reinstall\n", f"8: failurePolicy reinstall {REINSTALL}"),
]


@pytest.mark.parametrize(("text", "line"), RULES, ids=[line for _, line in RULES])
def test_what_the_cluster_would_take_and_should_not_get(text: str, line: str) -> None:
    assert said(text) == [f"cluster/a.yaml:{line} [{Code.MANIFEST_RULE}]"]


def test_a_secret_without_data_is_a_place_for_others_to_write() -> None:
    assert said(SECRET) == []


@pytest.mark.parametrize("more", ["  version: 1.2.0\n", "  chartContent: H4sI\n"])
def test_a_pinned_chart_is_right(more: str) -> None:
    assert said(f"{CHART}{more}  failurePolicy: retry\n") == []


def test_names_of_roles_are_free() -> None:
    assert said("apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: 'system:a_B'}\n") == []


def test_one_object_twice_names_both_places() -> None:
    one, _ = read(CONFIG.replace("v1", "v1"), "cluster/a.yaml")
    other, _ = read(f"{_document(CONFIG)}{CONFIG}", "cluster/b.yaml")
    assert [finding.shown for finding in across([*one, *other])] == [
        f"cluster/b.yaml:1: ConfigMap web/web stands in cluster/a.yaml:1 too; leave one of them out [{Code.MANIFEST_TWICE}]",
        f"cluster/b.yaml:5: ConfigMap web/web stands in cluster/a.yaml:1 too; leave one of them out [{Code.MANIFEST_TWICE}]",
    ]


def _document(text: str) -> str:
    return f"{text}---\n"


def test_another_version_of_an_api_is_the_same_object() -> None:
    old = "apiVersion: apps/v1beta1\nkind: Deployment\nmetadata: {name: web}\n"
    one, _ = read(old, "a.yaml")
    two, _ = read(old.replace("v1beta1", "v1").replace("name: web", "name: web, namespace: default"), "b.yaml")
    three, _ = read(old.replace("web", "other"), "c.yaml")
    assert len(across([*one, *two, *three])) == 1


def test_the_label_of_a_cluster_is_short_enough() -> None:
    assert managed("home", "k3s1") == "home.k3s1"
    long, other = managed("a" * 40, "b" * 40), managed("a" * 40, "b" * 41)
    assert len(long) <= 63 and long != other and long[-1].isalnum()


def test_what_is_shown_of_a_secret_is_masked() -> None:
    body: dict[str, Any] = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "data": {"key": "c2VjcmV0"}}
    from zerotoil.model.kubernetes.objects import Object

    assert "c2VjcmV0" not in Object(body, "x").shown() and "key: '********'" in Object(body, "x").shown()
    assert body["data"]["key"] == "c2VjcmV0"
