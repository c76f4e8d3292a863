"""The one shape of everything that is kept as declared: observe -> diff -> apply -> observe again."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

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
        if self.action is Action.CREATE:
            return f"{self.resource}: create {self.field} {self.after}".rstrip()
        return f"{self.resource}: {self.field} {self.before} -> {self.after}"


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
        )
