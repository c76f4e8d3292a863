"""The outputs in docs/guides/approve.md, from the real API server and a STAND-IN for Keel (tests/keel_standin.py)."""

import base64
import re
import threading
from pathlib import Path

import pytest

from tests.conftest import make_spec
from tests.keel_standin import Keel, asked
from zerotoil.layers.cluster import judge
from zerotoil.resources.cluster import ClusterObjects, approvals, kubectl
from zerotoil.resources.cluster.status import lines
from zerotoil.resources.guest import Guest

pytestmark = pytest.mark.cluster
GUIDES = Path(__file__).parents[2] / "docs/guides"
HOST = "zt-1"
DB = "deployment/approve/db:17.0"
MANIFEST = """\
apiVersion: v1
kind: Namespace
metadata: {name: approve}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: db, namespace: approve}
spec:
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "postgres:16.4"}]}
"""


@pytest.fixture
def declared(shell, tmp_path, helm_controller):
    """The objects of a cluster with Keel and one workload that asks first."""
    (tmp_path / "cluster").mkdir()
    (tmp_path / "cluster/db.yaml").write_text(MANIFEST)
    spec = make_spec(
        HOST, k3s_role="server", k3s_cluster="approve", keel_enabled=True, keel_workloads={"approve/db": "major+approve"}
    )
    judged = judge(spec, tmp_path)
    assert judged.problems == ()
    yield lambda guest: ClusterObjects(guest, "approve", judged.objects, "home.approve", timeout=120)
    helm_controller.kubectl("delete", "helmchart", "keel", "-n", "kube-system", "--ignore-not-found", "--timeout=60s")
    helm_controller.kubectl("delete", "namespace", "approve", "--wait=false")


@pytest.fixture
def keel(declared, shell, helm_controller):
    """Keel and its password, made when it was applied; the guest whose scripts find it."""
    with Keel("") as server:
        place = ":".join(map(str, server.server_address))
        guest = Guest(HOST, lambda script: shell(f"export ZEROTOIL_KEEL={place}\n{script}"))
        objects = declared(guest)
        objects.apply()
        login = helm_controller.get("secret", "keel-values", "-n", "kube-system")["data"]["login.yaml"]
        server.password = re.search("password: '?([^'\n]+)", base64.b64decode(login).decode())[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server, guest
        server.shutdown()


def shown(page: str, *lines: str) -> None:
    """These lines stand in the page, in this order and together, as output."""
    text = "".join(f"    {line}\n" for line in lines)
    assert text in (GUIDES / page).read_text(), text


def test_approve_an_update(keel, helm_controller):
    server, guest = keel
    server.approvals = [asked(DB, currentVersion="16.4", deadline="2026-11-27T03:00:00Z".replace("2026", "2096"))]
    status = list(lines(HOST, "approve", kubectl.status(guest)))
    (one,) = approvals.pending(guest)
    asks = [line.replace("2096", "2026") for line in approvals.question(HOST, one)]
    shown("approve.md", f"$ zerotoil k3s status {HOST}", *status, *asks)
    one = approvals.answer(guest, "approve/db", True)
    shown("approve.md", f"$ zerotoil k3s approve {HOST} approve/db", approvals.answered(one, True))
    assert approvals.pending(guest) == []
    server.approvals = [asked(DB, currentVersion="16.4")]
    one = approvals.answer(guest, "db", False)
    shown("approve.md", f"$ zerotoil k3s approve {HOST} db --reject", approvals.answered(one, False))
    notes = helm_controller.get("deployment", "db", "-n", "approve")["metadata"]["annotations"]
    assert (notes["keel.sh/policy"], notes["keel.sh/approvals"]) == ("major", "1")
