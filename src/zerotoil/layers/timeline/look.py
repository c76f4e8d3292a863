"""One host's story, read: the guest in one round trip, the NAS by one query. Writes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from zerotoil.clients.truenas import Nas
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers.site import Site
from zerotoil.layers.snapshots import of_lineage
from zerotoil.layers.timeline.events import of_message, of_snapshot, story
from zerotoil.layers.timeline.found import Entry, Event, HostTimeline, Kind, Same, State, read_entry
from zerotoil.model.snapshots import namings
from zerotoil.model.spec import HostSpec
from zerotoil.resources.guest import Guest
from zerotoil.resources.guest.packaged import script_text
from zerotoil.resources.hypervisor import observed
from zerotoil.resources.nas.clone import origin_of
from zerotoil.resources.nas.mark import property_of
from zerotoil.resources.nas.os_changes import changes_of_os
from zerotoil.resources.nas.present import REPLACED, SINCE

_WRONG = (ValueError, KeyError, TypeError, AttributeError)


def look(site: Site) -> HostTimeline:
    """The whole story. What cannot be read is among its problems; the rest is there all the same."""
    problems: list[LabError] = []
    entries: list[Entry | Same] = []
    others: list[Event] = []
    try:
        others += [*snapshots(site.nas, site.spec), *swaps(site.nas, site.spec)]
        others.extend(migrations(site.nas, site.spec))
    except LabError as error:
        problems.append(error)
    try:
        entries, told, wrong = read_ledger(_guest(site))
        others, problems = [*others, *told], [*problems, *wrong]
    except LabError as error:
        problems.append(error)
    return HostTimeline(site.spec.name, story(entries, others), tuple(problems))


def _guest(site: Site) -> Guest:
    """The guest. One that runs is asked whatever the NAS says; of any other, Site says why it cannot be."""
    running = not site.shell and observed(site.spec, site.hypervisor).running
    return site.running_guest() if running else site.guest


def snapshots(nas: Nas, spec: HostSpec) -> Iterator[Event]:
    """The snapshots of the host's data volume. Raises LabError."""
    for item in of_lineage(spec, nas):
        try:
            yield of_snapshot(item, namings(spec.data.snapshot_naming, spec.data.snapshot_tiers).values())
        except _WRONG as error:
            what = f"{spec.nas.url}: a snapshot of {spec.name} has no time of creation ({str(item)[:200]})"
            raise LabError(what, "is this version of TrueNAS known? see docs/truenas.md", code=Code.NAS_REFUSED) from error


def swaps(nas: Nas, spec: HostSpec) -> Iterator[Event]:
    """Undos and returns, as the volumes tell them that took over."""
    for entry in nas.query("pool.dataset", ["pool", "=", spec.zvol.split("/")[0]]):
        since = property_of(entry, SINCE)
        if property_of(entry, "owner") == spec.owner and since.isdigit():
            old, new = State(property_of(entry, REPLACED)), State(entry["id"])
            time = datetime.fromtimestamp(int(since), UTC)
            yield Event(time, Kind.SWAPPED, subject=origin_of(nas, entry["id"]).partition("@")[2], old=old, new=new)


def migrations(nas: Nas, spec: HostSpec) -> Iterator[Event]:
    """Changes of the OS disk, as the volume tells them. Raises LabError, after the last that can be read."""
    for one in changes_of_os(spec, nas):
        time = datetime.fromtimestamp(one.time, UTC)
        yield Event(time, Kind(one.end.value), subject=one.why, old=State(one.old), new=State(one.new))


def read_ledger(guest: Guest) -> tuple[list[Entry | Same], list[Event], list[LabError]]:
    """Entries, messages to the owner, and what is wrong with single entries. Raises LabError."""
    answer = guest.ask(script_text("ledger-read.sh"))
    try:
        read = json.loads(answer)
        items, unreadable = read["entries"], list(read["unreadable"])
        told = [of_message(item["what"], item["time"]) for item in read["told"]]
    except _WRONG as error:
        what = f"{guest.name}: the guest answered no ledger ({answer[:200]!r})"
        raise LabError(what, "is jq in its OS image?", code=Code.GUEST_COMMAND_FAILED) from error
    entries: list[Entry | Same] = []
    for item in items:
        try:
            entries.append(read_entry(item))
        except _WRONG:
            unreadable.append(item["name"])
    return entries, told, [_unreadable(guest.name, name) for name in unreadable]


def _unreadable(host: str, name: str) -> LabError:
    return LabError(
        f"{host}: the entry {name} of the ledger is broken and left out",
        f"look at it: zerotoil ssh {host} -- sudo ls -l /var/mnt/data/zerotoil/ledger",
        code=Code.GUEST_COMMAND_FAILED,
    )
