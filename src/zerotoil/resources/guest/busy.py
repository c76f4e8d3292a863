"""Tells a guest that it is being worked on: until it is told otherwise, or for two hours, os.sh does not restart it by itself.

The note lies in /run, so a restart takes it away. See scripts/part-os-window.sh.
"""

from __future__ import annotations

import shlex

from zerotoil.resources.guest.guest import Guest

PLACE = "/run/zerotoil-busy"


def hold(guest: Guest, who: str, why: str) -> None:
    """From now on no restart. `who` names the note, `why` is what the owner is told. Raises LabError."""
    guest.write(f"mkdir -p {PLACE} && printf '%s\\n' {shlex.quote(why)} >{PLACE}/{who}\n")


def let_go(guest: Guest, who: str) -> None:
    """It may restart again. Raises LabError."""
    guest.write(f"rm -f {PLACE}/{who}\n")
