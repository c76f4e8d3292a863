"""A root folder as a guest whose OS is a deployment: the real scripts, and stand-ins for what they call (ostree_standin.py).

It boots as such a machine does: what is staged is put in place by a clean shutdown and lost by a power cut, and GRUB counts as
the grub.cfg with a boot counter does. Every call that changes something is a moment at which the power can be cut.
"""

from __future__ import annotations

import atexit
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from tests.resources.guest.root_folder import RootFolder
from zerotoil.model.places import OS_TREE
from zerotoil.resources.guest.os_scripts import GATE_UNITS, IMAGE_UNITS, os_scripts, os_units

STANDIN = Path(__file__).with_name("ostree_standin.py")
REGISTRY = "registry.lan:5000/os/base"
REFERENCE = f"ostree-unverified-registry:{REGISTRY}:stable"
SATURDAY = 1736564400  # 2025-01-11 03:00 UTC, a Saturday

CUT = """#!/bin/sh
case "${0##*/} $*" in *" status "* | *" list" | skopeo* | systemctl\\ show* | systemctl\\ is-* | *list-units*) ;; *)
  count=$(($(cat "$STATE/count" 2>/dev/null || echo 0) + 1))
  echo $count >"$STATE/count"
  [ "$count" != "$(cat "$STATE/cut" 2>/dev/null)" ] || exec /bin/kill -KILL -- "-$(cat "$STATE/top")" ;;
esac
"""
SYSTEMCTL = (
    CUT
    + r"""case $1 in show | is-* | list-units) ;; *) echo "systemctl $*" >>"$STATE/log" ;; esac
verb=$1
shift
case $verb in
  enable) touch "$STATE/enabled-$1" ;;
  disable) rm -f "$STATE/enabled-$1" ;;
  is-enabled) [ -e "$STATE/enabled-$2" ] ;;
  is-active) [ -e "$STATE/active-$2" ] ;;
  start | restart) [ "$1" != --no-block ] || shift; touch "$STATE/active-$1" ;;
  stop) rm -f "$STATE/active-$1" ;;
  mask) ln -s /dev/null "$ZEROTOIL_ROOT/etc/systemd/system/$2" ;;
  unmask) rm -f "$ZEROTOIL_ROOT/etc/systemd/system/$1" ;;
  reboot) [ ! -e "$STATE/no-reboot" ] || exit 1 ;;
  list-units) cat "$STATE/activating" 2>/dev/null ;;
  show)
    for unit; do
      case $unit in --*) continue ;; esac
      active=inactive enabled=disabled
      [ ! -e "$STATE/active-$unit" ] || active=active
      [ ! -e "$STATE/enabled-$unit" ] || enabled=enabled
      printf 'Id=%s\nNRestarts=0\nActiveState=%s\nUnitFileState=%s\n\n' "$unit" $active $enabled
    done
    ;;
esac
"""
)
CURL = (
    CUT
    + r"""case "$*" in *docker/_ping*) [ ! -e "$STATE/no-docker" ]; exit ;; esac
given=$(cat)
echo "curl $given $*" >>"$STATE/fleet-calls"
[ "$(cat "$STATE/fleet" 2>/dev/null)" != down ] || exit 7
while [ $# -gt 0 ]; do case $1 in --output) answer=$2 ;; esac; shift; done
if [ "$(cat "$STATE/fleet" 2>/dev/null)" = refused ]; then
  echo '{"kind": "failed_lock", "value": "all 1 slots are taken"}' >"$answer"
  printf 409
else
  : >"$answer"
  printf 200
fi
"""
)
K3S = """#!/bin/sh
echo "k3s $*" >>"$STATE/log"
case "$*" in
  *"get pods"*) cat "$STATE/pods" ;;
  *"create --raw"*) cat >>"$STATE/evictions" ;;
  *drain*) [ ! -e "$STATE/no-drain" ] || { echo 'error: cannot evict pod: PodDisruptionBudget' >&2; exit 1; } ;;
esac
"""
PROBE = """#!/bin/sh
checksum=$(jq -r '.deployments[] | select(.booted) | .checksum' "$STATE/ostree.json")
if grep -qx "$checksum" "$STATE/sick" 2>/dev/null; then echo 'the probe fails'; exit 1; fi
"""
NOTIFY = """#!/bin/sh
{ echo "$1 $2: $(cat)"; } >>"$STATE/told"
"""
APP = """#!/bin/sh
case $1 in
  missing) cat "$STATE/missing-$2" 2>/dev/null ;;
  check) [ ! -e "$STATE/red-$2" ] || { cat "$STATE/red-$2" >&2; exit 1; } ;;
esac
"""
PODMAN = """#!/bin/sh
[ ! -e "$STATE/no-podman" ] || exit 125
case "$*" in
  *--quiet*) ;;
  *label=zerotoil.app=web*json*) cat "$STATE/podman.json" ;;
esac
"""
PROGRAMS = {
    "systemctl": SYSTEMCTL,
    "podman": PODMAN,
    "curl": CURL,
    "sync": "#!/bin/sh\n",
    "mv": CUT + 'exec /bin/mv "$@"\n',
    "mountpoint": '#!/bin/sh\n[ ! -e "$STATE/unmounted" ]\n',
    "ip": '#!/bin/sh\n[ -e "$STATE/no-route" ] || echo default via 192.168.122.1\n',
    "getent": '#!/bin/sh\n[ ! -e "$STATE/no-dns" ] && echo "$*"\n',
    **{
        name: CUT + f'echo "{name} $*" >>"$STATE/calls"\nexec {sys.executable} -S -E {STANDIN} {name} "$@"\n'
        for name in ("rpm-ostree", "bootc", "skopeo", "grub-editenv")
    },
}


