"""What is known about a data volume: the mark kept on the zvol, and what a look at the device found.

The mark lives in ZFS user properties of the zvol and nowhere else (`zerotoil:owner`, `zerotoil:state`, …).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class VolumeState(StrEnum):
    """How far a data volume has come."""

    BLANK = "blank"  # we created it empty and no machine has booted with it
    FIRST_BOOT = "first-boot"  # a first boot was started: it may hold a filesystem now
    DATA = "data"  # a healthy guest had it mounted; filesystem, label and UUID are known


@dataclass(frozen=True)
class Filesystem:
    """A filesystem as blkid names it."""

    type: str
    label: str = ""
    uuid: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.type, f'"{self.label}"' if self.label else "", self.uuid) if part)


@dataclass(frozen=True)
class DataMark:
    """Our mark on a zvol. `owner` is "LAB/HOST"; `filesystem` is known once `state` is DATA.

    `adopted`: made by somebody else, so it was never known to be blank, whatever its first and last bytes say.
    """

    owner: str
    state: VolumeState
    filesystem: Filesystem | None = None
    adopted: bool = False


GPT = "a gpt partition table"


@dataclass(frozen=True)
class Finding:
    """What reading the device found: nothing at all (`blank`), one filesystem, or anything else in words.

    `partition` is the filesystem in the one partition of the declared label, where such a label is declared.
    """

    blank: bool = False
    filesystem: Filesystem | None = None
    other: str = ""  # GPT, "LVM2_member", "two signatures: …"
    partition: Filesystem | None = None

    @property
    def is_partitioned(self) -> bool:
        """Is there a partition table, of whatever kind?"""
        return self.other.endswith(" partition table")

    def __str__(self) -> str:
        return "nothing (blank)" if self.blank else str(self.filesystem) if self.filesystem else self.other
