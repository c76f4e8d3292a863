"""Deleting a host's data for good: refused while anything could still use it."""

from __future__ import annotations

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.model.units import format_size
from zerotoil.model.volumes import volumes
from zerotoil.resources.hypervisor import adopted
from zerotoil.resources.nas import deletion
from zerotoil.resources.nas.mark import dataset, property_of
from zerotoil.resources.nas.present import REPLACED, Swap, refuse_unfinished, take_over


def foreseen(site: Site, volume: str) -> list[str]:
    """What goes, for a person to read. Raises LabError where it may not."""
    found = _free(site, volume)
    lines = [f"{volume}: {format_size(found.size)}, {found.used >> 20} MiB used; nothing brings it back"]
    lines += [f"snapshot {name}" for name in found.snapshots]
    if next_one := _successor(site, volume):
        lines.append(f"its place as the host's data: the next deploy takes {next_one}")
    lines += [f"extent {name}" for _, name in found.extents] + [f"target {name}" for _, name in found.targets]
    return lines


def delete(site: Site, volume: str, confirmed: str) -> None:
    """Delete it. Raises LabError. Cut off, a second run deletes the rest.

    Where an undo had put it in the place of another volume, that one is the host's again (`_successor`).
    """
    _free(site, volume)
    target = _target(site, volume)
    if confirmed == volume == site.volume and (next_one := _successor(site, volume)):
        swap = Swap(volume, next_one, f"{site.now():%Y-%m-%d %H:%M:%S}")  # first: a name that points nowhere stops every deploy
        take_over(site.spec, site.nas, swap, int(site.now().timestamp()))
    deletion.delete(site.nas, volume, site.spec.owner, confirmed, target)


def _successor(site: Site, volume: str) -> str:
    """What serves as the host's data once the present volume is gone: what it had replaced, else the declared one."""
    if volume != site.volume or volume == site.spec.zvol:
        return ""
    old = property_of(dataset(site.nas, volume) or {}, REPLACED)
    return old if old and dataset(site.nas, old) else site.spec.zvol


def _free(site: Site, volume: str) -> deletion.Doomed:
    """What would go, proven to be used by nobody. The declared volume stays while there is a VM: it notes which one serves."""
    spec, hypervisor = site.spec, site.hypervisor
    found = deletion.doomed(site.nas, volume, spec.owner, _target(site, volume))
    if volume not in (site.volume, spec.zvol) and not found.extents:  # an undo left it: no LUN leads to it
        refuse_unfinished(spec, site.nas)
        return found
    hypervisor.forget()
    luns = {one.spec.iscsi.lun for one in volumes(spec)} | found.luns  # of one that is declared no more, too
    other = adopted.reader(hypervisor, site.iqn, luns)
    user = spec.name if spec.name in hypervisor.domains() else other[0] if other else None
    if user and (user == spec.name or found.mappings):
        raise LabError(
            f"{volume}: the VM {user} is defined, and may read it",
            f"nothing was deleted; zerotoil destroy {user} first",
            code=Code.VOLUME_ATTACHED,
        )
    return found


def _target(site: Site, volume: str) -> str:
    """The host's own target goes with the volume that it is for."""
    return site.spec.iscsi.target if volume == site.volume else ""
