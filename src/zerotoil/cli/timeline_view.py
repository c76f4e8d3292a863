"""A host's story as people read it: one table, newest first, in local time."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from rich.console import Console
from rich.table import Table
from rich.text import Text

from zerotoil.layers.timeline import Event, HostTimeline, Kind, State

_WIDE = 200  # columns where no terminal says how many it has
_SHORT = 12  # digits of a digest that tell two apart
_CLOSE = timedelta(minutes=5)  # two looks that are no further apart are one time to people
_UNITS = (("year", 365 * 86400), ("month", 30 * 86400), ("day", 86400), ("hour", 3600), ("minute", 60))
_STYLES = {Kind.UPDATE: "yellow", Kind.OS: "yellow", Kind.K3S: "yellow", Kind.HELD: "yellow", Kind.SNAPSHOT: "green"}
_STYLES |= dict.fromkeys((Kind.MIGRATED, Kind.REBUILT, Kind.RETURNED), "yellow") | {Kind.REVERTED: "red"}
_BAD = {"update-failed", "rolled-back", "missing", "unhealthy", "stale", "disk-filling", "snapshot-missing", "backup-failed"}


def show(found: HostTimeline, now: datetime) -> None:
    """Print the story: what is new in yellow, what went wrong and what could not be read in red."""
    console = Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False)
    console.print(Text(found.host, style="bold"))
    if found.events:
        console.print(_table(found, now))
    for problem in found.problems:
        console.print(Text(f"? {problem.shown}", style="red"), soft_wrap=True)
    snapshots = sum(event.kind is Kind.SNAPSHOT for event in found.events)
    more = f", {len(found.problems)} could not be read" if found.problems else ""
    console.print(Text(f"{_count(len(found.events), 'event')}, {_count(snapshots, 'snapshot')} among them{more}"))


def age(time: datetime, now: datetime) -> str:
    """How long ago, in the largest unit that fits."""
    seconds = (now - time).total_seconds()
    for unit, length in _UNITS:
        if seconds >= length:
            return _count(int(seconds // length), unit)
    return "now"


def words(event: Event) -> str:
    """What happened."""
    return _WORDS[event.kind](event) if event.kind in _WORDS else ""


def _table(found: HostTimeline, now: datetime) -> Table:
    table = Table("time", "not before", "age", "event", "app", "what")
    for event in found.events:
        bad = event.kind is Kind.TOLD and event.new is not None and event.new.name in _BAD
        times = [_local(event.time), _since(event), age(event.time, now)]
        table.add_row(
            *(
                Text(cell, style="red" if bad else _STYLES.get(event.kind, ""))
                for cell in (*times, event.kind.value, event.app or "-", words(event))
            )
        )
    return table


def _local(time: datetime) -> str:
    text = time.astimezone().strftime("%Y-%m-%d %H:%M %z")
    return f"{text[:-2]}:{text[-2:]}"


def _since(event: Event) -> str:
    """When it was not so yet, where that is worth a word; the day is left out where it is the same."""
    if event.after is None or event.time - event.after <= _CLOSE:
        return ""
    after, time = event.after.astimezone(), event.time.astimezone()
    return after.strftime("%H:%M" if after.date() == time.date() else "%Y-%m-%d %H:%M")


def _moved(event: Event) -> str:
    """Old -> new; the digest alone is new where the name is the same."""
    if event.old and event.new and event.old.name == event.new.name:
        return f"{event.new.name} {_digest(event.old)} -> {_digest(event.new)}"
    return f"{_short(event.old) or 'none'} -> {_short(event.new) or 'none'}"


def _short(state: State | None) -> str:
    return f"{state.name} {_digest(state)}".strip() if state else ""


def _digest(state: State) -> str:
    return state.digest.removeprefix("sha256:")[:_SHORT]


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _declared(event: Event) -> str:
    return f"{event.subject} {'changed' if event.old and event.new else 'came' if event.new else 'is gone'}"


def _told(event: Event) -> str:
    return f"{_short(event.new)}: {event.subject}" if event.subject else _short(event.new)


def _swapped(event: Event) -> str:
    back = f" to {event.subject}" if event.subject else ""
    return f"went back{back}: {event.new.name if event.new else ''} took over"


def _other_os(event: Event) -> str:
    """A change of OS disks."""
    old, new = (state.name if state else "" for state in (event.old, event.new))
    said = {
        Kind.MIGRATED: f"migrated from {old} to {new}",
        Kind.REBUILT: f"rebuilt: {new} in the place of {old}",
        Kind.RETURNED: f"gone back from {old} to {new}, as asked",
        Kind.REVERTED: f"went back from {old} to {new} by itself",
    }[event.kind]
    reason = f"not healthy: {event.subject}" if event.kind is Kind.REBUILT else event.subject
    return f"{said}: {reason}" if event.subject else said


_WORDS: Mapping[Kind, Callable[[Event], str]] = {
    Kind.SNAPSHOT: lambda event: f"{event.subject}{'' if event.origin == 'schedule' else ' (not of the schedule)'}",
    Kind.UPDATE: lambda event: f"{event.subject}: {_moved(event)}",
    Kind.SERVICE_ADDED: lambda event: f"{event.subject} runs: {_short(event.new)}",
    Kind.SERVICE_REMOVED: lambda event: f"{event.subject} is gone: {_short(event.old)}",
    Kind.DECLARED: _declared,
    Kind.HELD: lambda event: f"{event.subject} is held at {_short(event.new)}",
    Kind.RELEASED: lambda event: f"{event.subject} is held no more at {_short(event.old)}",
    Kind.OS: lambda event: f"{event.subject} {_moved(event)}".lstrip(),
    Kind.K3S: _moved,
    Kind.TOLD: _told,
    Kind.SWAPPED: _swapped,
    Kind.MIGRATED: _other_os,
    Kind.REBUILT: _other_os,
    Kind.RETURNED: _other_os,
    Kind.REVERTED: _other_os,
    Kind.BEGIN: lambda _event: "nothing is known from before",
}
