"""What happened in a run, host by host, in one closing summary: created, changed, as declared, deferred, failed.

pyinfra has no hook after its own table of results, so the summary is printed when the process ends.
"""

from __future__ import annotations

import atexit
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from pyinfra.api.state import State

from zerotoil.errors import LabError
from zerotoil.resources.resource import Action, Change, Notice


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

    def lines(self, host: str) -> list[str]:
        """The summary of this host."""
        changed = self.changed - self.created
        untouched = self.as_declared - self.created - changed
        numbers = ((len(self.created), "created"), (len(changed), "changed"), (len(untouched), "as declared"))
        said = ", ".join(f"{number} {word}" for number, word in numbers if number) or "nothing done"
        lines = [f"    {host}: {'FAILED; ' if self.failure else ''}{said}"]
        lines += [f"        failed: {line}" for line in (self.failure.shown if self.failure else "").splitlines()]
        return lines + [f"        {notice}" for notice in self.notices]


class Report:
    """All hosts of a run."""

    def __init__(self) -> None:
        self.hosts: dict[str, HostReport] = {}

    def of(self, host: str) -> HostReport:
        """The report of one host."""
        return self.hosts.setdefault(host, HostReport())

    def text(self) -> str:
        """The summary; empty when no host was touched."""
        lines = [line for host in sorted(self.hosts) for line in self.hosts[host].lines(host)]
        return "\n".join(["--> What happened:", *lines]) if lines else ""


_reports: WeakKeyDictionary[State, Report] = WeakKeyDictionary()


def report(state: State) -> Report:
    """The run's report; printed at the end of the process once it executed or failed to connect."""
    if state not in _reports:
        made = _reports[state] = Report()
        atexit.register(lambda: _print(made))
    return _reports[state]


def _print(made: Report) -> None:
    if made.hosts:
        print(f"\n{made.text()}", file=sys.stderr)
