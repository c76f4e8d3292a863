"""The middleware: checks a call against the API version's schema, runs the method, records the call.

Methods register themselves with `@method(name)`; they get the Middleware and the arguments with defaults filled in.
Order of the checks (facts of truenas/middleware): known method, login, arguments.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from zerotoil.minilab.nas import filters, schemas
from zerotoil.minilab.nas.errors import (
    CALL_ERROR,
    ENOMETHOD,
    ENOTAUTHENTICATED,
    NO_SUCH_METHOD,
    TOO_MANY,
    CallError,
    RpcError,
    ValidationErrors,
    does_not_exist,
)
from zerotoil.minilab.nas.faults import Faults
from zerotoil.minilab.nas.state import Row, State
from zerotoil.minilab.nas.storage import Storage, StorageError
from zerotoil.minilab.nas.targets import Targets

Method = Callable[..., Any]
Registered = TypeVar("Registered", bound=Method)
METHODS: dict[str, Method] = {}
WITHOUT_LOGIN = {"auth.login_ex", "auth.login_with_api_key"}
WRITES = set(
    [
        "create",
        "update",
        "delete",
        "clone",
        "rollback",
        "rename",
        "promote",
        "hold",
        "release",
        "start",
        "stop",
        "restart",
        "reload",
        "control",
        "send",
        "test",
    ]
)
SECRET_FIELDS = {"secret", "peersecret", "api_key", "password", "pass", "passphrase", "key"}
RELEASES = {"24.10": "TrueNAS-SCALE-24.10.2.4", "25.04": "25.04.2.6", "25.10": "25.10.6", "26": "26.0.0"}


def method(name: str) -> Callable[[Registered], Registered]:
    """Register a function as the method of this name."""

    def register(function: Registered) -> Registered:
        METHODS[name] = function
        return function

    return register


@dataclass
class Session:
    """One connection; `api` is its schema version, such as "v25.10.5"."""

    api: str
    user: str | None = None
    legacy_jobs: bool = True


class Middleware:
    """One NAS. `version` is "24.10", "25.04", "25.10" or "26"."""

    def __init__(
        self,
        version: str,
        storage: Storage,
        targets: Targets,
        users: dict[str, str],
        state: State,
        faults: Faults,
        addresses: list[str],
        calls_log: Path | None = None,
    ) -> None:
        self.version, self.storage, self.targets, self.users = version, storage, targets, users
        self.state, self.faults, self.addresses, self._calls_log = state, faults, addresses, calls_log
        self.calls: list[tuple[str, list[Any]]] = []
        self.writes = 0
        self.jobs: list[Row] = []
        self.late: dict[str, int] = {}  # new volume -> looks until its device node is there
        self._lock = threading.RLock()

    @property
    def release(self) -> str:
        """What system.version says."""
        name = RELEASES[self.version]
        return name if name.startswith("TrueNAS") else f"TrueNAS-{name}"

    def at_least(self, version: str) -> bool:
        """Whether the NAS is of this release or newer."""
        return float(self.version) >= float(version)

    def call(self, session: Session, name: str, positional: list[Any]) -> Any:
        """Run a method. Raises RpcError as the server's answer."""
        with self._lock:
            self._record(name, positional)
            try:
                return self._run(session, name, positional)
            except StorageError as error:
                raise CallError(error.reason, error.errno) from error
            finally:
                self.state.save()

    def _run(self, session: Session, name: str, positional: list[Any]) -> Any:
        if self.faults.take("too_busy"):
            raise RpcError(TOO_MANY, "Too many concurrent calls")
        if not schemas.has(session.api, name) or name not in METHODS:
            if name in METHODS:
                raise CallError(f"Method {name!r} not found in this API version", ENOMETHOD)
            raise RpcError(NO_SUCH_METHOD, "Method does not exist")
        if session.user is None and name not in WITHOUT_LOGIN:
            raise CallError("Not authenticated", ENOTAUTHENTICATED)
        if wrong := schemas.problems(session.api, name, positional):
            raise ValidationErrors([(where or name, text, 22) for where, text in wrong])
        if name in self.faults.fail:
            number, reason = self.faults.fail[name]
            raise CallError(reason, number)
        arguments = schemas.fill_defaults(session.api, name, positional)
        if name.startswith(("auth.", "core.")) or schemas.method(session.api, name).get("job"):
            result = METHODS[name](self, session, *arguments)
            return result if name.startswith("core.get_jobs") or isinstance(result, int) else self._shown(session, name, result)
        return self._shown(session, name, METHODS[name](self, *arguments))

    def _shown(self, session: Session, name: str, result: Any) -> Any:
        return schemas.prune(session.api, name, result)

    def select(self, rows: list[Row], wanted: list[Any] | None, options: Row | None) -> Any:
        """What a `query` method answers."""
        return filters.query(rows, wanted or [], options or {})

    def row(self, table: str, number: Any) -> Row:
        """The stored row, or the server's error for an unknown id."""
        found = self.state.find(table, number)
        if found is None:
            raise does_not_exist(f"{table} {number}")
        return found

    def job(self, session: Session, name: str, arguments: list[Any], work: Callable[[], Any]) -> Any:
        """Run a job at once; answer its id, or its result when the session asked for that."""
        job: Row = {
            "id": 101 + len(self.jobs),
            "message_ids": [],
            "method": name,
            "arguments": arguments,
            "transient": False,
            "description": None,
            "abortable": False,
            "logs_path": None,
            "logs_excerpt": None,
            "progress": {"percent": 100, "description": "", "extra": None},
            "result": None,
            "result_encoding_error": None,
            "error": None,
            "exception": None,
            "exc_info": None,
            "state": "SUCCESS",
            "time_started": date(),
            "time_finished": date(),
            "credentials": None,
            "polls_left": self.faults.job_polls,
        }
        self.jobs.append(job)
        try:
            job["result"] = work()
        except CallError as error:
            job |= {"state": "FAILED", "error": f"[{error.data()['errname']}] {error.reason}", "exception": error.reason}
            job["exc_info"] = {"repr": repr(error), "type": "CallError", "errno": error.errno, "extra": None}
            if not session.legacy_jobs:
                raise
        return job["id"] if session.legacy_jobs else job["result"]

    def _record(self, name: str, positional: list[Any]) -> None:
        shown = ["********"] if name in ("auth.login_with_api_key", "auth.login") else [redacted(p) for p in positional]
        write = name.rpartition(".")[2] in WRITES
        self.calls.append((name, shown))
        self.writes += write
        if self._calls_log is not None:
            line = json.dumps({"time": time.time(), "method": name, "params": shown, "write": write})
            with self._calls_log.open("a") as log:
                log.write(line + "\n")


def redacted(value: Any) -> Any:
    """A copy with the secrets masked."""
    if isinstance(value, dict):
        secret = "mechanism" in value or "secret" in value
        return {k: "********" if k in SECRET_FIELDS and (k != "key" or secret) and v else redacted(v) for k, v in value.items()}
    return [redacted(item) for item in value] if isinstance(value, list) else value


def date(seconds: float | None = None) -> dict[str, int]:
    """A moment as it goes over the wire; now without an argument."""
    return {"$date": int((time.time() if seconds is None else seconds) * 1000)}


__all__ = ["CALL_ERROR", "METHODS", "Middleware", "Session", "date", "method", "redacted"]
