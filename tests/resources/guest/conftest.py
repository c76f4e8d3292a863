"""A guest to run our scripts in: this machine with a folder as /var/mnt/data, and stand-ins for systemd, Docker and the mount.

The scripts are the real ones, with that path replaced; the end-to-end tests run them on a real guest.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.resources.guest import Guest

SYSTEMCTL = """#!/bin/sh
echo "$@" >>"$ZEROTOIL_STATE/systemctl.log"
case $1 in
  show)
    for unit in "$@"; do
      case $unit in *.service) ;; *) continue ;; esac
      cat "$ZEROTOIL_STATE/unit-$unit" 2>/dev/null || printf 'Id=%s\\nActiveState=inactive\\nUnitFileState=disabled\\n' "$unit"
      echo
    done
    ;;
  is-active) exit 0 ;;
esac
"""
CURL = """#!/bin/sh
[ -s "$ZEROTOIL_STATE/containers.json" ] || { echo '[]' && exit; }
case "$*" in
  *containers/json*) echo '[{"Id": "all"}]' ;;
  *) jq '.[]' "$ZEROTOIL_STATE/containers.json" ;;
esac
"""
FINDMNT = """#!/bin/sh
echo '{"filesystems": [{"source": "/dev/vdb", "fstype": "ext4", "label": "data", "uuid": "1ea5f2e1"}]}'
"""
MOUNTPOINT = "#!/bin/sh\n"  # all is mounted
DATA = "/var/mnt/data"
PROGRAMS = {"systemctl": SYSTEMCTL, "curl": CURL, "findmnt": FINDMNT, "mountpoint": MOUNTPOINT}


class LocalGuest:
    """Scripts run here; `data` is what they see as /var/mnt/data."""

    def __init__(self, folder: Path) -> None:
        self.data, self.state, programs = folder / "data", folder / "state", folder / "bin"
        for made in (self.data, self.state, programs):
            made.mkdir()
        for name, text in PROGRAMS.items():
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        self.env = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}", "ZEROTOIL_STATE": str(self.state)}
        self.guest = Guest("matrix", self.shell)
        self.unit("docker.service")
        self.scripts: list[str] = []

    def shell(self, script: str) -> str:
        self.scripts.append(script)
        here = script.replace(DATA, str(self.data))
        done = subprocess.run(["sh", "-s"], input=here, env=self.env, capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise LabError(
                f"matrix: a command in the guest failed ({done.stderr.strip().replace(str(self.data), DATA)})",
                "look",
                code=Code.GUEST_COMMAND_FAILED,
            )
        return done.stdout.replace(str(self.data), DATA)

    def containers(self, *items: dict[str, Any]) -> None:
        (self.state / "containers.json").write_text(json.dumps(items) if items else "")

    def unit(self, name: str, active: str = "active", enabled: str = "enabled") -> None:
        (self.state / f"unit-{name}").write_text(f"Id={name}\nActiveState={active}\nUnitFileState={enabled}\n")


@pytest.fixture
def local(tmp_path: Path) -> LocalGuest:
    return LocalGuest(tmp_path)
