"""Files of ours in a guest, kept as declared: zerotoil's own, and those of an app whose containers podman starts.

zerotoil's own (scripts, units, sinks, logins, quadlets) lie on the data disk under /var/mnt/data/zerotoil, so that they are
back after a new OS disk: a tiny unit of the Ignition config runs `install.sh` at every boot, and so does the deploy after
a change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zerotoil.model.places import TREE
from zerotoil.resources.guest import files
from zerotoil.resources.guest.files import GuestFile
from zerotoil.resources.guest.guest import Guest
from zerotoil.resources.resource import Change, must_match


@dataclass(frozen=True)
class OwnFiles:
    """The files that make a guest look after itself."""

    guest: Guest
    files: Sequence[GuestFile]
    root: str = TREE
    key: str = "own files"
    then: str = f"[ ! -f {TREE}/bin/install.sh ] || sh {TREE}/bin/install.sh >&2\n"  # after a change

    def plan(self) -> list[Change]:
        """The changes that are needed now."""
        have = files.found(self.guest.facts(), self.root)
        return files.changes(self.key, self.root, have, self.files, self.guest.texts(files.showable(have, self.files)))

    def apply(self) -> list[Change]:
        """Write the files, then install what is installed from them."""
        changes = self.plan()
        if changes:
            have = files.found(self.guest.facts(), self.root)
            self.guest.write(files.write_script(self.root, have, self.files) + self.then)
            must_match(self.key, self.plan())
        return changes


@dataclass(frozen=True)
class AppFiles(OwnFiles):
    """The files of one app; nothing is installed from them."""

    then: str = ""
