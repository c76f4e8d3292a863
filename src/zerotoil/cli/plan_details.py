"""A plan as people read it: host, layer, resource, field."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from rich.console import Console
from rich.text import Text

from zerotoil.layers.layers import IN_GUEST
from zerotoil.layers.plan import HostPlan, LabPlan
from zerotoil.resources.resource import Action, Change, Notice, Risk

_WIDE = 160  # columns where no terminal says how many it has
_SIGN = {Action.CREATE: ("+", "green"), Action.UPDATE: ("~", "yellow"), Action.DELETE: ("-", "red")}
_RISK = {Risk.SAFE: "", Risk.RESTART: "  at the next start", Risk.DESTRUCTIVE: "  DESTRUCTIVE"}
_RISK_IN_GUEST = _RISK | {Risk.RESTART: "  with a restart"}  # of a container, and now


def details(plan: LabPlan, verbose: bool) -> None:
    """Print every host that has changes, notices or problems."""
    console = Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False)
    for host in plan.hosts:
        if host.changes or host.problems or host.notices:
            _host(console, host, verbose)
    for problem in plan.problems:
        console.print(Text(f"? {problem.shown}", style="red"))


def _host(console: Console, host: HostPlan, verbose: bool) -> None:
    console.print(Text(host.host, style="bold"))
    for layer in host.layers:
        if layer.changes:
            console.print(Text(f"  {layer.title}"))
        for _, same in groupby(layer.changes, key=lambda change: (change.resource, change.action)):
            _resource(console, list(same), verbose, _RISK_IN_GUEST if layer.title in IN_GUEST else _RISK)
    for problem in host.problems:
        console.print(Text(f"  ? {problem.shown}", style="red"))
    for notice in host.notices:
        _notice(console, notice, verbose)
    console.print()


def _resource(console: Console, changes: list[Change], verbose: bool, risks: Mapping[Risk, str]) -> None:
    first = changes[0]
    sign, colour = _SIGN[first.action]
    console.print(Text(f"    {sign} {first.resource}", style=colour))
    if first.action is Action.CREATE and not verbose:
        fields = ", ".join(_brief(change) for change in changes)
        if fields:
            console.print(Text(f"        {fields}", style="dim"))
        return
    for change in changes:
        _field(console, change, risks)


def _field(console: Console, change: Change, risks: Mapping[Risk, str]) -> None:
    risk = Text(risks[change.risk], style="bold red")
    if change.is_text:
        console.print(Text(f"        {change.field}") + risk)
        _diff(console, change.text_diff())
    elif change.action is Action.CREATE:
        console.print(Text(f"        {change.field}  {_value(change.after)}") + risk)
    else:
        for name, before, after in _differences(change):
            console.print(Text(f"        {name}  {_value(before)} → {_value(after)}") + risk)


def _brief(change: Change) -> str:
    if change.is_text:
        return f"{change.field} ({len(str(change.after).splitlines())} lines)"
    return f"{change.field} {_value(change.after)}"


def _differences(change: Change) -> Iterator[tuple[str, object, object]]:
    """The field, or of a mapping (a container's environment) the entries that differ."""
    before, after = change.before, change.after
    if not (isinstance(before, dict) and isinstance(after, dict)):
        yield change.field, before, after
        return
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield f"{change.field} {name}", before.get(name), after.get(name)


def _value(value: object) -> str:
    if isinstance(value, dict):
        value = [f"{name}={inner}" for name, inner in value.items()]
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "nothing"
    return "nothing" if value in (None, "") else str(value)


def _diff(console: Console, lines: Iterable[str]) -> None:
    colours = {"+": "green", "-": "red", "@": "cyan"}
    for line in lines:
        console.print(Text(f"          {line}", style=colours.get(line[:1], "dim")), soft_wrap=True)


def _notice(console: Console, notice: Notice, verbose: bool) -> None:
    console.print(Text(f"  i {notice.resource}: {notice.kind}: {notice.what}", style="cyan"))
    for change in notice.changes:
        if change.is_text and not verbose:
            console.print(Text(f"        {change.field}: {sum(d[:1] in '+-' for d in change.text_diff())} lines differ", "dim"))
        else:
            _field(console, change, _RISK)
    console.print(Text(f"        bring it about: {notice.command}"))
