"""From the iSCSI tables to what is served."""

from __future__ import annotations

from pathlib import Path

from zerotoil.minilab.nas.errors import CallError
from zerotoil.minilab.nas.middleware import Middleware
from zerotoil.minilab.nas.state import Row
from zerotoil.minilab.nas.storage import StorageError
from zerotoil.minilab.nas.targets import Lun, Target


def running(nas: Middleware) -> bool:
    """Whether the iSCSI service runs."""
    return any(row["running"] for row in nas.state.data["services"] if row["service"] == "iscsitarget")


def serve(nas: Middleware) -> None:
    """Let the iSCSI server serve the tables, or nothing while the service is stopped. Raises OSError."""
    nas.targets.apply([_target(nas, row) for row in nas.state.rows("iscsi.target")] if running(nas) else [])


def reload(nas: Middleware) -> None:
    """What every iSCSI write ends with."""
    if running(nas):
        try:
            serve(nas)
        except OSError as error:
            raise CallError(f"iscsitarget: reload failed: {error}") from error


def iqn(nas: Middleware, name: str) -> str:
    """The full name of a target."""
    full = name.startswith(("iqn.", "eui.", "naa."))
    return name if full else f"{nas.state.data['global']['basename']}:{name}"


def connected(nas: Middleware, target: int) -> list[str]:
    """Initiators that are logged in to the target with this id."""
    row = nas.state.find("iscsi.target", target)
    return nas.targets.connected(iqn(nas, row["name"])) if row and running(nas) else []


def _target(nas: Middleware, row: Row) -> Target:
    luns = {}
    for mapping in nas.state.rows("iscsi.targetextent"):
        if mapping["target"] == row["id"] and (lun := _lun(nas, mapping["extent"])):
            luns[mapping["lunid"]] = lun
    names: set[str] = set()
    accounts: list[tuple[str, str]] = []
    outgoing = None
    for group in row["groups"]:
        allowed = nas.state.find("iscsi.initiator", group["initiator"])
        names |= set(allowed["initiators"]) if allowed else set()
        for auth in nas.state.rows("iscsi.auth") if group["authmethod"] != "NONE" else ():
            if auth["tag"] == group["auth"]:
                accounts.append((auth["user"], auth["secret"]))
                if group["authmethod"] == "CHAP_MUTUAL" and auth["peeruser"]:
                    outgoing = (auth["peeruser"], auth["peersecret"])
    return Target(row["rel_tgt_id"], iqn(nas, row["name"]), luns, frozenset(names), tuple(accounts), outgoing)


def _lun(nas: Middleware, number: int) -> Lun | None:
    extent = nas.state.find("iscsi.extent", number)
    if extent is None or not extent["enabled"]:
        return None
    try:
        path: Path | None = nas.storage.device(extent["disk"].removeprefix("zvol/"))
    except StorageError:
        return None
    return Lun(path or Path("/dev") / extent["disk"], extent["serial"], extent["ro"])
