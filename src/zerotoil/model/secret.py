"""Secrets: they compare and travel, and print as asterisks wherever text is made."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator

from zerotoil.error_codes import Code
from zerotoil.errors import LabError

MASK = "********"


class Secret:
    """A secret by value (`Secret("…")`) or by source (`file:PATH`, `env:NAME`), read when it is needed."""

    __slots__ = ("_source", "_value")

    def __init__(self, value: str | None = None, *, source: str = "") -> None:
        self._value = value
        self._source = source

    @classmethod
    def parse(cls, given: Any) -> Secret:
        """Take a `Secret`, "file:PATH" or "env:NAME"; a literal is refused, since inventories are committed."""
        if isinstance(given, Secret):
            return given
        if isinstance(given, str) and given.partition(":")[0] in ("file", "env") and given.partition(":")[2]:
            return cls(source=given)
        raise ValueError('a secret is not written in the inventory; write "file:PATH", "env:NAME" or Secret(…)')

    @property
    def source(self) -> str:
        """Where it is read from ("file:PATH", "env:NAME"); empty for a secret by value."""
        return self._source

    @property
    def literal(self) -> str | None:
        """The value when it was given as such; None when it waits in a file or a variable."""
        return self._value

    def reveal(self) -> str:
        """The secret itself. Raises LabError when its file or variable cannot be read or is readable by others."""
        if self._value is not None:
            return self._value
        kind, _, where = self._source.partition(":")
        value = os.environ.get(where, "") if kind == "env" else _read_private(Path(where).expanduser())
        if not value:
            raise LabError(f"the secret {self._source} is empty or missing", "put the secret there", code=Code.SECRET_UNREADABLE)
        return value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.reveal() == other.reveal()

    def __hash__(self) -> int:
        return hash(self._source or MASK)

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__


def _read_private(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise LabError(f"the secret file {path} is readable by others", f"chmod 600 {path}", code=Code.SECRET_OPEN_TO_OTHERS)
        return path.read_text().strip()
    except OSError as error:
        raise LabError(
            f"the secret file {path} cannot be read ({error.strerror})", "create it with mode 0600", code=Code.SECRET_UNREADABLE
        ) from error


SecretKey = Annotated[Secret, BeforeValidator(Secret.parse)]
