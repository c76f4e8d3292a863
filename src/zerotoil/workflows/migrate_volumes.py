"""The volumes beside the data when a host gets another OS disk: what must be so before, and what is proven of them after."""

from __future__ import annotations

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.model.volumes import Volume, further
from zerotoil.resources import guard
from zerotoil.resources.guest import Guest
from zerotoil.resources.hypervisor.adopted import reads
from zerotoil.workflows.migrate_journey import Journey


def has_all_disks(site: Site) -> None:
    """The new OS would wait for the disk of a volume that the VM is not defined with. Raises LabError."""
    has = reads(site.hypervisor, site.spec.name, site.iqn) if site.spec.data.more else []
    if missing := [volume for volume in further(site.spec) if volume.spec.iscsi.lun not in has]:
        raise LabError(
            f"{site.spec.name}: the VM is not defined with {missing[0].words} yet",
            "run the deploy first",
            code=Code.NEEDS_ANOTHER_FIRST,
        )


def declared_as_recorded(site: Site) -> None:
    """The volumes beside the data hold what the new OS would mount, too, as far as a guest ever had them mounted."""
    for volume in further(site.spec):
        mark, want = site.recorded(volume), guard.expected(volume.spec)
        found = mark.filesystem if mark else None
        if found and (found.type, found.label) != (want.type, want.label):
            raise LabError(
                f"{site.spec.name}: {volume.words} is recorded as {found}, the new OS would mount {want}",
                "declare its filesystem and label in data_more as they are",
                code=Code.DATA_DIFFERS,
            )


def _same_volume(site: Site, guest: Guest, volume: Volume) -> None:
    """What is mounted is what was recorded; where nothing was, what is declared. Raises LabError."""
    found, mark, want = guest.filesystem(volume), site.recorded(volume), guard.expected(volume.spec)
    recorded = mark.filesystem if mark else None
    if (found != recorded) if recorded else ((found.type, found.label) != (want.type, want.label)):
        raise LabError(
            f"{site.spec.name}: {volume.mount} is {found}, {'recorded' if recorded else 'declared'} is {recorded or want}",
            "nothing was written; is it another volume?",
            code=Code.DATA_DIFFERS,
        )


def all_mounted(journey: Journey) -> None:
    """An OS that is made with the volumes of today mounts all of them; an older one those that it knows. Raises LabError."""
    move, guest, now = journey.move, journey.guest(), journey.mark.generation
    is_newer = move is not None and now == move.to.generation > move.origin.generation
    for volume in further(journey.site.spec):
        if is_newer or guest.knows(volume):
            guest.filesystem(volume)


def same_volumes(site: Site, guest: Guest) -> None:
    """What the running OS knows of is mounted, and is what was recorded. Raises LabError."""
    for volume in further(site.spec):
        if guest.knows(volume):
            _same_volume(site, guest, volume)


def record(site: Site) -> None:
    """Write down what this OS was the first to mount."""
    for one in site.records():
        if not one.volume.is_data:
            one.apply()
