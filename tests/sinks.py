"""A server on loopback that takes messages as signal-cli-rest-api, ntfy, Gotify or any webhook do, and can be dead."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Taken:
    """One request, and the command lines and environments of all processes while it was answered."""

    path: str
    headers: dict[str, str]
    body: Any
    processes: str


class FakeSink:
    """As a context manager it listens; `status` is what it answers. `die` and `live` stop and start it on its port."""

    def __init__(self, status: int = 201) -> None:
        self.status, self.taken, self._port = status, list[Taken](), 0
        self.delay = threading.Event()
        self.delay.set()

    def __enter__(self) -> FakeSink:
        self.live()
        return self

    def __exit__(self, *unused: object) -> None:
        self.delay.set()
        self.die()

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self._port}"

    @property
    def messages(self) -> list[Any]:
        """The bodies of what was taken."""
        return [taken.body for taken in self.taken]

    def live(self) -> None:
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers["Content-Length"])).decode()
                sink.delay.wait(20)
                if sink.status < 300:
                    sink.taken.append(Taken(self.path, dict(self.headers), json.loads(text), processes()))
                self.send_response(sink.status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *unused: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def die(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def processes() -> str:
    """Command lines and environments of everything that runs on this machine now."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        for name in ("cmdline", "environ"):
            try:
                found.append((path / name).read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:
                continue
    return "\n".join(found)
