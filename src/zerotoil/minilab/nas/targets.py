"""What the iSCSI tables mean on the wire, and who serves it: NoTargets here, Tgt in tgt.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Lun:
    """A backing file or device; size in bytes."""

    path: Path
    serial: str
    readonly: bool = False


@dataclass(frozen=True)
class Target:
    """`initiators` empty: everyone may log in. `accounts`: CHAP (user, secret); `outgoing`: mutual CHAP."""

    tid: int
    iqn: str
    luns: dict[int, Lun] = field(default_factory=dict)
    initiators: frozenset[str] = frozenset()
    accounts: tuple[tuple[str, str], ...] = ()
    outgoing: tuple[str, str] | None = None


class Targets(Protocol):
    """An iSCSI server. `first_lun` is the lowest LUN that it can serve."""

    first_lun: int

    def apply(self, wanted: list[Target]) -> None:
        """Serve exactly these. Raises OSError when the server refuses."""

    def connected(self, iqn: str) -> list[str]:
        """Names of the initiators that are logged in to this target."""


class NoTargets:
    """Serves nothing; `sessions` (target IQN -> initiators) may be set by a test, `applied` shows the last request."""

    first_lun = 0

    def __init__(self) -> None:
        self.sessions: dict[str, list[str]] = {}
        self.applied: list[Target] = []

    def apply(self, wanted: list[Target]) -> None:
        self.applied = wanted

    def connected(self, iqn: str) -> list[str]:
        return self.sessions.get(iqn, [])
