"""Hold a guest's data filesystem still while a snapshot is taken, and let go of it again whatever happens.

The guest itself thaws after 30 seconds (quiesce.sh), so that no failure of this machine, of SSH or of the NAS leaves it frozen.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from zerotoil.errors import LabError
from zerotoil.model.places import DATA
from zerotoil.resources.guest.guest import Guest
from zerotoil.resources.guest.packaged import sent

SECONDS = 30  # after which the guest thaws by itself


class Stillness(StrEnum):
    """How still the filesystem was when a snapshot was taken; the value of zerotoil:quiesced."""

    FROZEN = "frozen"
    SYNCED = "synced"
    OFF = "off"
    NONE = "none"


@dataclass
class Hold:
    """What holds a filesystem still. `why` says why it is not frozen."""

    stillness: Stillness
    why: str = ""
    guest: Guest | None = None
    job: str = ""
    more: Sequence[str] = ()  # folders beside the data disk
    began: float = field(default_factory=time.monotonic)

    def release(self) -> Stillness:
        """Thaw; how still the filesystem was until now. Never raises: the guest thaws by itself where this fails."""
        if self.stillness is not Stillness.FROZEN or self.guest is None:
            return self.stillness
        held = time.monotonic() - self.began < SECONDS  # its own job cannot have thawed it yet
        try:
            answer = self.guest.write(_script("thaw", self.job, *self.more)).strip()
        except LabError:
            answer = "thawed" if held else "unknown"
        if answer != "thawed":
            self.stillness, self.why = Stillness.SYNCED, f"the guest thawed by itself before the snapshot, after {SECONDS} s"
        return self.stillness


def hold(guest: Guest, more: Sequence[str] = ()) -> Hold:
    """Sync and freeze, with the data disk what is mounted at `more`. Never raises: a snapshot without it is better than none."""
    began = time.monotonic()
    try:
        answer = guest.write(_script("freeze", str(SECONDS), *more)).strip()
    except LabError as error:
        return Hold(Stillness.NONE, f"guest did not answer ({error.what})")
    word, _, rest = answer.partition(" ")
    if word == "frozen" and rest.isdigit():
        return Hold(Stillness.FROZEN, guest=guest, job=rest, began=began, more=more)
    if word == "synced":
        return Hold(Stillness.SYNCED, rest)
    return Hold(Stillness.NONE, "guest could not even sync in 20 s" if word == "unsynced" else f"guest answered {answer[:80]!r}")


def _script(action: str, argument: str, *more: str) -> str:
    return sent("quiesce.sh", action, DATA, argument, *more)