_READY: dict[str, Path] = {}


def image(version: str, *, deployed: str | None = None) -> dict[str, str]:
    """One version of the image, as the registry has it."""
    number = version.replace(".", "") * 32
    made = {"version": version, "checksum": number[:64], "digest": f"sha256:d{number[:63]}"}
    return made | ({"deployed": deployed} if deployed else {})


def deployment(version: str, reference: str = REFERENCE, *, booted: bool = False) -> dict[str, Any]:
    """One deployment."""
    return {**image(version), "image": reference, "staged": False, "booted": booted}


class Machine(RootFolder):
    """A guest that runs version 1.0 of its own image, judged good."""

    def __init__(self, folder: Path, **declared: Any) -> None:
        super().__init__(
            folder, PROGRAMS, "etc/zerotoil/health.d", "var/mnt/data/zerotoil/bin", "var/mnt/data/zerotoil/os/units", "boot/grub"
        )
        self.base = self.root / "var/lib/zerotoil/os"
        self.declared: dict[str, Any] = {
            "source": f"{REGISTRY}:stable", "reference": REFERENCE, "backend": "rpm-ostree", "strategy": "immediate",
            "windows": [], "timezone": "UTC", "offset": 0, "fleet_lock": None, "apply_live": False, "packages": [],
            "signed": False, "grace": 0,
            "stale_after": 1209600, "engine": "docker", "k3s": False, "apps": ["web"],
        }  # fmt: skip
        self.boots = 1
        self.env |= {"ZEROTOIL_PAUSE": "0", "ZEROTOIL_NOW": str(SATURDAY), "ZEROTOIL_BOOT": "boot-1"}
        (self.root / "etc/machine-id").write_text("5fa7\n")
        scripts = {
            "zerotoil/bin/app.sh": APP,
            "zerotoil/bin/notify.sh": NOTIFY,
            "zerotoil/bin/ledger.sh": 'echo "ledger $*" >>"$STATE/log"\n',
        }
        for name, text in scripts.items():
            (self.data / name).write_text(text)
        self.probe = self.root / "etc/zerotoil/health.d/probe"
        self.probe.write_text(PROBE)
        self.probe.chmod(0o755)
        self.ostree = {"deployments": [deployment("1.0", booted=True)], "registry": {f"{REGISTRY}:stable": image("1.0")}}
        self.declare(**declared)

    # --- what is set up

    def declare(self, **declared: Any) -> None:
        """Another declaration, and what a deploy does then."""
        self.declared |= declared
        tree = self.data / "zerotoil/os"
        for file in [*os_scripts(), *os_units(IMAGE_UNITS if self.declared["reference"] else GATE_UNITS)]:
            (self.root / file.path.removeprefix("/")).write_text(str(file.content))
        (tree / "declared.json").write_text(json.dumps(self.declared))
        assert tree == self.root / OS_TREE.removeprefix("/")

    def ready(self) -> Machine:
        """Installed, and its deployment judged: made once for each declaration, since each script takes its time."""
        kept = _READY.get(key := json.dumps(self.declared, sort_keys=True))
        if kept is None:
            self.install()
            self.health()
            assert self.state_now["gate"]["result"] == "green"
            self.forget()
            kept = _READY[key] = Path(mkdtemp()) / "ready"
            atexit.register(shutil.rmtree, kept.parent, ignore_errors=True)
            shutil.copytree(self.root.parent, kept, symlinks=True)
        else:
            shutil.copytree(kept, self.root.parent, symlinks=True, dirs_exist_ok=True)
        return self

    @property
    def ostree(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.state / "ostree.json").read_text())
        return found

    @ostree.setter
    def ostree(self, value: dict[str, Any]) -> None:
        (self.state / "ostree.json").write_text(json.dumps(value))

    def change(self, **values: Any) -> None:
        """What the stand-ins know."""
        self.ostree = self.ostree | values

    def offer(self, version: str, **more: Any) -> None:
        """The registry has another image."""
        self.change(registry={**self.ostree["registry"], f"{REGISTRY}:stable": image(version, **more)})

    def at(self, now: int) -> None:
        self.env["ZEROTOIL_NOW"] = str(now)

    def sick(self, *versions: str) -> None:
        """The probe fails in these."""
        (self.state / "sick").write_text("".join(f"{image(version)['checksum']}\n" for version in versions))

    def counts(self) -> None:
        """GRUB has a boot counter."""
        (self.root / "boot/grub/grub.cfg").write_text('if [ -n "$boot_counter" ]; then\n')

    # --- what runs

    def script(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A script in a process group of its own, which a power cut ends as a whole."""
        (self.state / "count").unlink(missing_ok=True)
        line = ["sh", "-c", 'echo $$ >"$STATE/top"; exec sh "$@"', "sh", str(self.base / name), *arguments]
        return subprocess.run(line, env=self.env, capture_output=True, text=True, timeout=120, start_new_session=True)

    def install(self) -> None:
        done = self.ends(self.data / "zerotoil/os/os.sh", "install")
        assert done.returncode == 0, done.stderr

    def os(self, *arguments: str) -> str:
        """The last line of os.sh."""
        done = self.script("os.sh", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""

    def health(self) -> int:
        done = self.script("health.sh")
        assert "jq: error" not in done.stderr and "not found" not in done.stderr, done.stderr
        return done.returncode

    def cut(self, at: int, name: str, *arguments: str) -> bool:
        """The power is cut at that call of a program; False where the script ends before."""
        (self.state / "cut").write_text(str(at))
        done = self.script(name, *arguments)
        (self.state / "cut").unlink()
        return done.returncode == -signal.SIGKILL

    # --- what it boots

    def boot(self, *, clean: bool = True, dead: tuple[str, ...] = ()) -> str:
        """Restarts until something comes up that is not dead. The version that runs then."""
        now = self.ostree
        there = [each for each in now["deployments"] if clean or not each["staged"]]
        if there[0]["staged"]:
            there = [{**there[0], "staged": False}, *[each for each in there[1:] if each["booted"]]]
        for _ in range(9):
            chosen = there[self._grub(now) if len(there) > 1 else 0]
            if chosen["version"] not in dead:
                break
        else:
            raise AssertionError("it never comes up")
        now["deployments"] = [{**each, "booted": each is chosen} for each in there]
        self.ostree = now
        self.boots += 1
        self.env["ZEROTOIL_BOOT"] = f"boot-{self.boots}"
        version: str = chosen["version"]
        return version

    @staticmethod
    def _grub(now: dict[str, Any]) -> int:
        """As that grub.cfg does: the number of the entry."""
        grub = now.setdefault("grub", {})
        counter = grub.get("boot_counter")
        if counter is None:
            return 0
        if counter == "-1":
            return 1
        grub["boot_counter"] = {"0": "-1", "1": "0"}.get(counter, "1")
        return 1 if counter == "0" else 0

    # --- what came of it

    @property
    def state_now(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.base / "state.json").read_text())
        return found

    @property
    def versions(self) -> list[str]:
        """The deployments, the one that boots first; a + is staged, a * runs."""
        return [
            f"{each['version']}{'+' if each['staged'] else ''}{'*' if each['booted'] else ''}"
            for each in self.ostree["deployments"]
        ]

    def told(self) -> list[str]:
        """What the owner was told; forgotten then."""
        file = self.state / "told"
        text = file.read_text() if file.exists() else ""
        file.unlink(missing_ok=True)
        return text.splitlines()

    def log(self, name: str = "log") -> list[str]:
        """What programs were called with; forgotten then."""
        file = self.state / name
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return lines

    def forget(self) -> None:
        self.told(), self.log(), self.log("calls"), self.log("fleet-calls")

    def changes(self) -> list[str]:
        """The calls that change deployments; forgotten then."""
        return [line for line in self.log("calls") if " status" not in line and "skopeo" not in line and "editenv" not in line]
