"""Waiting until a node of k3s is ready: images are pulled, and one that joins waits for the first server."""

from __future__ import annotations

import re
import time

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.places import K3S
from zerotoil.resources.guest.guest import Guest

_SECONDS = 1200
_STARTS = 3  # of a first server: nothing that it waits for will come


def until_ready(guest: Guest, what: str, unit: str, *, joins: bool) -> None:
    """Until the node says that it is ready; the guest itself waits for some seconds at each question. Raises LabError."""
    deadline, before, said = time.monotonic() + _SECONDS, -1, ""
    while time.monotonic() < deadline:
        said = guest.ask(f"sh {K3S}/k3s.sh ready\n").strip()
        if said == "ready":
            guest.forget()
            return
        found = re.search(r"NRestarts=(\d+)", said)
        starts = int(found[1]) if found else 0
        before = starts if before < 0 else before
        if not joins and starts - before >= _STARTS:
            break
        time.sleep(1)
    guest.forget()
    lines = guest.ask(f"journalctl _SYSTEMD_UNIT={unit} --lines=3 --output=cat --no-pager\n").strip().replace("\n", "; ")
    words = "; ".join(filter(None, [re.sub(r"^(\w+=\S* +)+", "", said), lines[-400:]]))
    raise LabError(
        f"{guest.name}: {what} did not come up ({words})",
        f"its data is untouched; look: zerotoil ssh {guest.name} -- journalctl -u {unit}",
        code=Code.K3S_NOT_UP,
    )
