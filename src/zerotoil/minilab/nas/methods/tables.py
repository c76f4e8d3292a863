"""query, get_instance and the merging of an update, the same for every table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zerotoil.minilab.nas.middleware import METHODS, Middleware
from zerotoil.minilab.nas.state import Row

Extend = Callable[[Middleware, Row], Row]


def readable(table: str, extend: Extend) -> None:
    """Register `table.query` and `table.get_instance`; `extend` makes the shown row of the stored one."""

    def query(nas: Middleware, wanted: Any = None, options: Any = None) -> Any:
        return nas.select([extend(nas, row) for row in nas.state.rows(table)], wanted, options)

    def get_instance(nas: Middleware, number: Any, options: Any = None) -> Any:
        return extend(nas, nas.row(table, number))

    METHODS[f"{table}.query"] = query
    METHODS[f"{table}.get_instance"] = get_instance
