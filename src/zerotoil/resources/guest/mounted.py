"""A volume beside the data that apps keep something on: mounted before any of them is touched. It is only looked at.

Where it is not, a container would make the folder on the OS disk, and lose what it writes there with that disk.
"""

from __future__ import annotations

from dataclasses import dataclass

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.volumes import Volume
from zerotoil.resources.guest.guest import Guest
from zerotoil.resources.resource import Change


@dataclass(frozen=True)
class Mounted:
    """One volume, and the apps that mount something of it."""

    guest: Guest
    volume: Volume
    apps: tuple[str, ...]

    @property
    def key(self) -> str:
        """The natural key in words."""
        return f"mount {self.volume.mount}"

    def plan(self) -> list[Change]:
        """Never a change. Raises LabError when the running guest was made without the volume, or does not have it mounted."""
        guest, mount = self.guest, self.volume.mount
        if not guest.exists:
            return []
        if not guest.knows(self.volume):
            raise LabError(
                f"{guest.name}: {', '.join(self.apps)} keeps data at {mount}, and the OS disk was made without that volume",
                f"no app was touched; give it one that mounts it: zerotoil rebuild {guest.name}",
                code=Code.DATA_NOT_MOUNTED,
            )
        guest.filesystem(self.volume)
        return []

    def apply(self) -> list[Change]:
        """The same, read afresh."""
        self.guest.forget()
        return self.plan()
