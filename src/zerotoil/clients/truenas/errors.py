"""What a NAS refuses, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.secret import MASK

TOO_BUSY = -32000  # JSON-RPC: more than 20 calls at once on a connection
_SECRETS = {"secret", "peersecret", "api_key", "password", "pass", "passphrase"}


class NasError(LabError):
    """A call that the NAS refused. `errname` is its POSIX-like name (EINVAL, ENOENT, …) where one was given,
    `rpc_code` JSON-RPC's.

    `fields` maps the attribute that was refused ("iscsi_extent_create.disk") to the NAS's words.
    """

    def __init__(
        self,
        what: str,
        remedy: str = "",
        errname: str = "",
        fields: dict[str, str] | None = None,
        rpc_code: int = 0,
        *,
        code: Code,
    ) -> None:
        super().__init__(what, remedy, code=code)
        self.errname, self.fields, self.rpc_code = errname, fields or {}, rpc_code


def refused(method: str, error: Any, params: list[Any]) -> NasError:
    """From a JSON-RPC error or a legacy one: the method, and each field's own message. Secrets that were sent are masked."""
    error = error if isinstance(error, dict) else {"message": str(error)}
    data = error["data"] if isinstance(error.get("data"), dict) else error
    extra = data.get("extra") if isinstance(data.get("extra"), list) else []
    found = [(str(item[0] or ""), str(item[1])) for item in extra if isinstance(item, list) and len(item) > 1]
    problems = [(field, _masked(text, params)) for field, text in found]
    said = "; ".join(f"{field}: {text}" if field else text for field, text in problems)
    said = said or _masked(str(data.get("reason") or error.get("message") or error), params)
    remedy = "it is busy: run again" if error.get("code") == TOO_BUSY else "look at the NAS, then run again"
    errname, number = str(data.get("errname") or ""), error.get("code", 0)
    return NasError(f"the NAS refuses {method} ({said})", remedy, errname, dict(problems), number, code=Code.NAS_REFUSED)


def _masked(text: str, params: list[Any]) -> str:
    for secret in _secrets(params):
        text = text.replace(secret, MASK)
    return text


def _secrets(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (str(inner) for name, inner in value.items() if name in _SECRETS and inner)
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _secrets(inner)
