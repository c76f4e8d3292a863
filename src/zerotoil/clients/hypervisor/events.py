"""What really happened to the VMs, as libvirt itself tells it: for tests that a second run touches nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import libvirt

from zerotoil.clients.hypervisor.connection import Hypervisor

NAMES = {
    libvirt.VIR_DOMAIN_EVENT_DEFINED: "DEFINED",
    libvirt.VIR_DOMAIN_EVENT_UNDEFINED: "UNDEFINED",
    libvirt.VIR_DOMAIN_EVENT_STARTED: "STARTED",
    libvirt.VIR_DOMAIN_EVENT_STOPPED: "STOPPED",
    libvirt.VIR_DOMAIN_EVENT_SHUTDOWN: "SHUTDOWN",
    libvirt.VIR_DOMAIN_EVENT_SUSPENDED: "SUSPENDED",
    libvirt.VIR_DOMAIN_EVENT_RESUMED: "RESUMED",
}
SETTLE = 0.5  # libvirtd sends events from a timer of its own, shortly after the call that caused them


@contextmanager
def lifecycle_events(hypervisor: Hypervisor) -> Iterator[list[tuple[str, str]]]:
    """Collect (event, VM) of every VM while the block runs, whoever causes them: [("DEFINED", "matrix"), …]."""
    seen: list[tuple[str, str]] = []

    def note(_connection: Any, domain: Any, event: int, _detail: int, _opaque: Any) -> None:
        seen.append((NAMES.get(event, str(event)), domain.name()))

    register = hypervisor.connection.domainEventRegisterAny
    kind = libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE
    number = hypervisor.run("watch events", lambda: register(None, kind, note, None))
    try:
        yield seen
        time.sleep(SETTLE)
    finally:
        hypervisor.run("end watching events", lambda: hypervisor.connection.domainEventDeregisterAny(number))
