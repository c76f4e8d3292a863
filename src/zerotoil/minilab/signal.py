"""A stand-in for Signal's REST service (bbernhard/signal-cli-rest-api): it takes messages and delivers them to a file.

    python -m zerotoil.minilab.signal ADDRESS PORT MESSAGES

POST /v2/send, GET /v1/about and /v1/health as that service's swagger.yaml documents them; no other request. Every message is
one line of JSON in the file MESSAGES: the request's own fields, and `time`. No number is registered and nothing is sent: any
number may send. While a file named `refuse` lies beside MESSAGES, every message is refused with its text, as by a service
whose account is gone. Uses the standard library only.
"""

from __future__ import annotations

import datetime
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from zerotoil.minilab import daemons, endpoints, layout
from zerotoil.minilab.daemons import Daemon

ABOUT = {"versions": ["v1", "v2"], "build": 2, "mode": "normal", "version": "zerotoil stand-in", "capabilities": {}}
MAX_BYTES = 1 << 20
_INVALID = "Couldn't process request - invalid request"
_WRITING = threading.Lock()


class Refused(Exception):
    """A message that the service would not take; the text is what it answers."""


class Request(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    timeout = 30  # seconds of silence before a connection is dropped

    def __init__(self, messages: Path, *rest: Any) -> None:
        self.messages = messages
        super().__init__(*rest)

    def do_GET(self) -> None:
        """What the service is, and that it is there."""
        path = self.path.partition("?")[0]
        if path == "/v1/about":
            self._answer(200, ABOUT)
        elif path == "/v1/health":
            self._answer(204)
        else:
            self._answer(404, {"error": "the stand-in has no such page"})

    def do_POST(self) -> None:
        """Take one message."""
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > MAX_BYTES:
            self.close_connection = True
            self._answer(400, {"error": _INVALID})
            return
        body = self.rfile.read(int(length))
        if self.path != "/v2/send":
            self._answer(404, {"error": "the stand-in has no such page"})
            return
        try:
            keep(self.messages, checked(body))
        except Refused as refused:
            self._answer(400, {"error": str(refused)})
        else:
            self._answer(201, {"timestamp": str(time.time_ns() // 1_000_000)})

    def log_message(self, text: str, *values: object) -> None:
        """Paths and statuses only; a message's words are in its own file."""
        sys.stderr.write(f"{self.address_string()} {text % values}\n")

    def _answer(self, status: int, content: dict[str, Any] | None = None) -> None:
        body = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        if content is not None:
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def checked(body: bytes) -> dict[str, Any]:
    """The message, if the service would take it; raises Refused with the service's words."""
    try:
        message = json.loads(body)
    except ValueError:
        raise Refused(_INVALID) from None
    recipients = (message.get("recipients") or []) if isinstance(message, dict) else None
    if not isinstance(recipients, list) or not all(isinstance(one, str) for one in recipients):
        raise Refused(_INVALID)
    if not recipients:
        raise Refused("Couldn't process request - please provide at least one recipient")
    if not message.get("number"):
        raise Refused("Couldn't process request - please provide a valid number")
    groups = [one for one in recipients if one.startswith("group.")]
    if groups and len(groups) < len(recipients):
        raise Refused(
            "Signal Messenger Groups and phone numbers cannot be specified together in one request! "
            "Please split them up into multiple REST API calls."
        )
    if len(groups) > 1:
        raise Refused(
            "A signal message cannot be sent to more than one group at once! Please use multiple REST API calls for that."
        )
    return message  # type: ignore[no-any-return]


def keep(messages: Path, message: dict[str, Any]) -> None:
    """Append the message to the file; raises Refused while the file `refuse` lies beside it."""
    refuse = messages.with_name("refuse")
    if refuse.exists():
        raise Refused(refuse.read_text().strip() or "refused")
    line = json.dumps({"time": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"), **message})
    with _WRITING, os.fdopen(os.open(messages, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w") as file:
        file.write(f"{line}\n")


def taken(messages: Path) -> Iterator[dict[str, Any]]:
    """Every message in the file, oldest first; none when there is no file."""
    if messages.exists():
        for line in messages.read_text().splitlines():
            yield json.loads(line)


def server(address: str, port: int, messages: Path) -> ThreadingHTTPServer:
    """The bound server; `serve_forever()` runs it."""
    ThreadingHTTPServer.daemon_threads = True
    return ThreadingHTTPServer((address, port), partial(Request, messages))


def daemon() -> Daemon:
    """The stand-in's process; restarted when its own source changes."""
    command = [
        sys.executable,
        "-m",
        "zerotoil.minilab.signal",
        layout.ADDRESS,
        str(layout.SIGNAL_PORT),
        str(layout.SIGNAL_MESSAGES),
    ]
    answers = lambda: endpoints.status(layout.SIGNAL_PORT, "/v1/health", tls=False) == 204  # noqa: E731
    return Daemon("signal", command, answers, port=layout.SIGNAL_PORT, settings={"code": Path(__file__).read_text()})


def up() -> str:
    """Start the stand-in."""
    return daemons.start(daemon())


def is_up() -> bool:
    """Alive, ours and answering."""
    return daemons.is_up(daemon())


def down() -> str:
    """Stop the stand-in; the messages stay."""
    return "stopped" if daemons.stop(daemon()) else "was not running"


if __name__ == "__main__":
    server(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])).serve_forever()
