"""How each failure of the objects in a cluster is provoked."""

from typing import Any

from tests.conftest import make_spec
from tests.errors.world import Provoke, World
from tests.resources.cluster.conftest import Node, config
from zerotoil.error_codes import Code
from zerotoil.layers.cluster import judge
from zerotoil.resources.cluster import approvals
from zerotoil.resources.cluster.versions import refuse_upgrade

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n"


def manifest(w: World, text: str, name: str = "a.yaml") -> Any:
    w.file(f"cluster/{name}", text)
    (problem,) = judge(make_spec("k3s1", k3s_role="server"), w.tmp).problems
    raise problem


def down(w: World) -> Any:
    node = Node(w.tmp)
    node.change(down=True)
    return node.objects(config()).plan()


def never_ready(w: World) -> Any:
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "once", "namespace": "default"}, "spec": {}}
    return Node(w.tmp).objects(job, timeout=1).apply()


def seen(version: str) -> dict[str, Any]:
    return {"nodes": [{"name": "k3s1", "version": version}]}


CASES: dict[Code, Provoke] = {
    Code.MANIFEST_MALFORMED: lambda w: manifest(w, "a: ["),
    Code.MANIFEST_TWICE: lambda w: manifest(w, f"{CONFIG}---\n{CONFIG}"),
    Code.MANIFEST_RULE: lambda w: manifest(w, f"{CONFIG}status: {{}}\n"),
    Code.MANIFEST_FILE: lambda w: manifest(w, "{{ nosuch }}", "a.yaml.j2"),
    Code.CLUSTER_SILENT: down,
    Code.OBJECT_REFUSED: lambda w: Node(w.tmp).objects(config() | {"typo": 1}).plan(),
    Code.OBJECT_NOT_READY: never_ready,
    Code.KEEL_SILENT: lambda w: approvals.pending(Node(w.tmp).guest),  # no Service of its name is there
    Code.K3S_SKIPS_MINOR: lambda w: refuse_upgrade("k3s1", seen("v1.34.1+k3s1"), (1, 36)),
}
