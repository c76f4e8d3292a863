"""What Keel waits for: asked and answered through its own API, here a STAND-IN over real HTTP with its fields and its login."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.arguments import log_arguments
from tests.resources.cluster.conftest import Node
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.resources.cluster import kubectl
from zerotoil.resources.cluster.approvals import decide, waiting_lines
from zerotoil.resources.cluster.status import is_well

DB = "deployment/web/db:17.0"
PASSWORD = "s3cret_-word"


def waiting(identifier: str = DB, **more: Any) -> dict[str, Any]:
    return {
        "id": "1", "archived": False, "rejected": False, "provider": "kubernetes", "identifier": identifier,
        "currentVersion": "16.2", "newVersion": "17.0", "votesRequired": 1, "votesReceived": 0,
        "deadline": "2026-11-27T10:00:00.123456Z", **more,
    }  # fmt: skip


class Keel:
    def __init__(self) -> None:
        self.approvals: list[dict[str, Any]] = []
        keel = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer(keel.approvals)

            def do_POST(self) -> None:
                vote = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                (one,) = [item for item in keel.approvals if item["identifier"] == vote["identifier"]]
                one |= {"rejected": True} if vote["action"] == "reject" else {"votesReceived": one["votesReceived"] + 1}
                self.answer(one)

            def answer(self, body: Any) -> None:
                login = base64.b64encode(f"keel:{PASSWORD}".encode()).decode()
                right = self.headers["Authorization"] == f"Basic {login}" and self.path == "/v1/approvals"
                self.send_response(200 if right else 401)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode() if right else b"")

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def keel(node: Node) -> Iterator[Keel]:
    made = Keel()
    ports = [{"port": made.server.server_address[1]}]
    node.put("Service", "keel", space="keel", spec={"clusterIP": "127.0.0.1", "ports": ports})
    login = f"basicauth:\n  enabled: true\n  password: '{PASSWORD}'\n  user: keel\n"
    node.put("Secret", "keel-values", space="kube-system", data={"login.yaml": base64.b64encode(login.encode()).decode()})
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_cluster_without_keel_waits_for_nothing(node: Node) -> None:
    assert kubectl.status(node.guest)["approvals"] == []


def test_status_names_what_waits_and_how_to_take_it(node: Node, keel: Keel, tmp_path: Path, monkeypatch: Any) -> None:
    keel.approvals = [waiting(), waiting("a", archived=True), waiting("b", rejected=True), waiting("c", votesReceived=1)]
    seen = log_arguments("curl", tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/local/bin:/usr/bin:/bin")
    found = kubectl.status(node.guest)["approvals"]
    assert list(waiting_lines("k3s1", found)) == [
        f"{DB} waits for your word: 16.2 -> 17.0 (0 of 1 votes, until 2026-11-27 10:00)",
        f"  take it: zerotoil k3s approve k3s1 {DB}",
    ]
    assert "/v1/approvals" in seen.read_text() and PASSWORD not in seen.read_text()
    assert len(node.scripts) == 1


def test_an_update_is_taken_once_or_rejected(node: Node, keel: Keel) -> None:
    keel.approvals = [waiting(), waiting("deployment/web/blog:2.0"), waiting("deployment/web/two:1", votesRequired=2)]
    assert decide(node.guest, DB) == f"{DB}: 16.2 -> 17.0 is taken: Keel applies it at its next poll"
    with pytest.raises(LabError) as caught:
        decide(node.guest, DB)
    assert caught.value.shown == (
        f"k3s1: no update {DB} waits: what waits: deployment/web/blog:2.0, deployment/web/two:1 [{Code.WRONG_OPTION}]"
    )
    assert decide(node.guest, "deployment/web/blog:2.0", reject=True) == "deployment/web/blog:2.0: 16.2 -> 17.0 is rejected"
    assert decide(node.guest, "deployment/web/two:1") == "deployment/web/two:1: 16.2 -> 17.0 has 1 of 2 votes"


def test_a_keel_that_does_not_answer_is_told(node: Node, keel: Keel) -> None:
    login = base64.b64encode(b"password: 'another'").decode()
    node.put("Secret", "keel-values", space="kube-system", data={"login.yaml": login})
    seen = kubectl.status(node.guest)
    assert seen["approvals"] is None
    assert next(waiting_lines("k3s1", None)) == "! Keel does not answer: no image is kept fresh, and nobody can approve"
    assert not is_well({"nodes": [], "plans": [], "jobs": [], "channels": {}, "approvals": None})
    with pytest.raises(LabError, match="k3s1: Keel does not answer"):
        decide(node.guest, DB)
