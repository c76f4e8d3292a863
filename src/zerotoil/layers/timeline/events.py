"""From the entries of a ledger, the NAS's snapshots and what was told to events. Pure.

What vanishes and comes back as it was is no event: a new OS disk has no containers until its apps are up again. So each
container is compared with the last that was known of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from zerotoil.layers.timeline.found import AppState, Container, Entry, Event, Kind, Same, State
from zerotoil.model.snapshots import fits


def story(entries: Sequence[Entry | Same], others: Iterable[Event]) -> tuple[Event, ...]:
    """All events, newest first: those of the ledger, and `others`, which are snapshots and messages."""
    ordered = sorted(entries, key=lambda entry: (entry.time, entry.name))
    full = [entry for entry in ordered if isinstance(entry, Entry)]
    told = [_placed(event, full) for event in others]
    return tuple(sorted([*changes(ordered), *told], key=lambda event: event.time)[::-1])


def _placed(event: Event, full: Sequence[Entry]) -> Event:
    """A snapshot with the entry that holds for it; a message with its app."""
    if event.kind is Kind.TOLD:
        return replace(event, app=event.subject) if any(event.subject in entry.apps for entry in full) else event
    before = [entry.name for entry in full if entry.time <= event.time]
    return replace(event, ledger=before[-1]) if before else event


@dataclass
class _Known:
    """What is known up to an entry: the one before, when it was last seen to hold, and the containers by name."""

    entry: Entry
    seen: datetime
    containers: dict[str, Container] = field(default_factory=dict)


def changes(entries: Iterable[Entry | Same]) -> Iterator[Event]:
    """The events that entries tell, which come oldest first."""
    known: _Known | None = None
    for entry in entries:
        if isinstance(entry, Same):
            if known:
                known.seen = entry.time
            continue
        if known is None:
            yield Event(entry.time, Kind.BEGIN, ledger=entry.name)
            known = _Known(entry, entry.time, {item.name: item for item in entry.containers or ()})
            continue
        for event in (*_system(known.entry, entry), *_apps(known.entry, entry), *_containers(known, entry)):
            yield replace(event, time=entry.time, after=known.seen, ledger=entry.name)
        known.entry, known.seen = entry, entry.time


def _event(kind: Kind, app: str = "", subject: str = "", old: State | None = None, new: State | None = None) -> Event:
    """One whose times are filled in later."""
    return Event(datetime.min, kind, app, subject, old, new)


def _system(old: Entry, new: Entry) -> Iterator[Event]:
    if old.os != new.os and (old.os.name != new.os.name or (old.os.digest and new.os.digest)):
        yield _event(Kind.OS, old=old.os, new=new.os)
    elif old.kernel != new.kernel:
        yield _event(Kind.OS, "", "kernel", State(old.kernel), State(new.kernel))
    if old.k3s != new.k3s:
        yield _event(Kind.K3S, old=State(old.k3s) if old.k3s else None, new=State(new.k3s) if new.k3s else None)
    if old.boot != new.boot:
        yield _event(Kind.REBOOT)


def _apps(old: Entry, new: Entry) -> Iterator[Event]:
    for name in sorted({*old.apps, *new.apps}):
        if name not in new.apps:
            yield _event(Kind.APP_REMOVED, name)
        elif name not in old.apps:
            yield _event(Kind.APP_ADDED, name)
        else:
            yield from _app(name, old.apps[name], new.apps[name])


def _app(name: str, old: AppState, new: AppState) -> Iterator[Event]:
    for file, before, after in _pairs(old.files, new.files):
        yield _event(Kind.DECLARED, name, file, State(file, before) if before else None, State(file, after) if after else None)
    for service, before, after in _pairs(old.pins, new.pins):
        if after:
            yield _event(Kind.HELD, name, service, _by_digest(before) if before else None, _by_digest(after))
        else:
            yield _event(Kind.RELEASED, name, service, _by_digest(before))


def _pairs(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Key, old and new value of what differs; empty where there is none."""
    for key in sorted({*old, *new}):
        if old.get(key) != new.get(key):
            yield key, old.get(key, ""), new.get(key, "")


def _by_digest(image: str) -> State:
    name, _, digest = image.partition("@")
    return State(name, digest)


def _containers(known: _Known, entry: Entry) -> Iterator[Event]:
    """Changed images, new services, and services that are gone with what declared them. Brings `known` up to date."""
    if entry.containers is None:
        return
    there = {item.name for item in entry.containers}
    gone = [item for item in known.containers.values() if item.name not in there]
    for item in entry.containers:
        before = known.containers.get(item.name)
        if not before and (before := next((old for old in gone if _same_service(old, item)), None)):
            gone.remove(before)  # made again under another name
            del known.containers[before.name]
        if before is None:
            new_app = item.app in entry.apps and item.app not in known.entry.apps  # it brings its services with it
            if not new_app and not any(_same_service(old, item) for old in known.containers.values()):
                yield _event(Kind.SERVICE_ADDED, item.app, item.service, None, item.state)
        elif (before.id, before.image) != (item.id, item.image):
            yield _event(Kind.UPDATE, item.app, item.service, before.state, item.state)
        known.containers[item.name] = item
    yield from _gone(known, entry, gone)


def _gone(known: _Known, entry: Entry, gone: Iterable[Container]) -> Iterator[Event]:
    """The services that are gone with what declared them; of the others the containers are waited for."""
    for item in gone:
        if item.app in known.entry.apps and item.app not in entry.apps:
            del known.containers[item.name]  # told with its app
        elif _declared(known.entry, item.app) != _declared(entry, item.app):
            del known.containers[item.name]
            if not any(_same_service(item, other) for other in known.containers.values()):
                yield _event(Kind.SERVICE_REMOVED, item.app, item.service, item.state)


def _same_service(one: Container, other: Container) -> bool:
    return (one.app, one.service) == (other.app, other.service)


def _declared(entry: Entry, app: str) -> Mapping[str, str]:
    return entry.apps[app].files if app in entry.apps else {}


def of_snapshot(item: Mapping[str, Any], namings: Iterable[str]) -> Event:
    """A snapshot as the NAS lists it; one that fits a naming schema is of the schedule. Raises KeyError or ValueError."""
    name = item["id"].partition("@")[2]
    time = datetime.fromtimestamp(int(item["properties"]["creation"]["rawvalue"]), UTC)
    return Event(time, Kind.SNAPSHOT, subject=name, origin="schedule" if any(fits(each, name) for each in namings) else "other")


def of_message(what: str, time: float) -> Event:
    """A message to the owner, by its event and subject: "unhealthy blog"."""
    event, _, subject = what.partition(" ")
    return Event(datetime.fromtimestamp(time, UTC), Kind.TOLD, subject=subject, new=State(event))
