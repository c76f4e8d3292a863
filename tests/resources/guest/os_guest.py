"""A root folder as a guest whose OS is looked after: the real scripts of files and of observing, and a stand-in for os.sh that
answers what was recorded and does to it what each verb is to do.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import make_spec
from tests.resources.guest.root_folder import RootFolder
from zerotoil.model.places import OS_TREE
from zerotoil.resources.guest import os_updates, os_wait
from zerotoil.resources.guest.files import GuestFile
from zerotoil.resources.guest.os_updates import OsUpdates

IMAGE = "reg.lan:5000/os/base:v1"
STREAM = "ostree-image-signed:docker://quay.io/fedora/fedora-coreos:stable"
OS_SH = r"""#!/bin/sh
# Stand-in for os.sh.
set -eu
os=$STATE/os.json
tree=$ZEROTOIL_ROOT/var/mnt/data/zerotoil/os
change() { jq "$@" "$os" >"$os.new" && mv "$os.new" "$os"; }
[ "$1" = observe ] || echo "$*" >>"$STATE/verbs"
if [ -f "$STATE/says" ] && [ "$1" != observe ] && [ "$1" != install ]; then cat "$STATE/says"; exit; fi
case $1 in
  observe)
    cat "$os"
    ;;
  install)
    [ ! -f "$STATE/lazy" ] || exit 0
    config=null
    [ ! -f "$tree/zincati.toml" ] || config=$(jq -Rs . "$tree/zincati.toml")
    broken=no
    [ ! -e "$STATE/broken" ] || broken=yes
    units=$(for unit in "$tree"/units/*; do echo "${unit##*/}"; done | jq -Rn --arg broken $broken '
      def active: if endswith(".timer") then "active" elif test("-rebase") and $broken == "no" then "activating"
        else "inactive" end;
      [inputs | {key: ., value: {ActiveState: active, UnitFileState: "enabled"}}] | from_entries')
    change --argjson config "$config" --argjson units "$units" '.in_etc = [] | .zincati.config = $config | .units = $units'
    ;;
  packages) change --slurpfile d "$tree/declared.json" '.packages = $d[0].packages' && echo 'staged 45' ;;
  reboot)
    change 'if .staged then .rollback = .booted | .booted = .staged | .reference = .staged.image | .staged = null else . end'
    date +%s%N >"$STATE/boot"
    echo rebooting
    ;;
  remove) change '.units = {}' ;;
  update) change '.staged = (.booted + {checksum: "c2", version: "45"})' && echo 'staged 45' ;;
  rollback) echo rebooting ;;
  *) echo ok ;;
esac
"""
SYSTEMCTL = r"""#!/bin/sh
case "$*" in
  'start --no-block zerotoil-os-rebase.service')
    echo "$*" >>"$STATE/verbs"
    [ ! -e "$STATE/broken" ] || exit 0
    jq --slurpfile d "$ZEROTOIL_ROOT/var/mnt/data/zerotoil/os/declared.json" \
      '.staged = {checksum: "c1", version: "44", image: $d[0].reference}' "$STATE/os.json" >"$STATE/new"
    mv "$STATE/new" "$STATE/os.json"
    ;;
  show*NRestarts*)
    if [ -e "$STATE/broken" ]; then echo ActiveState=failed; else echo ActiveState=inactive; fi
    printf 'NRestarts=0\nJob=\n'
    ;;
  show*) printf 'Id=docker.service\nActiveState=inactive\nUnitFileState=disabled\n' ;;
esac
"""
PROGRAMS = {
    "systemctl": SYSTEMCTL,
    "mountpoint": "#!/bin/sh\n",
    "findmnt": '#!/bin/sh\necho \'{"filesystems": [{"source": "/dev/vdb", "fstype": "ext4", "label": "data", "uuid": "1"}]}\'\n',
    "journalctl": "#!/bin/sh\necho 'error: manifest unknown'\n",
}
STATE: dict[str, Any] = {
    "checked": None, "updated": None, "good": None, "bad": [], "pin": None, "gate": None, "rollbacks": {}, "problem": None,
    "tell": [],
}  # fmt: skip


def seen(**more: Any) -> dict[str, Any]:
    """What os.sh observes on a machine that was just made from a stream."""
    booted = {"checksum": "c0", "version": "43", "digest": "sha256:00", "image": STREAM, "time": 1764000000}
    return {
        "backend": "rpm-ostree", "reference": STREAM, "booted": booted, "staged": None, "rollback": None, "state": STATE,
        "in_etc": [], "units": {}, "boot_counting": False, "watchdog": False, "zincati": {"masked": False, "config": None},
        "packages": [], "program": True, **more,
    }  # fmt: skip


class Machine(RootFolder):
    """A guest with a stand-in for os.sh."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        super().__init__(folder, PROGRAMS)
        self.connections = 0
        self.env |= {"ZEROTOIL_TREE": f"{self.data}/zerotoil", "ZEROTOIL_SYSTEM": f"{self.root}/etc/systemd/system"}
        (self.state / "boot").write_text("this boot\n")
        self.now(**seen())
        patch.setattr(os_updates, "os_scripts", lambda: [GuestFile(f"{OS_TREE}/os.sh", 0o755, OS_SH)])
        patch.setattr(os_updates, "os_sent", lambda *words: f"set -- {' '.join(words)}\n{OS_SH}")
        patch.setattr(os_wait, "_LOOK_SECONDS", 0)

    def shell(self, script: str) -> str:
        return super().shell(script.replace("/proc/sys/kernel/random/boot_id", str(self.state / "boot")))

    def now(self, **values: Any) -> None:
        """From now on this is observed, too."""
        file = self.state / "os.json"
        before = json.loads(file.read_text()) if file.exists() else {}
        file.write_text(json.dumps({**before, **values}))
        self.guest.forget()

    def observed(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.state / "os.json").read_text())
        return found

    def verbs(self) -> list[str]:
        """What was asked of os.sh and of its unit; forgotten then."""
        file = self.state / "verbs"
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return lines

    def with_an_app(self) -> None:
        folder = self.data / "apps/web/.zerotoil"
        folder.mkdir(parents=True)
        (folder / "files").write_text(f"0644 {'0' * 64} compose.yaml\n")

    def updates(self, **keys: Any) -> OsUpdates:
        self.guest.forget()
        return OsUpdates(self.guest, make_spec(**keys), reconnect=self._reconnect)

    def _reconnect(self) -> None:
        self.connections += 1
