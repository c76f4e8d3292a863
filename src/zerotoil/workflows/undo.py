"""Back to an earlier state of a host's data, and of the versions that belong to it; and back again.

Nothing is rolled back in place: the data disk becomes a clone of the snapshot, the present stays as it is under its own
name, and newer snapshots stay with it. What will go back is read and shown first (`look_ahead`); `swap` does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.layers.snapshots import Found, before, look, named
from zerotoil.layers.timeline.events import changes
from zerotoil.layers.timeline.found import Container, Entry, Event, Kind, Same
from zerotoil.layers.timeline.look import read_ledger
from zerotoil.resources.hypervisor.observe import own_domain
from zerotoil.resources.nas.mark import dataset, property_of
from zerotoil.resources.nas.present import REPLACED, Swap, refuse_unfinished, unfinished
from zerotoil.workflows.swap import Swapping, refuse_what_cannot_be_swapped


@dataclass(frozen=True)
class Moving:
    """A service whose image goes back: digests without their repository, empty where it is not known."""

    app: str
    service: str
    now: str
    then: str


@dataclass(frozen=True)
class Ahead:
    """What an undo would do."""

    swap: Swap
    snapshot: Found | None  # None: a return to a volume that was replaced
    images: tuple[Moving, ...] = ()
    k3s: tuple[str, str] | None = None  # the release that runs now, and the one that goes with the snapshot; None: the same
    recorded: datetime | None = None  # of the ledger's entry that tells what ran; None: nothing does


def look_ahead(site: Site, to: str = "", until: datetime | None = None, app: str = "") -> Ahead:
    """What an undo to a snapshot (by name, or the newest before a time) would do. Reads only. Raises LabError.

    Without either: the newest snapshot with which another k3s or other images ran than run now (of `app`, where one is named);
    where no update is known, the newest of all. An app that runs no more was taken off, not updated.
    """
    spec = site.spec
    _nothing_else_under_way(site)
    refuse_what_cannot_be_swapped(site)
    found = look(spec, site.nas)
    ledger = read_ledger(site.guest_now())[0]
    if to:
        chosen = named(found, spec.name, to)
    else:
        limit = until or _last_update(ledger, app) or site.now()
        others = () if until else (one for one in found if _updated(ledger, _entry_at(ledger, one.created), app))
        chosen = next(iter(others), None) or before(found, spec.name, limit)
    entry = _entry_at(ledger, chosen.created)
    _refuse_other_engine(site, chosen, entry)
    now = site.now()
    swap = Swap(site.volume, f"{spec.zvol}-undo-{now:%Y%m%d-%H%M%S}", f"{now:%Y-%m-%d %H:%M:%S}", chosen.id)
    k3s = None if app else _k3s(ledger, entry)
    return Ahead(swap, chosen, _moving(ledger, entry, app), k3s, entry.time if entry else None)


def look_back(site: Site) -> Ahead:
    """What a return to the volume before the present one would do. Reads only. Raises LabError."""
    _nothing_else_under_way(site)
    refuse_what_cannot_be_swapped(site)
    old = property_of(dataset(site.nas, site.volume) or {}, REPLACED)
    if not old or dataset(site.nas, old) is None:
        gone = f": {old} is gone" if old else ""
        raise LabError(
            f"{site.spec.name}: there is nothing to return to{gone}",
            f"zerotoil snapshots {site.spec.name} lists what there is",
            code=Code.NOTHING_TO_UNDO,
        )
    return Ahead(Swap(site.volume, old, f"{site.now():%Y-%m-%d %H:%M:%S}"), None)


def go_on(site: Site) -> Swapping:
    """The change that was interrupted, ready to be run to its end. Raises LabError when there is none."""
    swap = unfinished(site.spec, site.nas)
    if swap is None:
        raise LabError(
            f"{site.spec.name}: no undo was interrupted", f"zerotoil timeline {site.spec.name}", code=Code.NOTHING_TO_UNDO
        )
    return Swapping(site, swap, pin=bool(swap.snapshot))


def undo(site: Site, ahead: Ahead) -> Swapping:
    """Do what was shown. Raises LabError; then it says what state the host is in."""
    swapping = Swapping(site, ahead.swap, pin=ahead.snapshot is not None)
    swapping.run()
    return swapping


def _nothing_else_under_way(site: Site) -> None:
    """Neither another undo nor a change of OS disks was cut off. Raises LabError."""
    refuse_unfinished(site.spec, site.nas)
    own = own_domain(site.spec, site.hypervisor)
    if own and own[1].move:
        raise LabError(
            f"{site.spec.name}: a change of OS disks, from {own[1].move.origin} to {own[1].move.to}, was cut off",
            f"finish it first: zerotoil migrate {site.spec.name}",
            code=Code.NEEDS_ANOTHER_FIRST,
        )


def _refuse_other_engine(site: Site, chosen: Found, then: Entry | None) -> None:
    """Raise LabError where the snapshot's apps ran under the other engine: what it has of them starts nothing here."""
    backend = site.spec.container.backend
    engines = {"podman" if "quadlets" in app.files else "docker" for app in then.apps.values()} if then else set()
    if site.spec.apps.run and (other := " and ".join(sorted(engines - {backend}))):
        raise LabError(
            f"{site.spec.name}: the apps of {chosen.name} ran under {other}, not under {backend}",
            f"look at that data beside today's: zerotoil restore {site.spec.name} {chosen.name} --beside",
            code=Code.UNDO_OTHER_ENGINE,
        )


