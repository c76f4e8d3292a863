"""Take a snapshot of a host's data now, with its filesystem held still where the guest answers."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.model.places import TREE
from zerotoil.model.snapshots import MANUAL
from zerotoil.model.volumes import further, volumes
from zerotoil.resources.guest import quiesce
from zerotoil.resources.guest.quiesce import Hold, Stillness
from zerotoil.resources.hypervisor import observed
from zerotoil.resources.nas.manual import BY, NOTE, QUIESCED, Manual, check_note
from zerotoil.resources.nas.mark import dataset

# What runs is written down on the disk first, so that the snapshot carries the versions that belong to its data.
_LEDGER = f"[ ! -f {TREE}/bin/ledger.sh ] || timeout 50 sh {TREE}/bin/ledger.sh before-snapshot >&2\n"


@dataclass(frozen=True)
class Taken:
    """A snapshot, and how still the filesystem was."""

    name: str  # DATASET@NAME
    stillness: Stillness
    why: str = ""

    def __str__(self) -> str:
        more = f" ({self.why})" if self.why else ""
        words = {
            Stillness.FROZEN: "filesystem frozen",
            Stillness.SYNCED: f"only synced{more}",
            Stillness.OFF: "the VM is off, nothing was writing",
            Stillness.NONE: f"{self.why}: as after a power cut",
        }
        return f"{self.name}: {words[self.stillness]}"


def wanted(site: Site, note: str, now: datetime) -> str:
    """What will be taken, as DATASET@NAME. Raises LabError when it cannot be."""
    spec = site.spec
    check_note(note)
    for name in (covering(site), site.volume):
        if dataset(site.nas, name) is None:
            raise LabError(f"{spec.name}: the NAS has no {name}", "run the deploy first", code=Code.NEEDS_ANOTHER_FIRST)
    return f"{covering(site)}@{now.strftime(MANUAL)}"


def _paths(site: Site) -> list[str]:
    """The volumes that are there. One that is lost is no reason to lose the state of the others."""
    paths = [site.path_of(one) for one in volumes(site.spec)]
    return [path for path in paths if dataset(site.nas, path)]


def covering(site: Site) -> str:
    """What is taken a snapshot of: all that lies below the host's dataset, or the volume itself where the schedule is on it."""
    spec = site.spec
    return site.volume if spec.snapshot_dataset == spec.zvol else spec.snapshot_dataset


def take(site: Site, note: str, now: datetime) -> Taken:
    """Take it and read it back. Raises LabError; a filesystem that was frozen is thawed before, and if not by us, by itself."""
    spec, name = site.spec, wanted(site, note, now)
    held = _hold(site)
    try:
        marks = {BY: spec.owner, QUIESCED: str(held.stillness), **({NOTE: note} if note else {})}
        manual = Manual(site.nas, covering(site), _paths(site), name.partition("@")[2], marks)
        unsure = manual.take()
    finally:
        stillness = held.release()
    manual.check(unsure)
    if marks[QUIESCED] != stillness:
        manual.mark_again(QUIESCED, str(stillness))
    return Taken(name, stillness, held.why)


def _hold(site: Site) -> Hold:
    """The filesystem held still, as far as the guest lets us."""
    try:
        if not site.shell and not observed(site.spec, site.hypervisor).running:
            return Hold(Stillness.OFF)
        guest = site.guest_now()
        with suppress(LabError):  # a snapshot without it is better than none
            guest.write(_LEDGER)
        return quiesce.hold(guest, [one.mount for one in further(site.spec)])
    except LabError as error:  # no hypervisor, no address
        return Hold(Stillness.NONE, f"guest did not answer ({error.what})")
