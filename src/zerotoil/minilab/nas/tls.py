"""The server's TLS. One SSL object serves two threads (websockets reads in one and writes in another).

OpenSSL allows no two calls at the same time on one SSL object, and CPython before 3.13 does not prevent them: a read that
meets a write can lose data. So every call takes the connection's lock, and a read never waits while it holds it.
"""

from __future__ import annotations

import select
import ssl
import threading
from pathlib import Path
from typing import Any


class LockedSocket(ssl.SSLSocket):
    """An SSLSocket whose recv and sendall never run at the same time."""

    def _own(self) -> threading.Lock:  # SSLSocket's constructor cannot be extended
        lock: threading.Lock = self.__dict__.setdefault("_lock", threading.Lock())
        return lock

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """As SSLSocket.recv."""
        timeout = self.gettimeout()
        if timeout == 0 or self.version() is None:  # not encrypted yet
            return super().recv(buflen, flags)
        while True:
            if not self.pending() and not select.select([self], [], [], timeout)[0]:
                raise TimeoutError("timed out")
            with self._own():
                self.setblocking(False)
                try:
                    return super().recv(buflen, flags)
                except ssl.SSLWantReadError:
                    continue
                finally:
                    if self.fileno() >= 0:
                        self.settimeout(timeout)

    def sendall(self, data: Any, flags: int = 0) -> None:
        """As SSLSocket.sendall."""
        with self._own():
            super().sendall(data, flags)


def context(certificate: Path, key: Path) -> ssl.SSLContext:
    """For a server. Raises OSError (ssl.SSLError) when the files do not fit."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.sslsocket_class = LockedSocket
    made.load_cert_chain(certificate, key)
    return made
