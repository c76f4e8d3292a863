"""What is outdated as people read it: one table per host."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from zerotoil.layers.updates.found import HostUpdates, Update, Version

_WIDE = 200  # columns where no terminal says how many it has
_FIRST_CONTAINERS = 2013  # an image that says it is older has a made-up time


def show(hosts: Sequence[HostUpdates], now: datetime) -> None:
    """Print every host: outdated ones in yellow, what could not be asked in red."""
    console = Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False)
    for host in hosts:
        console.print(Text(host.host, style="bold"))
        if host.all:
            console.print(_table(host, now))
        for problem in (*host.problems, *(update.problem for update in host.all if update.problem)):
            console.print(Text(f"? {problem.shown}", style="red"), soft_wrap=True)
    console.print(Text(_summary(hosts)))


def age(version: Version | None, now: datetime) -> str:
    """How old an image is, in the largest unit that fits."""
    if version is None:
        return ""
    if version.created is None or version.created.year < _FIRST_CONTAINERS:
        return "?"
    days = max(0, (now - version.created).days)
    for unit, length in (("year", 365), ("month", 30), ("day", 1)):
        number = days // length
        if number >= (2 if unit != "day" else 1):
            return f"{number} {unit}{'s' if number != 1 else ''}"
    return "today"


def _table(host: HostUpdates, now: datetime) -> Table:
    table = Table("app", "service", "running", "age", "newest allowed", "age", "policy", "why")
    for update in host.all:
        style = "red" if update.problem else "yellow" if update.outdated else ""
        table.add_row(*(Text(cell, style=style) for cell in _cells(update, now)))
    return table


def _cells(update: Update, now: datetime) -> list[str]:
    newest = update.newest
    return [
        update.app or "-",
        update.service or update.container,
        str(update.running or "-"),
        age(update.running, now) if update.app or update.service != "OS" else "",
        str(newest) if newest else "unknown" if update.problem else "the same" if update.running else "-",
        age(newest, now) if update.service != "OS" else "",
        update.policy,
        "; ".join(update.why),
    ]


def _summary(hosts: Sequence[HostUpdates]) -> str:
    everything = [update for host in hosts for update in host.all]
    outdated = sum(update.outdated for update in everything)
    unknown = sum(update.problem is not None for update in everything) + sum(len(host.problems) for host in hosts)
    more = f", {unknown} could not be read" if unknown else ""
    return f"{outdated} of {len(everything)} outdated{more}"
