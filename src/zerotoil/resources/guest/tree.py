"""zerotoil's own tree in a guest: scripts, units, sinks and logins, under /var/mnt/data/zerotoil.

It lies on the data disk, so that it is back after a new OS disk: a tiny unit of the Ignition config runs `install.sh`
at every boot, and so does the deploy after a change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zerotoil.resources.guest import files
from zerotoil.resources.guest.files import TREE, GuestFile
from zerotoil.resources.guest.guest import Guest
from zerotoil.resources.resource import Change, must_match


@dataclass(frozen=True)
class Tree:
    """The files that make a guest look after itself."""

    guest: Guest
    files: Sequence[GuestFile]

    @property
    def key(self) -> str:
        """The natural key in words."""
        return "own files"

    def plan(self) -> list[Change]:
        """The changes that are needed now."""
        have = files.found(self.guest.facts(), TREE)
        texts = self.guest.texts([f.path for f in files.differing(have, self.files) if not f.secret and have]) if have else {}
        return files.changes(self.key, TREE, have, self.files, texts)

    def apply(self) -> list[Change]:
        """Write the files, then install what is installed from them."""
        changes = self.plan()
        if changes:
            have = files.found(self.guest.facts(), TREE)
            installed = f"[ ! -f {TREE}/bin/install.sh ] || sh {TREE}/bin/install.sh >&2\n"
            self.guest.write(files.write_script(TREE, have, self.files) + installed)
            must_match(self.key, self.plan())
        return changes
