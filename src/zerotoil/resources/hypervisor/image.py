"""What the hypervisor layer needs of an OS image on the controller."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class LocalImage(Protocol):
    """A verified qcow2 file; `virtual_size` in bytes."""

    @property
    def path(self) -> Path:
        """The file."""

    @property
    def release(self) -> str:
        """The release, such as 44.20260802.3.1."""

    @property
    def sha256(self) -> str:
        """SHA-256 of the file."""

    @property
    def virtual_size(self) -> int:
        """Size of the disk that a VM sees."""
