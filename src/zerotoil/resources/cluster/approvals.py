"""The updates that Keel asks its owner about (`major+approve`), and the answer. See scripts/keel.sh.

An identifier is Keel's own: KIND/NAMESPACE/NAME:VERSION. Source: keel.sh/docs, approvals; its HTTP API /v1/approvals.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.wording import near
from zerotoil.resources.guest.guest import Guest
from zerotoil.resources.guest.packaged import sent


@dataclass(frozen=True)
class Approval:
    """One update that waits. `deadline`: when Keel drops the question; None where it does not say."""

    identifier: str
    current: str
    new: str
    received: int
    required: int
    deadline: datetime | None

    @property
    def workload(self) -> str:
        """NAMESPACE/NAME."""
        return self.identifier.rpartition(":")[0].partition("/")[2]

    def __str__(self) -> str:
        until = f", asked until {self.deadline:%Y-%m-%d %H:%M} UTC" if self.deadline else ""
        votes = f", {self.received} of {self.required} votes" if self.required > 1 else ""
        return f"{self.workload}: {self.current} -> {self.new}{votes}{until}"


def question(host: str, one: Approval) -> list[str]:
    """What is asked, and how to answer."""
    return [f"Keel asks: {one}", f"  zerotoil k3s approve {host} {one.workload}, or with --reject"]


def answered(one: Approval, approve: bool) -> str:
    """What was answered, and what comes of it."""
    comes = "approved: Keel updates it at its next look" if approve else "rejected: it stays as it is"
    return f"{one.workload}: {one.current} -> {one.new} is {comes}"


def pending(guest: Guest) -> list[Approval]:
    """What waits for an answer. Raises LabError where Keel does not answer."""
    return _pending(_ask(guest, guest.ask(sent("keel.sh", "list"))))


def answer(guest: Guest, name: str, approve: bool) -> Approval:
    """Approve or reject what waits for a workload (NAMESPACE/NAME) or by its identifier, and read back that it waits no more for
    this voter. Raises LabError for a name that nothing waits for, and where Keel does not answer."""
    waiting = pending(guest)
    found = [one for one in waiting if name in (one.identifier, one.workload, one.workload.partition("/")[2])]
    if len(found) != 1:
        raise _not_one(guest.name, name, found, waiting)
    verb = "approve" if approve else "reject"
    left = _pending(_ask(guest, guest.write(sent("keel.sh", verb, found[0].identifier))))
    now = next((one for one in left if one.identifier == found[0].identifier), None)
    if now and (not approve or now.received <= found[0].received):
        raise LabError(
            f"{guest.name}: Keel took the answer for {found[0].identifier}, and asks all the same",
            f"look: zerotoil ssh {guest.name} -- sudo k3s kubectl -n keel logs deployment/keel",
            code=Code.CHANGE_NOT_MADE,
        )
    return found[0]


def _not_one(host: str, name: str, found: Sequence[Approval], waiting: Sequence[Approval]) -> LabError:
    names = [one.identifier for one in found or waiting]
    meant = None if found else near(name, [*names, *(one.workload for one in waiting)])
    hint = f"did you mean {meant}? " if meant else ""
    return LabError(
        f"{host}: {'more than one' if found else 'no'} update waits for {name}",
        f"{hint}waiting: {', '.join(names) or 'nothing'}",
        code=Code.WRONG_OPTION,
    )


def _ask(guest: Guest, said: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(said)
        if "trouble" not in found:
            return list(found["approvals"])
        why = str(found["trouble"]).strip()
    except (ValueError, KeyError, TypeError):
        why = f"no JSON came back: {said[:200]!r}"
    raise LabError(
        f"{guest.name}: Keel does not answer ({why})",
        f"look: zerotoil ssh {guest.name} -- sudo k3s kubectl -n keel get pods",
        code=Code.KEEL_SILENT,
    )


def _pending(asked: Sequence[dict[str, Any]]) -> list[Approval]:
    made = []
    for one in asked:
        received, required = int(one.get("votesReceived") or 0), int(one.get("votesRequired") or 0)
        deadline = _moment(str(one.get("deadline") or ""))
        over = deadline is not None and deadline < datetime.now(UTC)
        if not (one.get("archived") or one.get("rejected") or received >= required or over):
            new, current = str(one.get("newVersion") or "?"), str(one.get("currentVersion") or "?")
            made.append(Approval(str(one["identifier"]), current, new, received, required, deadline))
    return sorted(made, key=lambda one: one.identifier)


def _moment(written: str) -> datetime | None:
    """RFC 3339, as Keel writes it."""
    try:
        return datetime.fromisoformat(written).astimezone(UTC)
    except ValueError:
        return None
