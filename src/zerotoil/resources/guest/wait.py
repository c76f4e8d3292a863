"""Waiting for a unit of the guest that takes longer than a command over SSH should: images are pulled in it."""

from __future__ import annotations

import time

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.resources.guest.guest import Guest

_SECONDS = 1800  # the units give up by themselves before that
# The waiting is done in the guest: a login every second would take a small guest half of what it has to start the app.
_ASK = """left=8
while :; do
  state=$(systemctl show --property=ActiveState,Result,ReloadResult,Job {unit})
  left=$((left - 1))
  case $state in *ActiveState=activating* | *ActiveState=reloading* | *Job=[1-9]*) [ "$left" -gt 0 ] || break ;; *) break ;; esac
  sleep 2
done
echo "$state"
"""


def until_up(guest: Guest, what: str, unit: str) -> None:
    """Until the unit's job is done. Raises LabError with its last words when it failed."""
    deadline = time.monotonic() + _SECONDS
    ask = _ASK.format(unit=unit)
    while time.monotonic() < deadline:
        state = dict(line.split("=", 1) for line in guest.ask(ask).splitlines() if "=" in line)
        if state.get("Job", "0") in ("", "0") and state.get("ActiveState") not in ("activating", "reloading"):
            if state.get("ActiveState") == "active" and state.get("ReloadResult", "success") == "success":
                guest.forget()
                return
            break
        time.sleep(1)
    guest.forget()
    said = guest.ask(f"journalctl --unit={unit} --lines=4 --output=cat --no-pager\n").strip().replace("\n", "; ")
    raise LabError(
        f"{guest.name}: {what} did not come up ({said[-400:]})",
        f"its data is untouched; look: zerotoil ssh {guest.name} -- journalctl -u {unit}",
        code=Code.APP_NOT_UP,
    )
