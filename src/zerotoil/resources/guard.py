"""The guard in front of every first boot: is this data volume ours, and does it hold what is expected? Pure.

Refusal is the answer to every doubt (docs/architecture.md, "Data is sacred").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zerotoil.clients.device import Unreadable
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.data_volume import GPT, DataMark, Filesystem, Finding, VolumeState
from zerotoil.model.spec import HostSpec

_MAKE_READABLE = "make it readable on the hypervisor (qemu-utils, qemu-block-extra or open-iscsi), then run again"


@dataclass(frozen=True)
class Allowed:
    """The VM may boot with the volume."""

    reason: str


@dataclass(frozen=True)
class Refused:
    """The VM may not boot with the volume: what was found, what to do, and the kind of refusal."""

    what: str
    remedy: str
    code: Code


def expected(spec: HostSpec) -> Filesystem:
    """The filesystem that is declared (its UUID is known only to the mark)."""
    return Filesystem(spec.data.filesystem, spec.data.label)


def verdict(
    *,
    host: str,
    want: Filesystem,
    owner: str,
    mark: DataMark | None,
    found: Finding | Unreadable,
    partlabel: str | None = None,
    volume: str = "the data volume",
) -> Allowed | Refused:
    """May the host's first boot go ahead with `volume`? With `partlabel` the filesystem is in a partition, which zerotoil never
    makes.
    """
    if mark is None or mark.owner != owner:
        whose = f"is marked as {mark.owner}'s" if mark else "carries no mark of ours"
        return Refused(
            f"{host}: {volume} {whose}",
            "nothing was written; declare another volume, or adopt this one",
            Code.GUARD_NO_MARK,
        )
    if partlabel:
        return _partitioned(host, volume, want, mark, found, partlabel)
    if isinstance(found, Unreadable):
        return _unread(host, volume, want, mark, found)
    if found.other:
        return Refused(
            f"{host}: {volume} holds {found}, expected is {want}",
            "nothing was written: Ignition could reformat such a disk; look at it before you go on",
            Code.GUARD_PARTITION_TABLE if found.is_partitioned else Code.GUARD_OTHER_CONTENT,
        )
    if found.filesystem:
        return _filesystem(host, volume, want, mark, found.filesystem)
    if not found.blank:
        return Refused(
            f"{host}: nothing certain is known about {volume}", "nothing was written; run again", Code.GUARD_UNREADABLE
        )
    return _blank(host, volume, mark)


def _blank(host: str, volume: str, mark: DataMark) -> Allowed | Refused:
    if mark.state is VolumeState.DATA:
        return Refused(
            f"{host}: {volume} held {mark.filesystem} and is empty now",
            "nothing was written; restore a snapshot first",
            Code.GUARD_EMPTY_NOW,
        )
    if mark.adopted:  # only its first and last bytes were looked at, and nobody here knows what it held
        return Refused(
            f"{host}: {volume} was adopted and no filesystem is found on it",
            "nothing was written: the first boot would format it; look at it, or restore a snapshot first",
            Code.GUARD_EMPTY_NOW,
        )
    return Allowed("blank, and created empty by us")


def _partitioned(
    host: str, volume: str, want: Filesystem, mark: DataMark, found: Finding | Unreadable, label: str
) -> Allowed | Refused:
    """Only what a healthy guest had mounted passes, and only when it is found there again: zerotoil never partitions."""
    if isinstance(found, Unreadable):
        return Refused(
            f"{host}: {volume} cannot be read ({found.reason}), expected is a partition {label!r}",
            f"nothing was written; {_MAKE_READABLE}",
            Code.GUARD_UNREADABLE,
        )
    if found.other != GPT:
        return Refused(
            f"{host}: {volume} holds {found}, expected is a GPT with a partition {label!r}",
            "nothing was written: zerotoil never partitions; take data_partlabel out, or partition the volume by hand",
            Code.GUARD_PARTITION,
        )
    recorded = mark.filesystem
    if mark.state is not VolumeState.DATA or recorded is None:
        return Refused(
            f"{host}: the partition {label!r} was never seen mounted by a healthy guest",
            "nothing was written: an empty partition would be formatted; run the deploy with the VM as it is, once",
            Code.GUARD_PARTITION,
        )
    if (recorded.type, recorded.label) != (want.type, want.label):
        return Refused(
            f"{host}: {volume} is recorded as {recorded}, expected is {want}",
            "nothing was written; declare what is there",
            Code.GUARD_FOREIGN_FILESYSTEM,
        )
    if found.partition != recorded:
        return Refused(
            f"{host}: the partition {label!r} holds {found.partition or 'no filesystem that is known'}, recorded is {recorded}",
            "nothing was written; is it another volume?",
            Code.GUARD_PARTITION,
        )
    return Allowed(f"its partition {label!r} holds {recorded}")


def _filesystem(host: str, volume: str, want: Filesystem, mark: DataMark, found: Filesystem) -> Allowed | Refused:
    if (found.type, found.label) != (want.type, want.label):
        return Refused(
            f"{host}: {volume} holds {found}, expected is {want}",
            "nothing was written; declare what is there",
            Code.GUARD_FOREIGN_FILESYSTEM,
        )
    recorded = mark.filesystem
    if mark.state is VolumeState.DATA and (recorded is None or found.uuid != recorded.uuid):
        return Refused(
            f"{host}: {volume} holds {found}, recorded is {recorded or 'no filesystem'}",
            "nothing was written; is it another volume?",
            Code.GUARD_FOREIGN_FILESYSTEM,
        )
    return Allowed(f"holds {found}")


def _unread(host: str, volume: str, want: Filesystem, mark: DataMark, found: Unreadable) -> Allowed | Refused:
    recorded = mark.filesystem
    if mark.adopted:  # a guest had something mounted; that it was this volume is proven only by reading it
        return Refused(
            f"{host}: {volume} was adopted, and it cannot be read now ({found.reason})",
            f"nothing was written; {_MAKE_READABLE}",
            Code.GUARD_UNREADABLE,
        )
    if mark.state is VolumeState.BLANK:
        return Allowed("created empty by us and never booted")
    if mark.state is VolumeState.DATA and recorded and (recorded.type, recorded.label) == (want.type, want.label):
        return Allowed(f"a healthy guest had it mounted as {recorded}")
    if mark.state is VolumeState.DATA:
        return Refused(
            f"{host}: {volume} is recorded as {recorded}, expected is {want}",
            "nothing was written; declare what is there",
            Code.GUARD_FOREIGN_FILESYSTEM,
        )
    return Refused(
        f"{host}: a first boot was started with {volume}, and it cannot be read now ({found.reason})",
        f"nothing was written; {_MAKE_READABLE}",
        Code.GUARD_UNREADABLE,
    )


def check(**known: Any) -> str:
    """Why the first boot may go ahead, by what `verdict` is told. Raises LabError when it may not."""
    answer = verdict(**known)
    if isinstance(answer, Refused):
        raise LabError(answer.what, answer.remedy, code=answer.code)
    return answer.reason
