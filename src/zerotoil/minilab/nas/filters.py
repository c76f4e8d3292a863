"""Query filters and options of the middleware's `query` methods.

Filters: `[field, op, value]` rows (joined by AND) and `["OR", [...]]`; fields are dotted; an op prefixed with `C`
ignores case. Options: select, order_by (`-x`, `nulls_first:x`, `nulls_last:x`), count, get, offset, limit.
Source: facts of truenas/middleware's filter_list; nothing here does I/O.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Callable
from typing import Any

from zerotoil.minilab.nas.errors import CallError

Row = dict[str, Any]

OPS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda x, y: bool(x == y),
    "!=": lambda x, y: bool(x != y),
    ">": lambda x, y: x is not None and bool(x > y),
    ">=": lambda x, y: x is not None and bool(x >= y),
    "<": lambda x, y: x is not None and bool(x < y),
    "<=": lambda x, y: x is not None and bool(x <= y),
    "~": lambda x, y: x is not None and re.match(y, x) is not None,
    "in": lambda x, y: x in y,
    "nin": lambda x, y: x not in y,
    "rin": lambda x, y: x is not None and y in x,
    "rnin": lambda x, y: x is not None and y not in x,
    "^": lambda x, y: x is not None and x.startswith(y),
    "!^": lambda x, y: x is not None and not x.startswith(y),
    "$": lambda x, y: x is not None and x.endswith(y),
    "!$": lambda x, y: x is not None and not x.endswith(y),
}


def query(rows: list[Row], filters: list[Any], options: Row) -> Any:
    """A list of rows, one row (`get`) or a number (`count`). Raises CallError EINVAL as the server does."""
    found = [row for row in rows if _matches(row, filters)]
    for key in reversed(options.get("order_by") or []):
        found = _ordered(found, key)
    if options.get("count"):
        return len(found)
    if options.get("get"):
        if not found:
            raise CallError("MatchNotFound()", errno.EINVAL)
        return _select(found[0], options)
    found = found[options.get("offset") or 0 :]
    if options.get("limit"):
        found = found[: options["limit"]]
    return [_select(row, options) for row in found]


def lookup(row: Any, field: str) -> Any:
    """The value at a dotted path (list indexes allowed); None where the path ends early."""
    for part in field.replace("\\.", "\0").split("."):
        part = part.replace("\0", ".")
        if isinstance(row, dict):
            row = row.get(part)
        elif isinstance(row, list) and part.isdigit() and int(part) < len(row):
            row = row[int(part)]
        else:
            return None
    return row


def _matches(row: Row, filters: list[Any]) -> bool:
    return all(_matches_one(row, entry) for entry in filters)


def _matches_one(row: Row, entry: Any) -> bool:
    if not isinstance(entry, list) or len(entry) not in (2, 3):
        raise CallError(f"Invalid filter {entry}", errno.EINVAL)
    if len(entry) == 2:
        if entry[0] != "OR":
            raise CallError(f"Invalid operation: {entry[0]}", errno.EINVAL)
        return any(_matches(row, alt) if alt and isinstance(alt[0], list) else _matches_one(row, alt) for alt in entry[1])
    field, op, wanted = entry
    have = lookup(row, field)
    if op.startswith("C"):
        op, have, wanted = op[1:], _folded(have), _folded(wanted)
    if op not in OPS:
        raise CallError(f"Invalid operation: {op}", errno.EINVAL)
    try:
        return OPS[op](have, wanted)
    except TypeError as error:
        raise CallError(f"Invalid filter {entry}: {error}", errno.EINVAL) from error


def _folded(value: Any) -> Any:
    if isinstance(value, str):
        return value.casefold()
    return [_folded(item) for item in value] if isinstance(value, list) else value


def _ordered(rows: list[Row], key: str) -> list[Row]:
    nulls_first = key.startswith("nulls_first:")
    field = key.removeprefix("nulls_first:").removeprefix("nulls_last:")
    reverse = field.startswith("-")
    field = field.removeprefix("-")
    full = sorted((r for r in rows if lookup(r, field) is not None), key=lambda r: lookup(r, field), reverse=reverse)
    empty = [r for r in rows if lookup(r, field) is None]
    return empty + full if nulls_first else full + empty


def _select(row: Row, options: Row) -> Row:
    fields = options.get("select") or []
    if not fields:
        return row
    out: Row = {}
    for field in fields:
        source, name = (field[0], field[1]) if isinstance(field, list) else (field, field)
        target = out
        *parents, last = name.split(".")
        for parent in parents:
            target = target.setdefault(parent, {})
        target[last] = lookup(row, source)
    return out
