"""pyinfra operations: any resource kept as declared, waiting for a guest, and what is worth knowing at the end.

Operation bodies never raise for an expected failure (pyinfra would abort every host): they yield a command that
reports and fails this host only.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

from pyinfra import host, logger
from pyinfra.api import FunctionCommand, operation
from pyinfra.api.host import Host
from pyinfra.api.state import State

from zerotoil.edge.report import report
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.layers.notices import notices
from zerotoil.resources.resource import Resource
from zerotoil.workflows.migrate import migrate as workflow
from zerotoil.workflows.migrate_journey import Wish

_LONG_SECONDS = 5  # a step that took longer says so


def kind(resource: Resource) -> str:
    """The kind of a resource in words: SnapshotTask -> "snapshot task". The same for all hosts, so they run in parallel."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(resource).__name__).lower()


@operation()
def keep(resource: Resource, needs_guest: bool = False) -> Iterator[Any]:
    """Keep one resource as declared."""
    if needs_guest and host.connector.client is None and not host.state.is_executing:
        yield FunctionCommand(_make, (resource,), {})  # a new machine: everything in it is to be made
        return
    try:
        changes = resource.plan()
    except LabError as error:
        yield FunctionCommand(_refuse, (error,), {})
        return
    if changes:
        yield FunctionCommand(_make, (resource,), {})
    else:
        if host.state.is_executing and not getattr(resource, "gone", False):
            report(host.state).of(host.name).as_declared.add(resource.key)
        host.noop(f"{resource.key} is as declared")


@operation()
def reachable() -> Iterator[Any]:
    """Wait for SSH of a VM that was just started, or restarted on demand."""
    if host.state.is_executing and host.connector.spec.vm.restart == "now":
        host.connector.drop_if_lost()
    if host.connector.client is None:
        yield FunctionCommand(_run, (host.connector.wait_until_up,), {})
    else:
        host.noop("the guest answers")


@operation()
def worth_knowing(site: Site) -> Iterator[Any]:
    """Put what waits for a restart, a new OS disk or an update into the closing summary. Changes nothing."""
    if host.state.is_executing:
        report(host.state).of(host.name).notices = notices(site)
    host.noop("nothing to do")
    yield from ()


@operation()
def migrate(site: Site, wish: Wish) -> Iterator[Any]:
    """Give the host another OS disk."""
    yield FunctionCommand(_run, (lambda: workflow(site, wish),), {})


@operation()
def refuse(error: LabError) -> Iterator[Any]:
    """Fail this host with one line."""
    yield FunctionCommand(_refuse, (error,), {})


def _make(state: State, host: Host, resource: Resource) -> bool:
    def make() -> None:
        changes = resource.apply()
        report(state).of(host.name).made(changes)
        for change in changes:
            host.log(str(change))

    return _run(state, host, make)


def _run(state: State, host: Host, step: Callable[[], None]) -> bool:
    began = time.monotonic()
    try:
        step()
    except LabError as error:
        return _refuse(state, host, error)
    took = time.monotonic() - began
    if took > _LONG_SECONDS:
        host.log(f"took {took:.0f} s")
    return True


def _refuse(state: State, host: Host, error: LabError) -> bool:
    report(state).of(host.name).failure = error
    host.log_styled(error.shown, fg="red", log_func=logger.error)
    return False
