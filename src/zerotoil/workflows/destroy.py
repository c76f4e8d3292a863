"""Leaving: a host's VM and what the hypervisor has of it goes; everything on the NAS stays, and is listed."""

from __future__ import annotations

from typing import Any

from lxml import etree

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.layers.snapshots import look
from zerotoil.model.units import format_size
from zerotoil.model.volumes import Volume, volumes
from zerotoil.resources.hypervisor import shutdown
from zerotoil.resources.hypervisor.os_switch import own
from zerotoil.resources.hypervisor.removal import parts
from zerotoil.resources.nas.mark import dataset


def foreseen(site: Site) -> list[str]:
    """What will go, by name. Raises LabError for a VM that is not ours, or whose disks are not."""
    site.hypervisor.forget()
    return [part.name for part in parts(site.spec, site.hypervisor)]


def destroy(site: Site) -> list[str]:
    """Remove it; returns what went. Raises LabError. Cut off, a second run removes the rest."""
    spec, gone = site.spec, foreseen(site)
    if spec.name in site.hypervisor.domains():
        site.say("shutting the VM down")
        shutdown(spec, site.hypervisor)
    for part in parts(spec, site.hypervisor):
        part.remove()
    if left := foreseen(site):
        raise LabError(
            f"{spec.name}: still there: {', '.join(left)}", "look at the hypervisor, then run again", code=Code.CHANGE_NOT_MADE
        )
    return gone


def staying(site: Site) -> list[str]:
    """What stays, and how it is attached again; asked before anything goes. Reads only."""
    spec, of_host = site.spec, volumes(site.spec)
    there = [(one, entry) for one in of_host if (entry := dataset(site.nas, site.path_of(one)))]
    stays = [_stays(site, one, entry) for one, entry in there]
    gone = [f"the NAS has no volume {site.path_of(one)}" for one in of_host if one not in [found for found, _ in there]]
    if not there:
        return gone
    first = "take vm_adopt out of the inventory and " if spec.vm.adopt else ""
    extents = ", ".join(one.spec.iscsi.extent for one, _ in there)
    several = len(there) > 1
    return [
        *stays,
        *gone,
        f"the target {site.iqn}, its extent{'s' if several else ''} {extents} and their mapping{'s' if several else ''} stay",
        *_former_disks(site),
        f"{first}run the deploy again: {'each' if several else 'the'} volume is found by its mark, and a new VM gets it",
    ]


def _stays(site: Site, volume: Volume, entry: dict[str, Any]) -> str:
    count = len(look(volume.spec, site.nas))
    size, used = format_size(entry["volsize"]["parsed"]), entry["used"]["parsed"] >> 20
    return f"the volume {entry['id']} stays ({size}, {used} MiB used), with {count} snapshot{'' if count == 1 else 's'}"


def _former_disks(site: Site) -> list[str]:
    """The disks of an OS that was there before ours: nothing of ours, so they stay."""
    if site.spec.name not in site.hypervisor.domains():
        return []
    former = own(site.spec, site.hypervisor)[1].former
    sources = etree.fromstring(former.encode()).findall("devices/disk/source") if former else []
    places = [source.get("file") or source.get("dev") or source.get("volume") or "" for source in sources]
    disks = [place for place in places if place and "iscsi" not in place and not place.startswith("unit:")]
    return [f"the disks of the adopted OS stay: {', '.join(disks)}"] if disks else []
