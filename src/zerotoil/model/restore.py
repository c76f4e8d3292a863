"""The names of a snapshot that is looked at beside the data: of its clone, its target, its disk. Pure.

All follow from the host and NAME, so that what an interrupted run left is found again without any note.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.spec import HostSpec
from zerotoil.model.volumes import FIRST, Volume, volume

FOLDER = "/var/mnt/restore"
SERIAL = "zr-"  # what the serials of such disks begin with
LONGEST = 24  # characters of NAME: it is part of the names of a target, an extent and a pool
_WORD = "-restore-"
_EXTENT, _TARGET = 64, 120  # what TrueNAS allows


@dataclass(frozen=True)
class Restore:
    """One NAME of one host. `volume`: what it is a snapshot of; it matters only where the clone and its filesystem do."""

    spec: HostSpec
    name: str
    volume: str = FIRST

    @property
    def of(self) -> Volume:
        """The volume that it is a snapshot of."""
        return volume(self.spec, self.volume)

    def clone_of(self, volume: str) -> str:
        """The clone, beside the volume."""
        return f"{volume}{_WORD}{self.name}"

    @property
    def comment(self) -> str:
        """The extent's comment: our mark on it."""
        return f"{comment_prefix(self.spec)}{self.name}"

    @property
    def extent(self) -> str:
        """The extent's name."""
        return _within(self.spec.iscsi.extent, f"{_WORD}{self.name}", _EXTENT)

    @property
    def target(self) -> str:
        """The target's name."""
        return _within(_as_target(self.spec), f"{_WORD}{self.name}", _TARGET)

    @property
    def pool(self) -> str:
        """libvirt's pool that logs in to the target (block form)."""
        return f"{self.spec.iscsi_pool}{_WORD}{self.name}"

    @property
    def serial(self) -> str:
        """The disk's serial: as short as virtio keeps one, whatever NAME is."""
        return SERIAL + hashlib.sha256(self.name.encode()).hexdigest()[:12]

    @property
    def folder(self) -> str:
        """Where the guest mounts it."""
        return f"{FOLDER}/{self.name}"


def comment_prefix(spec: HostSpec) -> str:
    """What the comments of the host's extents of this kind begin with."""
    return f"zerotoil {spec.owner} restore "


def name_in(text: str, prefix: str) -> str:
    """The NAME in a name made from `prefix` (a volume, a target, a pool); empty where there is none."""
    name = text.removeprefix(f"{prefix}{_WORD}") if text.startswith(f"{prefix}{_WORD}") else ""
    return name if is_name(name) else ""


def name_of_target(spec: HostSpec, target: str) -> str:
    """The NAME in a target's name, with or without the NAS's base name before it; empty where there is none."""
    found = re.fullmatch(rf"(?:.*:)?{re.escape(_as_target(spec))}{_WORD}(.+)", target)
    return found[1] if found and is_name(found[1]) else ""


def is_name(name: str) -> bool:
    """May a restore be called so?"""
    return bool(re.fullmatch(rf"[a-z0-9]([a-z0-9-]{{0,{LONGEST - 2}}}[a-z0-9])?", name))


def check_name(name: str) -> str:
    """The name. Raises LabError."""
    if not is_name(name):
        raise LabError(
            f"{name!r} is no name of a restore",
            f"use a-z, 0-9 and '-' inside, at most {LONGEST}, for instance yesterday",
            code=Code.WRONG_OPTION,
        )
    return name


def default_name(snapshot: str, volume: str = FIRST) -> str:
    """A snapshot's name made safe, behind that of its volume where it is not the data volume: one snapshot of a host has one
    name on all of them. Too long a one loses its first words: the time at the end tells snapshots apart.
    """
    before = "" if volume == FIRST else f"{volume}-"
    longest = LONGEST - len(before)
    name = re.sub(r"[^a-z0-9]+", "-", snapshot.lower()).strip("-")
    while len(name) > longest and "-" in name:
        name = name.partition("-")[2]
    return before + (name[:longest].strip("-") or "snapshot"[:longest])


def _as_target(spec: HostSpec) -> str:
    return re.sub(r"[^-a-z0-9.:]", "-", spec.iscsi.target.lower())


def _within(base: str, end: str, longest: int) -> str:
    """Both together; too long a base is cut, and told apart from others by a hash."""
    room = longest - len(end)
    if len(base) <= room:
        return base + end
    return f"{base[: room - 9]}-{hashlib.sha256(base.encode()).hexdigest()[:8]}{end}"
