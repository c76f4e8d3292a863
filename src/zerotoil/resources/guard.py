"""The guard in front of every first boot: is this data volume ours, and does it hold what is expected? Pure.

Refusal is the answer to every doubt (docs/architecture.md, "Data is sacred").
"""

from __future__ import annotations

from dataclasses import dataclass

from zerotoil.clients.device import Unreadable
from zerotoil.errors import LabError
from zerotoil.model.data_volume import DataMark, Filesystem, Finding, VolumeState
from zerotoil.model.spec import HostSpec


@dataclass(frozen=True)
class Allowed:
    """The VM may boot with the volume."""

    reason: str


@dataclass(frozen=True)
class Refused:
    """The VM may not boot with the volume: what was found, and what to do."""

    what: str
    remedy: str


def expected(spec: HostSpec) -> Filesystem:
    """The filesystem that is declared (its UUID is known only to the mark)."""
    return Filesystem(spec.data.filesystem, spec.data.label)


def verdict(*, host: str, want: Filesystem, owner: str, mark: DataMark | None, found: Finding | Unreadable) -> Allowed | Refused:
    """May the host's first boot go ahead?"""
    if mark is None or mark.owner != owner:
        whose = f"is marked as {mark.owner}'s" if mark else "carries no mark of ours"
        return Refused(f"{host}: the data volume {whose}", "nothing was written; declare another volume, or adopt this one")
    if isinstance(found, Unreadable):
        return _unread(host, want, mark, found)
    if found.other:
        return Refused(
            f"{host}: the data volume holds {found}, expected is {want}",
            "nothing was written: Ignition could reformat such a disk; look at it before you go on",
        )
    if found.filesystem:
        return _filesystem(host, want, mark, found.filesystem)
    if not found.blank:
        return Refused(f"{host}: nothing certain is known about the data volume", "nothing was written; run again")
    if mark.state is VolumeState.DATA:
        return Refused(
            f"{host}: the data volume held {mark.filesystem} and is empty now", "nothing was written; restore a snapshot first"
        )
    return Allowed("blank, and created empty by us")


def _filesystem(host: str, want: Filesystem, mark: DataMark, found: Filesystem) -> Allowed | Refused:
    if (found.type, found.label) != (want.type, want.label):
        return Refused(f"{host}: the data volume holds {found}, expected is {want}", "nothing was written; declare what is there")
    recorded = mark.filesystem
    if mark.state is VolumeState.DATA and (recorded is None or found.uuid != recorded.uuid):
        return Refused(
            f"{host}: the data volume holds {found}, recorded is {recorded or 'no filesystem'}",
            "nothing was written; is it another volume?",
        )
    return Allowed(f"holds {found}")


def _unread(host: str, want: Filesystem, mark: DataMark, found: Unreadable) -> Allowed | Refused:
    recorded = mark.filesystem
    if mark.state is VolumeState.BLANK:
        return Allowed("created empty by us and never booted")
    if mark.state is VolumeState.DATA and recorded and (recorded.type, recorded.label) == (want.type, want.label):
        return Allowed(f"a healthy guest had it mounted as {recorded}")
    if mark.state is VolumeState.DATA:
        return Refused(
            f"{host}: the data volume is recorded as {recorded}, expected is {want}", "nothing was written; declare what is there"
        )
    return Refused(
        f"{host}: a first boot was started with the data volume, and it cannot be read now ({found.reason})",
        "nothing was written; make it readable on the hypervisor (qemu-utils, qemu-block-extra or open-iscsi), then run again",
    )


def check(*, host: str, want: Filesystem, owner: str, mark: DataMark | None, found: Finding | Unreadable) -> str:
    """Why the first boot may go ahead. Raises LabError when it may not."""
    answer = verdict(host=host, want=want, owner=owner, mark=mark, found=found)
    if isinstance(answer, Refused):
        raise LabError(answer.what, answer.remedy)
    return answer.reason
