"""Waiting for an OS image to be staged, and for a guest that restarts into it."""

from __future__ import annotations

import time
from collections.abc import Callable

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.resources.guest.guest import Guest
from zerotoil.resources.guest.os_deployments import REBASE

_SECONDS = 3600  # an image is a gigabyte or two
_TRIES = 2  # of the unit, after which a person should look; it goes on by itself
_LOOK_SECONDS = 2
_GOES_DOWN_SECONDS = 60  # a guest that restarts answers for a moment more
_COMES_BACK_SECONDS = 900
_BOOT_ID = "cat /proc/sys/kernel/random/boot_id\n"
# The waiting is done in the guest: a login every second would cost a small guest more than the waiting.
_ASK = f"""left=8
while :; do
  state=$(systemctl show --property=ActiveState,NRestarts,Job {REBASE})
  left=$((left - 1))
  case $state in *ActiveState=activating* | *Job=[1-9]*) [ "$left" -gt 0 ] || break ;; *) break ;; esac
  sleep 2
done
echo "$state"
"""


def until_staged(guest: Guest, is_staged: Callable[[], bool]) -> None:
    """Until the declared image is staged. Raises LabError with the unit's last words where it failed more than once."""
    deadline = time.monotonic() + _SECONDS
    while True:
        state = dict(line.split("=", 1) for line in guest.ask(_ASK).splitlines() if "=" in line)
        guest.forget()
        if is_staged():
            return
        at_work = state.get("ActiveState") == "activating" or state.get("Job", "0") not in ("", "0")
        if not at_work or int(state.get("NRestarts") or 0) >= _TRIES or time.monotonic() > deadline:
            break
        time.sleep(_LOOK_SECONDS)
    said = guest.ask(f"journalctl --unit={REBASE} --lines=4 --output=cat --no-pager\n").strip().replace("\n", "; ")
    raise LabError(
        f"{guest.name}: its OS image was not taken ({said[-400:] or 'without a word'})",
        "does the registry have it, and may the guest read it? It is tried again: "
        f"zerotoil ssh {guest.name} -- journalctl -u {REBASE}",
        code=Code.OS_NOT_STAGED,
    )


def has_restarted(guest: Guest, boot: str, reconnect: Callable[[], None]) -> bool:
    """The connection has ended, maybe with the guest: did it come back with another boot id than `boot`?"""
    began = time.monotonic()
    while time.monotonic() - began < _COMES_BACK_SECONDS:
        try:
            now = guest.ask(_BOOT_ID).strip()
        except LabError:
            reconnect()
        else:
            if now != boot:
                guest.forget()
                return True
            if time.monotonic() - began >= _GOES_DOWN_SECONDS:
                return False
        time.sleep(_LOOK_SECONDS)
    return False


def until_rebooted(guest: Guest, boot: str, seconds: int, reconnect: Callable[[], None]) -> None:
    """Until the guest answers with another boot id than `boot`. Raises LabError after `seconds`."""
    deadline = time.monotonic() + seconds
    said = "it still runs"
    while time.monotonic() < deadline:
        try:
            now = guest.ask(_BOOT_ID).strip()
        except LabError as error:  # it goes down, or is on its way up
            said = error.what.removeprefix(f"{guest.name}: ")
            reconnect()
        else:
            if now != boot:
                guest.forget()
                return
        time.sleep(_LOOK_SECONDS)
    raise LabError(
        f"{guest.name}: it did not come back within {seconds} s of its restart into another OS ({said})",
        "look at its console: virsh console; at the boot menu the deployment before is the second entry",
        code=Code.BOOT_TIMEOUT,
    )
