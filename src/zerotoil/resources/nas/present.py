"""Which volume serves as a host's data now: the declared one, or the clone that an undo put in its place.

What is true is written on the declared volume, in our ZFS properties: `zerotoil:present` names the volume that serves, and
`zerotoil:swap` a change of volumes that was begun and is not done. Nothing is renamed (`pool.dataset.rename` is younger
than most servers), so every volume keeps its name for life.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from zerotoil.clients.truenas import Nas
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.spec import HostSpec
from zerotoil.resources.nas.clone import ancestry, write_marks
from zerotoil.resources.nas.mark import dataset, property_of

PRESENT, SWAP = "present", "swap"
SINCE = "since"  # on a volume that took over from another one: when, in seconds since 1970
REPLACED = "replaced"  # on such a volume: the one before it
IDLE = "idle"  # on a volume that was replaced: the times in which another one served, "FROM-UNTIL FROM-"
_MOST = 40  # of these times: TrueNAS 25.10.0 shows no more than 1024 characters of a property


@dataclass(frozen=True)
class Swap:
    """A change of volumes: away from `old`, to `new`, begun at a time (in words).

    `snapshot` (DATASET@NAME) where `new` is a clone of it that is yet to be made.
    """

    old: str
    new: str
    began: str
    snapshot: str = ""


def present(spec: HostSpec, nas: Nas) -> str:
    """The path of the volume that serves as the host's data."""
    return property_of(dataset(nas, spec.zvol) or {}, PRESENT) or spec.zvol


def unfinished(spec: HostSpec, nas: Nas) -> Swap | None:
    """The change of volumes that was begun and is not done. Raises LabError for a note that nobody can read."""
    noted = property_of(dataset(nas, spec.zvol) or {}, SWAP)
    if not noted:
        return None
    try:
        return Swap(**json.loads(noted))
    except (ValueError, TypeError) as error:
        raise LabError(
            f"{spec.name}: the note zerotoil:{SWAP} on {spec.zvol} cannot be read ({noted[:80]!r})",
            "nothing was changed; look at it on the NAS (zfs get all)",
            code=Code.SWAP_UNFINISHED,
        ) from error


def refuse_unfinished(spec: HostSpec, nas: Nas) -> None:
    """Raise LabError while a change of volumes is begun and not done: a deploy in between would see two truths."""
    swap = unfinished(spec, nas)
    if swap:
        raise LabError(
            f"{spec.name}: an undo from {swap.old} to {swap.new} was interrupted",
            f"finish it first: zerotoil undo {spec.name} --continue",
            code=Code.SWAP_UNFINISHED,
        )


def note_swap(spec: HostSpec, nas: Nas, swap: Swap | None) -> None:
    """Write down that a change begins, or (None) that it is done."""
    write_marks(nas, spec.zvol, {SWAP: json.dumps({k: v for k, v in asdict(swap).items() if v}) if swap else None})


def note_present(spec: HostSpec, nas: Nas, volume: str) -> None:
    """Write down which volume serves from now on."""
    write_marks(nas, spec.zvol, {PRESENT: None if volume == spec.zvol else volume})


def take_over(spec: HostSpec, nas: Nas, swap: Swap, now: int) -> None:
    """Write down that `new` serves from now (seconds since 1970) on, and that `old` does not. Done once, it stays."""
    if present(spec, nas) != swap.new:
        write_marks(nas, swap.old, {IDLE: " ".join([*_idle(nas, swap.old), f"{now}-"][-_MOST:])})
        write_marks(nas, swap.new, {REPLACED: swap.old, SINCE: str(now), IDLE: " ".join(_closed(nas, swap.new, now)) or None})
        note_present(spec, nas, swap.new)


def _idle(nas: Nas, volume: str) -> list[str]:
    return property_of(dataset(nas, volume) or {}, IDLE).split()


def _closed(nas: Nas, volume: str, now: int) -> list[str]:
    return [f"{time}{now}" if time.endswith("-") else time for time in _idle(nas, volume)]


@dataclass(frozen=True)
class Past:
    """A volume in the lineage of the present one. Its snapshots after `until` (seconds since 1970) are not of this story,
    and neither are those of times in which another volume served.
    """

    volume: str
    until: float = float("inf")
    idle: tuple[tuple[float, float], ...] = ()

    def tells(self, time: float) -> bool:
        """Did it serve at that time?"""
        return time <= self.until and not any(start < time <= end for start, end in self.idle)


def lineage(spec: HostSpec, nas: Nas) -> list[Past]:
    """The present volume, then those that it was cloned from in turn, each with the moment when its successor took over."""
    found: list[Past] = []
    until = float("inf")
    for volume in ancestry(nas, present(spec, nas)):
        times = (time.partition("-") for time in _idle(nas, volume))
        idle = tuple((float(start or 0), float(end or "inf")) for start, _, end in times)
        found.append(Past(volume, until, idle))
        since = property_of(dataset(nas, volume) or {}, SINCE)
        until = int(since) if since.isdigit() else until
    return found
