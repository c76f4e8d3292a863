"""What happened in a run, host by host, in one closing summary: created, changed, as declared, deferred, failed.

pyinfra has no hook after its own table of results, so the summary is printed, and the owner told, when the process ends.
"""

from __future__ import annotations

import atexit
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from pyinfra.api.state import State, StateStage

from zerotoil.edge.inventory import declared
from zerotoil.error_codes import Code
from zerotoil.errors import LabError, Several
from zerotoil.layers.notices import told_once
from zerotoil.resources.resource import Action, Change, Kind, Notice
from zerotoil.workflows.tell import Outcome, in_numbers, tell

if TYPE_CHECKING:
    from zerotoil.model.spec import HostSpec


@dataclass
class HostReport:
    """One host: resources by what became of them, and why it failed."""

    created: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    as_declared: set[str] = field(default_factory=set)
    notices: tuple[Notice, ...] = ()
    failure: LabError | None = None

    def made(self, changes: Iterable[Change]) -> None:
        """Note what was done to a resource."""
        for change in changes:
            (self.created if change.action is Action.CREATE else self.changed).add(change.resource)

    def outcome(self, host: str, spec: HostSpec | None = None) -> Outcome:
        """This host, in numbers."""
        changed = self.changed - self.created
        untouched = self.as_declared - self.created - changed
        failure = next(iter(self.failure.shown.splitlines()), "") if self.failure else ""
        told = (*self.notices, *self._unready(host))
        return Outcome(host, spec, len(self.created), len(changed), len(untouched), failure, told)

    def _unready(self, host: str) -> Iterator[Notice]:
        """What was applied to a cluster and did not become ready: the host failed by it, and tells no notices any more."""
        failed = self.failure.errors if isinstance(self.failure, Several) else [self.failure]
        for error in failed:
            if error and error.code is Code.OBJECT_NOT_READY:
                yield Notice(host, Kind.UNREADY, error.what.removeprefix(f"{host}: "), error.remedy)

    def lines(self, host: str, notices: Iterable[Notice]) -> list[str]:
        """The summary of this host, with these of its notices."""
        found = self.outcome(host)
        said = in_numbers(found.created, found.changed, found.untouched)
        lines = [f"    {host}: {'FAILED; ' if self.failure else ''}{said}"]
        lines += [f"        failed: {line}" for line in (self.failure.shown if self.failure else "").splitlines()]
        return lines + [f"        {notice}" for notice in notices]


class Report:
    """All hosts of a run."""

    def __init__(self) -> None:
        self.hosts: dict[str, HostReport] = {}

    def of(self, host: str) -> HostReport:
        """The report of one host."""
        return self.hosts.setdefault(host, HostReport())

    def text(self) -> str:
        """The summary; empty when no host was touched."""
        notices = told_once({host: self.hosts[host].notices for host in sorted(self.hosts)})
        lines = [line for host in notices for line in self.hosts[host].lines(host, notices[host])]
        return "\n".join(["--> What happened:", *lines]) if lines else ""


_reports: WeakKeyDictionary[State, Report] = WeakKeyDictionary()


def report(state: State) -> Report:
    """The run's report; printed at the end of the process once it executed or failed to connect."""
    if state not in _reports:
        made = _reports[state] = Report()
        atexit.register(lambda: _close(state, made))
    return _reports[state]


def _close(state: State, made: Report) -> None:
    if not made.hosts:
        return
    print(f"\n{made.text()}", file=sys.stderr)
    if _was_a_deploy(state):
        specs = declared(state.inventory).specs
        with suppress(KeyboardInterrupt):  # a sink may take its time, and its owner has seen the summary
            for line in tell([made.hosts[host].outcome(host, specs.get(host)) for host in sorted(made.hosts)]):
                print(f"    {line}", file=sys.stderr)


def _was_a_deploy(state: State) -> bool:
    """Did the run execute, or lose all its hosts on the way there? pyinfra says nowhere else what it was started for."""
    if state.current_stage in (StateStage.Execute, StateStage.Disconnect):
        return True
    deploys = sum(argument.endswith(".py") for argument in sys.argv) > 1  # an inventory, and what to do with it
    return state.current_stage is StateStage.Connect and deploys and "--dry" not in sys.argv
