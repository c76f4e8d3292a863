"""One simulated NAS with its TLS socket, as a context manager."""

from __future__ import annotations

import hashlib
import ssl
import tempfile
import threading
from pathlib import Path
from typing import Any

import zerotoil.minilab.nas.methods  # noqa: F401  registers the methods
from zerotoil.minilab.nas import certificate, tls
from zerotoil.minilab.nas.faults import Faults
from zerotoil.minilab.nas.memory import MemoryStorage
from zerotoil.minilab.nas.methods.serving import serve
from zerotoil.minilab.nas.middleware import RELEASES, Middleware
from zerotoil.minilab.nas.server import listen
from zerotoil.minilab.nas.state import State
from zerotoil.minilab.nas.storage import Storage
from zerotoil.minilab.nas.targets import NoTargets, Targets


class Simulator:
    """`version` is one of 24.10, 25.04, 25.10, 26; `users` maps user name to API key; `tls` is (certificate, key).

    `calls` (method, parameters without secrets) and `writes` tell what clients did; `calls_log` gets the same as JSON
    lines. `iscsi_port` only changes what iscsi.global.config says. Raises OSError when the port is taken.
    """

    def __init__(
        self,
        version: str = "25.10",
        storage: Storage | None = None,
        targets: Targets | None = None,
        users: dict[str, str] | None = None,
        tls: tuple[Path, Path] | None = None,
        address: str = "127.0.0.1",
        port: int = 0,
        state: Path | None = None,
        calls_log: Path | None = None,
        faults: Faults | None = None,
        iscsi_address: str | None = None,
        iscsi_port: int = 3260,
    ) -> None:
        if version not in RELEASES:
            raise ValueError(f"version {version!r}: one of {', '.join(RELEASES)}")
        self.storage = storage or MemoryStorage()
        self.targets = targets or NoTargets()
        self.faults = faults or Faults()
        self._address, self._port, self._tls = address, port, tls
        self.nas = Middleware(
            version,
            self.storage,
            self.targets,
            users or {},
            State(state, iscsi_port),
            self.faults,
            sorted({address, iscsi_address or address}),
            calls_log,
        )

    def __enter__(self) -> Simulator:
        self._folder = tempfile.TemporaryDirectory(prefix="nas-")
        cert, key = self._tls or certificate.make(Path(self._folder.name), self._address)
        self.ca_file = cert
        self.fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(_first(cert))).hexdigest()
        serve(self.nas)
        self._server = listen(self.nas, tls.context(cert, key), self._address, self._port)
        self.port: int = self._server.socket.getsockname()[1]
        self.url = f"wss://{self._address}:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *unused: object) -> None:
        for connection in self._server.connections:
            connection.close_timeout = 0.05  # a client between two calls does not listen, and would be waited for
        self._server.shutdown()
        self._thread.join(timeout=5)
        self._folder.cleanup()

    @property
    def calls(self) -> list[tuple[str, list[Any]]]:
        """Every call so far, refused ones too."""
        return self.nas.calls

    @property
    def writes(self) -> int:
        """How many calls were to methods that change something."""
        return self.nas.writes


def _first(path: Path) -> str:
    end = "-----END CERTIFICATE-----"
    return path.read_text().partition(end)[0] + end + "\n"
