"""Updates that Keel has found and waits with, until a person says yes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.resources.cluster import kubectl
from zerotoil.resources.guest.guest import Guest


def waiting_lines(host: str, approvals: Sequence[dict[str, Any]] | None) -> Iterator[str]:
    """What waits, and the command that takes it; None: Keel says nothing."""
    if approvals is None:
        yield "! Keel does not answer: no image is kept fresh, and nobody can approve"
        yield f"  look: zerotoil ssh {host} -- sudo k3s kubectl -n keel get pods"
    for one in approvals or ():
        until = f", until {str(one['deadline'])[:16].replace('T', ' ')}" if one.get("deadline") else ""
        yield f"{one['identifier']} waits for your word: {one['from']} -> {one['to']} ({one['votes']} votes{until})"
        yield f"  take it: zerotoil k3s approve {host} {one['identifier']}"


def decide(guest: Guest, identifier: str, *, reject: bool = False) -> str:
    """Take an update, or reject it; what was done, in words. Raises LabError for one that does not wait."""
    answer = kubectl.approve(guest, identifier, "reject" if reject else "approve")
    was, now = answer["was"], answer["now"]
    if was is None:
        raise LabError(f"{guest.name}: Keel does not answer", f"look: zerotoil k3s status {guest.name}", code=Code.CLUSTER_SILENT)
    one = next((item for item in was if item["identifier"] == identifier), None)
    if one is None:
        names = ", ".join(item["identifier"] for item in was) or "nothing"
        raise LabError(f"{guest.name}: no update {identifier} waits", f"what waits: {names}", code=Code.WRONG_OPTION)
    change = f"{identifier}: {one['from']} -> {one['to']}"
    left = next((item for item in now or () if item["identifier"] == identifier), None)
    if now is None or (left and left["votes"] == one["votes"]):
        raise LabError(f"{guest.name}: Keel did not take the word on {change}", "look at its log", code=Code.CHANGE_NOT_MADE)
    if left:
        return f"{change} has {left['votes']} votes"
    return f"{change} is {'rejected' if reject else 'taken: Keel applies it at its next poll'}"
