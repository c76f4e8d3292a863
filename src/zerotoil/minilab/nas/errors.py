"""The errors a TrueNAS sends: CallError, validation errors, and refusals of the connection itself.

Source: facts of truenas/middleware on how each one looks in the JSON-RPC and in the legacy framing. An `errno` above
200 is the middleware's own.
"""

from __future__ import annotations

import errno as errnos
from typing import Any

ENOMETHOD = 201
ENOTAUTHENTICATED = 207
MIDDLEWARE_NAMES = {ENOMETHOD: "ENOMETHOD", 206: "EINVALIDRRDTIMESTAMP", ENOTAUTHENTICATED: "ENOTAUTHENTICATED"}

INVALID_REQUEST = -32600
NO_SUCH_METHOD = -32601
INVALID_PARAMS = -32602
INTERNAL = -32603
TOO_MANY = -32000
CALL_ERROR = -32001


def errname(number: int) -> str:
    """The symbolic name the server sends next to an error number."""
    return errnos.errorcode.get(number) or MIDDLEWARE_NAMES.get(number, "UNKNOWN")


class RpcError(Exception):
    """A reply that carries only a JSON-RPC code and a message."""

    def __init__(self, code: int, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(message)

    def data(self) -> dict[str, Any] | None:
        """What goes beside code and message."""
        return None


class CallError(RpcError):
    """The method ran and failed (-32001)."""

    def __init__(self, reason: str, errno: int = errnos.EFAULT, extra: Any = None) -> None:
        super().__init__(CALL_ERROR, "Method call error")
        self.reason, self.errno, self.extra = reason, errno, extra

    def data(self) -> dict[str, Any]:
        """error, errname, reason, trace, extra, as the server sends them."""
        return {
            "error": self.errno,
            "errname": errname(self.errno),
            "reason": f"[{errname(self.errno)}] {self.reason}",
            "trace": {"class": "CallError", "frames": [], "formatted": "", "repr": f"CallError({self.reason!r})"},
            "extra": self.extra,
        }


class ValidationErrors(RpcError):
    """The arguments are wrong (-32602); `extra` holds [attribute, message, errno] rows."""

    def __init__(self, rows: list[tuple[str | None, str, int]]) -> None:
        super().__init__(INVALID_PARAMS, "Invalid params")
        self.rows = rows

    def data(self) -> dict[str, Any]:
        """As CallError.data, with the rows as `extra`."""
        reason = "\n".join(f"[{errname(number)}] {where or 'None'}: {text}" for where, text, number in self.rows)
        return {
            "error": errnos.EINVAL,
            "errname": "EINVAL",
            "reason": reason,
            "trace": {"class": "ValidationErrors", "frames": [], "formatted": "", "repr": "ValidationErrors()"},
            "extra": [list(row) for row in self.rows],
        }


class Problems:
    """Collects validation rows under one argument's name and raises them together."""

    def __init__(self, argument: str) -> None:
        self._argument = argument
        self._rows: list[tuple[str | None, str, int]] = []

    def add(self, field: str, message: str, errno: int = errnos.EINVAL) -> None:
        """Note that `argument.field` is wrong."""
        self._rows.append((f"{self._argument}.{field}", message, errno))

    def check(self) -> None:
        """Raise ValidationErrors if anything was noted."""
        if self._rows:
            raise ValidationErrors(self._rows)


def does_not_exist(what: str) -> ValidationErrors:
    """The reply of get_instance, update and delete for an unknown id."""
    return ValidationErrors([(None, f"{what} does not exist", errnos.ENOENT)])
