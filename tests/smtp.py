"""The least of an SMTP server on loopback: it takes every mail, or none."""

from __future__ import annotations

import socketserver
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage


class FakeSmtp:
    """As a context manager it listens at `port`; `mails` are those that came. `refuses` makes it take none."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuses = False
        mail = self

        class Talk(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(b"220 here\r\n")
                for line in self.rfile:
                    word = line.strip().upper()
                    if word == b"DATA" and not mail.refuses:
                        self.wfile.write(b"354 go on\r\n")
                        mail.mails.append(message_from_bytes(self.text(), policy=policy.default))  # type: ignore[arg-type]
                    if word.startswith(b"RCPT") and mail.refuses:
                        self.wfile.write(b"550 nobody of that name here\r\n")
                    else:
                        self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")

            def text(self) -> bytes:
                lines = iter(self.rfile.readline, b".\r\n")
                return b"".join(line.removeprefix(b".") for line in lines)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])

    def __enter__(self) -> FakeSmtp:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *unused: object) -> None:
        self._server.shutdown()
        self._server.server_close()