def _last_update(ledger: Sequence[Entry | Same], app: str) -> datetime | None:
    """The moment before an update was seen last. A snapshot from before it has an entry of the ledger with the older image."""
    told = changes(sorted(ledger, key=lambda entry: (entry.time, entry.name)))
    kinds = (Kind.UPDATE,) if app else (Kind.UPDATE, Kind.K3S)
    moves: list[Event] = [event for event in told if event.kind in kinds and app in ("", event.app) and event.old]
    return moves[-1].time - timedelta(seconds=1) if moves else None


def _entry_at(ledger: Sequence[Entry | Same], time: datetime) -> Entry | None:
    """The entry that holds for a moment."""
    full = [entry for entry in ledger if isinstance(entry, Entry) and entry.time <= time]
    return max(full, key=lambda entry: entry.time, default=None)


def _updated(ledger: Sequence[Entry | Same], then: Entry | None, app: str) -> bool:
    """Does something run now in another version than by an entry?"""
    return any(move.now for move in _moving(ledger, then, app)) or (not app and _k3s(ledger, then) is not None)


def _newest(ledger: Sequence[Entry | Same]) -> Entry | None:
    return max((entry for entry in ledger if isinstance(entry, Entry)), key=lambda entry: entry.time, default=None)


def _k3s(ledger: Sequence[Entry | Same], then: Entry | None) -> tuple[str, str] | None:
    """k3s's release now and by an entry, where both are known and differ."""
    now = _newest(ledger)
    return (now.k3s, then.k3s) if now and then and now.k3s and then.k3s and now.k3s != then.k3s else None


def _moving(ledger: Sequence[Entry | Same], then: Entry | None, app: str) -> tuple[Moving, ...]:
    """The services of apps whose images differ between an entry and the newest one."""
    newest = _newest(ledger)
    if then is None or newest is None:
        return ()
    now = {(item.app, item.service): item for item in newest.containers or ()}
    moved = [item for item in then.containers or () if item.app and app in ("", item.app)]
    moved = [item for item in moved if _id(now.get((item.app, item.service))) != item.id]
    return tuple(Moving(item.app, item.service, _digest(now.get((item.app, item.service))), _digest(item)) for item in moved)


def _id(container: Container | None) -> str:
    return container.id if container else ""


def _digest(container: Container | None) -> str:
    return container.state.digest if container else ""
