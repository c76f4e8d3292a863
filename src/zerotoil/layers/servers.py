"""The servers of a run: one connection per NAS and per hypervisor, shared by all hosts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any

from zerotoil.clients.hypervisor import Hypervisor
from zerotoil.clients.truenas import Nas
from zerotoil.model.spec import HostSpec


class Servers:
    """Connections by address, made at first use. A failed one raises the same LabError for every host that needs it."""

    def __init__(self) -> None:
        self._open: dict[Hashable, Any] = {}
        self._locks: dict[Hashable, threading.Lock] = {}

    def nas(self, spec: HostSpec) -> Nas:
        """The host's NAS, logged in."""
        nas = spec.nas
        ca = nas.ca.expanduser() if nas.ca else None

        def connect() -> Nas:
            return Nas.connect(
                nas.url,
                nas.user,
                nas.api_key,
                ca=ca,
                fingerprint=nas.fingerprint,
                timeout=nas.timeout,
            )

        made: Nas = self._once(("nas", nas.url, nas.user), connect)
        return made

    def hypervisor(self, spec: HostSpec) -> Hypervisor:
        """The host's hypervisor."""
        hypervisor = spec.hypervisor
        key = ("hypervisor", hypervisor.uri)
        made: Hypervisor = self._once(key, lambda: Hypervisor.connect(hypervisor.uri, hypervisor.timeout))
        return made

    def _once(self, key: Hashable, connect: Callable[[], Any]) -> Any:
        with self._locks.setdefault(key, threading.Lock()):
            if key not in self._open:
                try:
                    self._open[key] = connect()
                except Exception as error:
                    self._open[key] = error
        found = self._open[key]
        if isinstance(found, Exception):
            raise found
        return found


servers = Servers()
