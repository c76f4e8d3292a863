"""The base of every group of keys."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A group of keys with one prefix. Unknown keys never get here: the inventory names the nearest known one."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True)


class Wrong(ValueError):
    """A rule over several fields is broken. `field` is the one to look at, so that the message can name key and line."""

    def __init__(self, what: str, *field: str | int) -> None:
        self.field = field
        super().__init__(what)
