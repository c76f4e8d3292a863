"""The one place where data is deleted: a volume of ours that nobody uses, with its snapshots, and what serves it.

Only `zerotoil delete-data` calls this, after the full name was typed again; no deploy imports it. Nothing is forced and
nothing is recursive: TrueNAS would take clones and whoever is logged in along. Each deletion is looked at afterwards, as
TrueNAS 26 says true to a failed one (facts of truenas/middleware, pool.dataset.delete).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zerotoil.clients.truenas import Nas
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.resources.nas.clone import clones_of
from zerotoil.resources.nas.mark import dataset, of_entry
from zerotoil.resources.nas.patience import when_idle

Entry = dict[str, Any]


@dataclass(frozen=True)
class Doomed:
    """A volume and what goes with it; sizes in bytes."""

    name: str
    size: int
    used: int
    snapshots: tuple[str, ...]
    mappings: tuple[int, ...] = ()
    extents: tuple[tuple[int, str], ...] = ()
    targets: tuple[tuple[int, str], ...] = ()
    luns: frozenset[int] = frozenset()  # under which it is served


def doomed(nas: Nas, volume: str, owner: str, target: str = "") -> Doomed:
    """What would go, and `target` with it when it serves nothing (an interrupted run left it).

    Raises LabError for a volume that is not this owner's, that is in use, or that clones depend on.
    """
    nas.forget()
    entry = dataset(nas, volume)
    mark = of_entry(entry) if entry else None
    if entry is None or entry["type"] != "VOLUME" or mark is None or mark.owner != owner:
        what = "the NAS has none of that name" if entry is None else f"it does not carry the mark of {owner}"
        raise LabError(
            f"{volume} is no volume of this host: {what}",
            "write its full name, such as tank/lab/HOST/data",
            code=Code.NO_SUCH_VOLUME,
        )
    snapshots = _snapshots(nas, volume)
    _refuse_clones(nas, volume)
    extents = [extent for extent in nas.query("iscsi.extent") if extent.get("disk") == f"zvol/{volume}"]
    numbers = {extent["id"] for extent in extents}
    mappings = [mapping for mapping in nas.query("iscsi.targetextent") if mapping["extent"] in numbers]
    serving = {mapping["target"] for mapping in mappings}
    targets = [entry for entry in nas.query("iscsi.target") if entry["id"] in serving or entry["name"] == target]
    _refuse_sessions(nas, volume, targets)
    return Doomed(
        volume,
        entry["volsize"]["parsed"],
        entry["used"]["parsed"],
        tuple(snapshot["id"] for snapshot in snapshots),
        tuple(mapping["id"] for mapping in mappings),
        tuple((extent["id"], extent["name"]) for extent in extents),
        tuple((entry["id"], entry["name"]) for entry in targets if _serves_nothing_else(nas, entry["id"], numbers)),
        frozenset(mapping["lunid"] for mapping in mappings),
    )


def delete(nas: Nas, volume: str, owner: str, confirmed: str, target: str = "") -> None:
    """Delete it, looked at afresh. Raises LabError; `confirmed` is the name as a person typed it again."""
    if confirmed != volume:
        raise LabError(f"{confirmed!r} is not {volume}", "nothing was deleted; type the full name", code=Code.NOT_CONFIRMED)
    with nas.lock:
        found = doomed(nas, volume, owner, target)
        for mapping in found.mappings:
            nas.write("iscsi.targetextent.delete", mapping)
        for number, _ in found.extents:
            nas.write("iscsi.extent.delete", number)
        for number, _ in found.targets:
            nas.write("iscsi.target.delete", number)
        for snapshot in found.snapshots:
            nas.write(f"{nas.capabilities.snapshots}.delete", snapshot)
        # It was served until now, so it may be busy for a moment; before each try it is looked at again.
        when_idle(nas, "pool.dataset.delete", volume, before=lambda: _nothing_of_it_left(nas, volume))
        nas.forget()
        if dataset(nas, volume):
            raise _still_there(volume)


def _nothing_of_it_left(nas: Nas, volume: str) -> None:
    """Raises LabError where an extent serves the volume (the server would delete it along, forced), or it has a snapshot."""
    nas.forget()
    if left := [extent for extent in nas.query("iscsi.extent") if extent.get("disk") == f"zvol/{volume}"]:
        raise _still_there(f"the extent {left[0]['name']}")
    if left := _snapshots(nas, volume):
        raise _still_there(", ".join(snapshot["id"] for snapshot in left))


def _still_there(what: str) -> LabError:
    return LabError(
        f"the NAS took the deletion, and still has {what}",
        "is it held, or busy? look at the NAS, then run again",
        code=Code.CHANGE_NOT_MADE,
    )


def _snapshots(nas: Nas, volume: str) -> list[Entry]:
    return nas.query(nas.capabilities.snapshots, ["dataset", "=", volume])


def _refuse_clones(nas: Nas, volume: str) -> None:
    clones = clones_of(nas, volume)
    if clones:
        named = ", ".join(f"{name} (of {origin})" for name, origin in sorted(clones.items()))
        raise LabError(
            f"{volume}: clones depend on its snapshots: {named}",
            "nothing was deleted; drop these first",
            code=Code.VOLUME_HAS_CLONES,
        )


def _serves_nothing_else(nas: Nas, target: int, extents: set[int]) -> bool:
    served = {mapping["extent"] for mapping in nas.found("iscsi.targetextent", "target", target)}
    return served <= extents


def _refuse_sessions(nas: Nas, volume: str, targets: list[Entry]) -> None:
    """Whoever is logged in may be writing. A session names its target in full, the target its last part."""
    names = {target["name"] for target in targets}
    for session in nas.read("iscsi.global.sessions") if names else []:
        name = str(session.get("target") or "")
        if name in names or name.rpartition(":")[2] in names:
            who = f"{session.get('initiator')} ({session.get('initiator_addr')})"
            raise LabError(
                f"{volume}: {who} is logged in to its target {name}",
                "nothing was deleted; log out there first",
                code=Code.VOLUME_ATTACHED,
            )
