"""A channel server on loopback, as system-upgrade-controller asks one: it answers with a release's address, or wrongly."""

from __future__ import annotations

import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATH = "/v1-release/channels"
RELEASES = "https://github.com/k3s-io/k3s/releases/tag"
Answer = str | HTTPStatus | None  # a version (302 to its release), a status, or nothing at all


class Channels:
    """`answers` by channel; a channel that is not in it is 404. `asked` are the channels in the order of their requests."""

    def __init__(self, **answers: Answer) -> None:
        self.answers: dict[str, Answer] = dict(answers)
        self.asked: list[str] = []
        self._silent = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True

    def __enter__(self) -> Channels:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._silent.set()
        self._server.shutdown()
        self._server.server_close()

    def url(self, channel: str) -> str:
        """What a Plan's `channel` would be."""
        return f"http://127.0.0.1:{self._server.server_port}{PATH}/{channel}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        folder, _, channel = request.path.rpartition("/")
        self.asked.append(channel)
        said = self.answers.get(channel, HTTPStatus.NOT_FOUND) if folder == PATH else HTTPStatus.NOT_FOUND
        if said is None:
            self._silent.wait()  # the caller's patience decides
            request.close_connection = True
            return
        request.send_response(HTTPStatus.FOUND if isinstance(said, str) else said)
        if isinstance(said, str):
            request.send_header("Location", f"{RELEASES}/{said}")
        request.send_header("Content-Length", "0")
        request.end_headers()


def _handler(channels: Channels) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            channels.answer(self)

        do_HEAD = do_GET

        def log_message(self, *_about: Any) -> None:
            pass

    return Handler
