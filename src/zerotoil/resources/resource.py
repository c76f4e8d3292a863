"""The one shape of everything that is kept as declared: observe -> diff -> apply -> observe again."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from zerotoil.error_codes import Code
from zerotoil.errors import LabError


class Risk(StrEnum):
    """What a change can do to the running lab."""

    SAFE = "safe"
    RESTART = "restart"
    DESTRUCTIVE = "destructive"


class Action(StrEnum):
    """What happens to a resource."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True)
class Change:
    """One field of one resource: `resource` is the natural key in words ("target matrix"), values are printable."""

    resource: str
    action: Action
    field: str
    before: Any
    after: Any
    risk: Risk = Risk.SAFE

    def __str__(self) -> str:
        if self.is_text:
            lines = sum(line[:1] in "+-" for line in self.text_diff())
            return f"{self.resource}: {self.field} ({lines} lines differ)"
        if self.action is Action.CREATE:
            return f"{self.resource}: create {self.field} {self.after}".rstrip()
        return f"{self.resource}: {self.field} {self.before} -> {self.after}"

    @property
    def is_text(self) -> bool:
        """Is this a text artefact, of which a diff says more than its two values?"""
        return any(isinstance(value, str) and "\n" in value for value in (self.before, self.after))

    def text_diff(self) -> list[str]:
        """The unified diff of a text artefact, without its file names."""
        old, new = (str(value or "").splitlines() for value in (self.before, self.after))
        return list(difflib.unified_diff(old, new, lineterm="", n=2))[2:]


class Kind(StrEnum):
    """Why something is worth knowing though no deploy would change it."""

    DEFERRED = "deferred"  # written to the definition, waits for the VM's next start
    REPROVISION = "reprovision needed"  # Ignition runs once: only a new OS disk brings this
    UPDATE = "update available"
    HELD = "held back"  # what was put back, and stays until it is released
    STALE = "stale"  # nothing has looked for updates, or found any, for long
    UNSAVED = "snapshot missing"  # the schedule of a data volume makes none
    EXPIRING = "expiring"  # a certificate
    UNREADY = "not ready"  # pods of a workload in a cluster, whoever changed it last
    RISKY = "risky"  # declared, and it may hurt one day
    ENDPOINT = "endpoint"  # a name on the tailnet
    KEPT = "kept"  # declared no more, and left there: it holds data
    FOREIGN = "set by others"  # fields of an object in a cluster that nothing declares


@dataclass(frozen=True)
class Notice:
    """Something that differs and is not drift: what, and the command that brings it about. `changes` say it by field."""

    resource: str
    kind: Kind
    what: str
    command: str
    changes: tuple[Change, ...] = ()

    def __str__(self) -> str:
        return f"{self.resource}: {self.kind}: {self.what} ({self.command})"


class Resource(Protocol):
    """One thing kept as declared on one server.

    `plan` reads (from the server's shared, bulk-cached queries) and diffs only what the owner declared: an empty list
    means no write. `apply` reads afresh, writes what differs, reads back and raises LabError when the server did not do
    what it said. Both raise LabError for expected failures, and never touch what a person made by hand.
    """

    @property
    def key(self) -> str:
        """The natural key in words, such as "snapshot task tank/lab/matrix"."""

    def plan(self) -> list[Change]:
        """The changes that are needed now."""

    def apply(self) -> list[Change]:
        """Make it so; returns the changes that were made."""


def created(resource: str, fields: dict[str, Any]) -> list[Change]:
    """The changes that make a resource that is absent, field by field."""
    return [Change(resource, Action.CREATE, field, None, value) for field, value in fields.items()]


def updated(resource: str, want: dict[str, Any], have: dict[str, Any], restart: frozenset[str] = frozenset()) -> list[Change]:
    """The declared fields that differ. Fields that only the server knows are not drift."""
    return [
        Change(resource, Action.UPDATE, field, have.get(field), value, Risk.RESTART if field in restart else Risk.SAFE)
        for field, value in want.items()
        if have.get(field) != value
    ]


def must_match(resource: str, left: list[Change]) -> None:
    """Raise LabError when, read back after a write, the server differs from what was asked."""
    if left:
        raise LabError(
            f"{resource}: the server accepted the change but did not make it ({'; '.join(map(str, left))})",
            "look at the server's own log, then run again",
            code=Code.CHANGE_NOT_MADE,
        )
