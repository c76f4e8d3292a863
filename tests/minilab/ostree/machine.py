"""A pretended ostree host: a folder with a real repo where ostree is installed, and an `ostree admin` that replays texts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from zerotoil.minilab import layout, ostree

PROGRAM = Path(ostree.__file__).parent / "files/usr/bin/rpm-ostree"
OLD, NEW, OLDER = "a" * 64, "b" * 64, "c" * 64
DIGEST = f"sha256:{'1' * 64}"
REFERENCE = "ostree-unverified-registry:127.0.0.1:5443/os/base:v1"

# `ostree admin status` of 2025.2 in the guest, checksums made short work of.
FIRST_BOOT = f"""\
* standin {OLD}.0
    Version: 44.20260802.3.1-standin-ostree
    origin refspec: standin:standin/x86_64/ostree
"""
STAGED = f"""\
  standin {NEW}.0 (staged)
    Version: 2
    origin: <unknown origin type>
{FIRST_BOOT}"""
UPDATED = f"""\
* standin {NEW}.0
    Version: 2
    origin: <unknown origin type>
  standin {OLD}.0 (rollback)
    Version: 44.20260802.3.1-standin-ostree
    Pinned: yes
    origin refspec: standin:standin/x86_64/ostree
"""
WENT_BACK = f"""\
  standin {OLD}.0 (pending)
    Version: 44.20260802.3.1-standin-ostree
    origin refspec: standin:standin/x86_64/ostree
* standin {NEW}.0
    Version: 2
    origin: <unknown origin type>
"""

_OSTREE = r"""#!/bin/sh
# `ostree admin` from a recorded text; all else is the real ostree's, or (show) from a table.
case $1 in
  admin)
    shift
    echo "$*" >> "$CALLS"
    case $1 in
      status) cat "$STATUS" ;;
      deploy) for last in "$@"; do :; done; echo "$last" > "$STATUS.deployed"; for word in "$@"; do
        case $word in --origin-file=*) cat "${word#*=}" > "$STATUS.origin" ;; esac; done ;;
      undeploy) cat "$STATUS.after" > "$STATUS" ;;
    esac ;;
  *) if [ -n "$REAL" ]; then exec "$REAL" "$@"; fi
    for last in "$@"; do :; done
    case "$*" in
      *--print-metadata-key=*) key=$(echo "$*" | sed 's/.*--print-metadata-key=\([^ ]*\).*/\1/')
        jq -er --arg commit "$last" --arg key "$key" '"\u0027" + .[$commit][$key] + "\u0027"' "$TABLE" 2> /dev/null ||
          { echo "error: No such metadata key '$key'" >&2; exit 1; } ;;
      *show*) printf 'commit %s\nDate:  2026-08-18 00:00:00 +0000\nVersion: 2\n(no subject)\n' "$last" ;;
    esac ;;
esac
"""
_SKOPEO = r"""#!/bin/sh
# The real skopeo, told the lab's CA, which a guest has in /etc/containers/certs.d.
echo "$*" >> "$CALLS"
policy=$1 call=$2
shift 2
flag=--cert-dir
if [ "$call" = copy ]; then flag=--src-cert-dir; fi
exec "$SKOPEO" "$policy" "$call" "$flag=$CERTIFICATES" "$@"
"""


@dataclass
class Machine:
    """The host; `calls` are what was asked of `ostree admin` and skopeo."""

    folder: Path
    env: dict[str, str]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([PROGRAM, *words], env=self.env, capture_output=True, text=True, timeout=60, check=False)

    def status(self, text: str) -> None:
        (self.folder / "status").write_text(text)

    @property
    def calls(self) -> list[str]:
        lines = (self.folder / "calls").read_text().splitlines()
        return [line for line in lines if line != "status"]

    def ostree(self, *words: str) -> str:
        command = [self.env["REAL"], f"--repo={self.folder}/ostree/repo", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def machine(folder: Path, real: bool = False) -> Machine:
    """A host at its first boot."""
    for name in ("bin", "run", "etc/containers", "ostree/repo/tmp", "ostree/deploy/standin/deploy", "certificates"):
        (folder / name).mkdir(parents=True)
    for name, text in (("ostree", _OSTREE), ("skopeo", _SKOPEO)):
        (folder / "bin" / name).write_text(text)
        (folder / "bin" / name).chmod(0o755)
    (folder / f"ostree/deploy/standin/deploy/{OLD}.0.origin").write_text("[origin]\nrefspec=standin:standin/x86_64/ostree\n")
    (folder / "calls").touch()
    table = {
        OLD: {"version": "44.20260802.3.1-standin-ostree"},
        NEW: {"version": "2", "standin.image-reference": REFERENCE, "ostree.manifest-digest": DIGEST},
    }
    (folder / "table").write_text(json.dumps(table))
    if layout.CA_CERT.exists():
        shutil.copy(layout.CA_CERT, folder / "certificates/ca.crt")
    env = {
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "REAL": (shutil.which("ostree") or "") if real else "",
        "SKOPEO": shutil.which("skopeo") or "",
        "CALLS": str(folder / "calls"),
        "STATUS": str(folder / "status"),
        "TABLE": str(folder / "table"),
        "CERTIFICATES": str(folder / "certificates"),
        "STANDIN_ROOT": str(folder),
        "STANDIN_ALONE": "",
    }
    made = Machine(folder, env)
    made.status(FIRST_BOOT)
    if real:
        made.ostree("init", "--mode=bare")
    return made
