"""The small protocol between the middleware's rules and what holds the data.

`MemoryStorage` (memory.py) and `ZfsStorage` (zfs.py) implement it. One storage is one pool. A storage does single
steps on single objects; recursion, property inheritance as shown to clients, and who may do what are the caller's.
"""

from __future__ import annotations

import errno as errnos
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


class StorageError(Exception):
    """A step that ZFS refused; `errno` says why (EBUSY, EEXIST, ENOENT, ...)."""

    def __init__(self, reason: str, errno: int = errnos.EFAULT) -> None:
        self.reason, self.errno = reason, errno
        super().__init__(reason)


@dataclass(frozen=True)
class Pool:
    """Sizes in bytes."""

    name: str
    guid: str
    size: int
    allocated: int
    free: int


@dataclass(frozen=True)
class Dataset:
    """A filesystem, or a volume (volsize > 0). `local` holds only what was set here, by ZFS property name."""

    name: str
    volsize: int = 0
    volblocksize: int = 0
    local: dict[str, str] = field(default_factory=dict)
    origin: str = ""
    creation: int = 0  # seconds since 1970
    available: int = 0
    used: int = 0
    usedbysnapshots: int = 0
    mountpoint: str = ""


@dataclass(frozen=True)
class Snapshot:
    """`name` is dataset@snapshot; `createtxg` orders snapshots of a pool."""

    name: str
    createtxg: int
    creation: int
    used: int = 0
    referenced: int = 0
    holds: tuple[str, ...] = ()
    clones: tuple[str, ...] = ()
    local: dict[str, str] = field(default_factory=dict)

    @property
    def dataset(self) -> str:
        return self.name.partition("@")[0]


class Storage(Protocol):
    """Every method raises StorageError when ZFS refuses."""

    def pool(self) -> Pool: ...
    def datasets(self) -> list[Dataset]: ...
    def snapshots(self) -> list[Snapshot]: ...
    def create(self, name: str, properties: dict[str, str], volsize: int = 0, volblocksize: int = 0) -> None:
        """A filesystem, or a sparse volume when volsize is given."""

    def set(self, name: str, properties: dict[str, str | None]) -> None:
        """Set local properties of a dataset or snapshot; None means inherit again."""

    def grow(self, name: str, volsize: int) -> None: ...
    def destroy(self, name: str) -> None:
        """One dataset without children and snapshots."""

    def rename(self, name: str, new: str) -> None: ...
    def promote(self, name: str) -> None: ...
    def snapshot(self, names: list[str], properties: dict[str, str]) -> None:
        """All of them at the same moment; names are dataset@snapshot."""

    def destroy_snapshot(self, name: str, defer: bool = False) -> None: ...
    def clone(self, snapshot: str, target: str, properties: dict[str, str]) -> None: ...
    def rollback(self, snapshot: str) -> None:
        """To the newest snapshot of its dataset."""

    def hold(self, snapshot: str) -> None: ...
    def release(self, snapshot: str) -> None: ...
    def device(self, name: str) -> Path | None:
        """The file or block device behind a volume; None where there is none (memory)."""
