"""What all kinds on the NAS share: find by natural key, compare declared fields, write, read back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from zerotoil.clients.truenas import Nas
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.resources.resource import Change, created, must_match, updated

Entry = dict[str, Any]


@dataclass(frozen=True)
class Kept:
    """One object on the NAS. A kind says how it is found, what is declared, and what is sent."""

    nas: Nas
    adopt: bool = field(default=False, kw_only=True)  # somebody else made it: it is found, never made
    kind: ClassVar[str]
    create_only: ClassVar[frozenset[str]] = frozenset()  # sent when it is made, then left to whoever changes it

    @property
    def key(self) -> str:
        """The natural key in words."""
        raise NotImplementedError

    def find(self) -> Entry | None:
        """The server's entry, by natural key."""
        raise NotImplementedError

    def declared(self) -> dict[str, Any]:
        """The declared fields, printable."""
        raise NotImplementedError

    def observed(self, entry: Entry) -> dict[str, Any]:
        """The same fields of a server's entry."""
        raise NotImplementedError

    def payload(self) -> dict[str, Any]:
        """What is sent. The server refuses unknown fields, so never what a query returned."""
        raise NotImplementedError

    def check(self, entry: Entry | None) -> None:
        """Raise LabError where the declaration cannot or must not be met."""

    def _refuse(self, entry: Entry | None) -> None:
        if self.adopt and entry is None:
            raise LabError(
                f"{self.key} is not there to be adopted",
                "check its name in the inventory; with vm_adopt nothing of the kind is made",
                code=Code.NOT_THERE_TO_ADOPT,
            )
        self.check(entry)

    def diff(self, entry: Entry | None) -> list[Change]:
        """Pure: the declared fields that differ."""
        if entry is None:
            return created(self.key, self.declared())
        return updated(self.key, self.declared(), self.observed(entry))

    def plan(self) -> list[Change]:
        """The changes that are needed now."""
        entry = self.find()
        self._refuse(entry)
        return self.diff(entry)

    def apply(self) -> list[Change]:
        """Read afresh, write what differs, read back. One host at a time per NAS: some objects are shared."""
        with self.nas.lock:
            self.nas.forget()
            entry = self.find()
            self._refuse(entry)
            changes = self.diff(entry)
            if changes:
                self.write(entry)
                must_match(self.key, self.plan())
            return changes

    def write(self, entry: Entry | None) -> None:
        """Create, or update the entry that is there."""
        if entry is None:
            self.nas.write(f"{self.kind}.create", self.payload())
        else:
            changed = {name: value for name, value in self.payload().items() if name not in self.create_only}
            self.nas.write(f"{self.kind}.update", entry["id"], changed)
