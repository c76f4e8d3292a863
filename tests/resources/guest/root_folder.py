"""A folder as the root of a guest: the real scripts on it, with programs of the tests before the machine's own."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.resources.guest import Guest


class RootFolder:
    """`root` is what the scripts see as the guest's; `state` is what the stand-ins know; `scripts` are those that were sent."""

    def __init__(self, folder: Path, programs: Mapping[str, str], *folders: str) -> None:
        self.root, self.state, self.programs = folder / "root", folder / "state", folder / "bin"
        self.data = self.root / "var/mnt/data"
        for part in ("var/mnt/data/zerotoil", "etc/systemd/system", "run", "var/lib", *folders):
            (self.root / part).mkdir(parents=True)
        self.state.mkdir()
        self.programs.mkdir()
        for name, text in programs.items():
            (self.programs / name).write_text(text)
            (self.programs / name).chmod(0o755)
        self.env = os.environ | {
            "PATH": f"{self.programs}:{os.environ['PATH']}", "STATE": str(self.state), "ZEROTOIL_ROOT": str(self.root),
            "ZEROTOIL_TRIES": "1",
        }  # fmt: skip
        self.scripts: list[str] = []
        self.guest = Guest("matrix", self.shell)

    def shell(self, script: str) -> str:
        """A script that is sent."""
        self.scripts.append(script)
        here = re.sub(r"(?<!\$root)(?<!\})/var/mnt/data", str(self.data), script)
        done = subprocess.run(["sh", "-s"], input=here, env=self.env, capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise LabError(
                f"matrix: a command in the guest failed ({done.stderr.strip()})", "look", code=Code.GUEST_COMMAND_FAILED
            )
        return done.stdout.replace(str(self.root), "")

    def ends(self, script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A script that lies in the folder, run by itself."""
        return subprocess.run(["sh", str(script), *arguments], env=self.env, capture_output=True, text=True, timeout=60)
