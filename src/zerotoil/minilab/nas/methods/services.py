"""service.*: iscsitarget is served for real, the others only have a row.

`silent` is true by default: then a failed control answers false instead of an error (facts of truenas/middleware).
"""

from __future__ import annotations

import errno
from typing import Any

from zerotoil.minilab.nas.errors import CallError, does_not_exist
from zerotoil.minilab.nas.methods.serving import serve
from zerotoil.minilab.nas.middleware import METHODS, Middleware, Session, method
from zerotoil.minilab.nas.state import Row


@method("service.query")
def query(nas: Middleware, wanted: Any = None, options: Any = None) -> Any:
    """All services."""
    return nas.select([_shown(row) for row in nas.state.data["services"]], wanted, options)


@method("service.get_instance")
def get_instance(nas: Middleware, number: Any, options: Any = None) -> Row:
    """By id."""
    return _shown(_service(nas, number))


@method("service.update")
def update(nas: Middleware, name: Any, data: Row | None = None) -> int:
    """Whether it starts at boot; answers an id, not a row."""
    row = _service(nas, name)
    row["enable"] = bool((data or {}).get("enable", False))
    return int(row["id"])


@method("service.control")
def control(nas: Middleware, session: Session, verb: str, name: str, options: Row) -> Any:
    """A job."""
    return nas.job(session, "service.control", [verb, name, options], lambda: _control(nas, verb, name, options))


def _register(verb: str) -> None:
    def run(nas: Middleware, name: str, options: Row | None = None) -> bool:
        return _control(nas, verb.upper(), name, options or {})

    METHODS[f"service.{verb}"] = run


for _verb in ("start", "stop", "restart", "reload"):
    _register(_verb)


def _control(nas: Middleware, verb: str, name: str, options: Row) -> bool:
    row = next((row for row in nas.state.data["services"] if row["service"] == name), None)
    if row is None:
        raise CallError(f"service {name} does not exist", errno.ENOENT)
    failure = "simulated failure" if nas.faults.control_returns_false else ""
    if not failure:
        row["running"] = verb != "STOP" if verb != "RELOAD" else row["running"]
        try:
            serve(nas)
        except OSError as error:
            failure = str(error)
    if failure and not options.get("silent", True):
        raise CallError(f"{name} service: {verb.lower()} failed: {failure}", errno.EFAULT)
    return not failure


def _service(nas: Middleware, name: Any) -> Row:
    for row in nas.state.data["services"]:
        if name in (row["id"], row["service"], str(row["id"])):
            found: Row = row
            return found
    raise does_not_exist(f"Service {name}")


def _shown(row: Row) -> Row:
    running = row["running"]
    return {
        "id": row["id"],
        "service": row["service"],
        "enable": row["enable"],
        "state": "RUNNING" if running else "STOPPED",
        "pids": [4000 + row["id"]] if running else [],
    }
