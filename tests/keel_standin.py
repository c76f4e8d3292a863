"""A STAND-IN for Keel: the routes of its API that ask the owner, behind a password. Nothing is updated by it."""

from __future__ import annotations

import base64
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def asked(identifier: str, **more: Any) -> dict[str, Any]:
    base = {"identifier": identifier, "currentVersion": "1", "newVersion": identifier.rpartition(":")[2], "votesReceived": 0}
    return {**base, "votesRequired": 1, "rejected": False, "archived": False, "deadline": "2099-01-02T03:04:05Z", **more}


class Keel(ThreadingHTTPServer):
    """`deaf`: it takes answers and does nothing."""

    def __init__(self, password: str) -> None:
        super().__init__(("127.0.0.1", 0), Routes)
        self.password, self.deaf, self.approvals, self.votes = password, False, list[dict[str, Any]](), list[dict[str, Any]]()


class Routes(BaseHTTPRequestHandler):
    server: Keel

    def log_message(self, *_: object) -> None: ...

    def _answer(self, code: int, body: Any) -> None:
        self.send_response(code)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def _may(self) -> bool:
        given = self.headers.get("Authorization", "").removeprefix("Basic ")
        if base64.b64decode(given).decode() == f"keel:{self.server.password}":
            return True
        self._answer(401, "Unauthorized")
        return False

    def do_GET(self) -> None:
        if self._may():
            self._answer(200, self.server.approvals)

    def do_POST(self) -> None:
        if not self._may():
            return
        vote = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.votes.append(vote)
        for one in self.server.approvals:
            if one["identifier"] == vote["identifier"] and not self.server.deaf:
                one.update({"rejected": True} if vote["action"] == "reject" else {"votesReceived": one["votesReceived"] + 1})
        self._answer(200, {})
