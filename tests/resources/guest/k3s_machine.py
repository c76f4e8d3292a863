"""A root folder as a guest for k3s: the real scripts and the stand-in k3s, with a systemd that starts and stops it as told."""

import json
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.conftest import make_spec
from tests.resources.guest.root_folder import RootFolder
from zerotoil.minilab import k3s
from zerotoil.model.spec import HostSpec
from zerotoil.resources.guest.k3s import guest_files

OLD, NEW = k3s.VERSIONS
# Starting k3s runs its ExecStartPre and the stand-in; a start that fails counts as one of systemd's restarts.
SYSTEMCTL = r"""#!/bin/sh
[ "$1" = show ] || echo "systemctl $*" >>"$STATE/log"
own=$ZEROTOIL_ROOT/var/mnt/data/zerotoil/k3s
start() {
  case $1 in k3s.service | k3s-agent.service) ;; *) return 0 ;; esac
  touch "$STATE/mounted"
  role=server
  [ "$1" = k3s.service ] || role=agent
  if sh "$own/k3s.sh" prepare 2>>"$STATE/journal" && [ ! -e "$STATE/broken" ]; then
    setsid "$ZEROTOIL_ROOT/usr/local/bin/k3s" $role 2>>"$STATE/journal" </dev/null >/dev/null &
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
      [ -e "$ZEROTOIL_ROOT/run/k3s-standin.pid" ] && touch "$STATE/active-$1" && return
      kill -0 $! 2>/dev/null || break
      sleep 0.1
    done
  fi
  echo restart >>"$STATE/restarts"
}
stop() {
  rm -f "$STATE/active-$1"
  case $1 in k3s.service | k3s-agent.service) ;; *) return 0 ;; esac
  [ ! -e "$ZEROTOIL_ROOT/run/k3s-standin.pid" ] || { kill "$(cat "$ZEROTOIL_ROOT/run/k3s-standin.pid")"; sleep 0.2; }
}
verb=$1
shift
case $verb in
  enable) touch "$STATE/enabled-$1" ;;
  disable) rm -f "$STATE/enabled-$1" ;;
  is-enabled) [ -e "$STATE/enabled-$2" ] ;;
  is-active) [ -e "$STATE/active-$2" ] ;;
  start | restart)
    [ "$1" != --no-block ] || shift
    [ "$verb" = start ] || stop "$1"
    start "$1"
    ;;
  stop) stop "$1" ;;
  show)
    for unit; do
      case $unit in --*) continue ;; esac
      active=inactive enabled=disabled
      [ ! -e "$STATE/active-$unit" ] || active=active
      [ ! -e "$STATE/enabled-$unit" ] || enabled=enabled
      case $unit in *.mount) [ ! -e "$STATE/mounted" ] || active=active ;; esac
      printf 'Id=%s\nActiveState=%s\nSubState=some\nUnitFileState=%s\nNRestarts=%s\n\n' "$unit" $active $enabled \
        "$(cat "$STATE/restarts" 2>/dev/null | wc -l)"
    done
    ;;
esac
"""
CURL = r"""#!/bin/sh
to=
for argument; do
  [ "$last" != --output ] || to=$argument
  last=$argument url=$argument
done
echo "curl $url" >>"$STATE/log"
file=$STATE/web/$(echo "${url#*://*/}" | sed 's/%2B/+/g')
[ -f "$file" ] || { echo "curl: (22) The requested URL returned error: 404" >&2; exit 22; }
if [ -n "$to" ]; then cp "$file" "$to"; else cat "$file"; fi
"""
LOGGED = '#!/bin/sh\necho "{name} $*" >>"$STATE/log"\n'
PROGRAMS = {
    "systemctl": SYSTEMCTL,
    "curl": CURL,
    "mountpoint": '#!/bin/sh\ncase $* in *rancher) [ -e "$STATE/mounted" ] ;; esac\n',
    "findmnt": '#!/bin/sh\necho \'{"filesystems": [{"source": "/dev/vdb", "fstype": "ext4", "label": "data", "uuid": "1"}]}\'\n',
    "selinuxenabled": '#!/bin/sh\n[ -e "$STATE/selinux" ]\n',
    "rpm": '#!/bin/sh\n[ -e "$STATE/policy" ]\n',
    "semodule": "#!/bin/sh\necho abrt\n",
    "restorecon": LOGGED.format(name="restorecon") + '[ "$1" != -nv ] || [ -e "$STATE/labelled" ] || echo "would relabel"\n',
    "umount": LOGGED.format(name="umount"),
    "ip": LOGGED.format(name="ip"),
    "sync": "#!/bin/sh\n",
    "journalctl": '#!/bin/sh\ntail -n 3 "$STATE/journal"\n',
}


class Machine(RootFolder):
    """A guest for k3s; `web` is what every URL leads to."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, PROGRAMS, "usr/local/bin", "proc/self")
        self.web = self.state / "web"
        self.web.mkdir()
        (self.root / "proc/self/mounts").touch()
        (self.data / "k3s").mkdir()
        (self.root / "var/lib/rancher").symlink_to(self.data / "k3s")  # the bind mount
        k3s.releases(self.web / "k3s")
        self.env["ZEROTOIL_PATIENCE"] = "4"

    own = property(lambda self: self.data / "zerotoil/k3s")
    binary = property(lambda self: self.root / "usr/local/bin/k3s")
    etc = property(lambda self: self.root / "etc/rancher")

    def spec(self, **more: Any) -> HostSpec:
        return make_spec(**{"k3s_role": "server", "k3s_url": "http://lab.lan/k3s", "k3s_version": OLD, **more})

    def put(self, spec: HostSpec, release: str = OLD) -> None:
        """As a deploy writes it."""
        for file in guest_files(spec):
            path = self.root / file.path.lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.data)
        (self.own / "release").write_text(f"{release} {spec.k3s.url} {spec.k3s.sha256 or ''}\n")
        (self.state / "mounted").touch()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        (self.state / "log").write_text("")
        return self.ends(self.own / "k3s.sh", *arguments)

    def right(self, *arguments: str) -> list[str]:
        """What a run that succeeds has called, but for questions."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return [line for line in (self.state / "log").read_text().splitlines() if " is-" not in line]

    def wrong(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.returncode != 0
        return done.stderr.strip()

    def kubectl(self, *arguments: str) -> Any:
        """The stand-in's answer."""
        done = subprocess.run([self.binary, "kubectl", *arguments], env=self.env, capture_output=True, text=True, timeout=20)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.startswith("{") else done.stdout.split()

    def version(self) -> str:
        """Of the binary that runs."""
        return subprocess.run([self.binary, "--version"], capture_output=True, text=True, timeout=20).stdout.split()[2]

    def selinux(self, enforce: bool = True) -> None:
        """On, and enforcing or not."""
        (self.state / "selinux").touch()
        file = self.root / "sys/fs/selinux/enforce"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("1" if enforce else "0")

    def new_os_disk(self) -> None:
        """All that is not on the data disk is gone."""
        for gone in (
            *self.etc.rglob("*"),
            *(self.root / "etc/systemd/system").iterdir(),
            self.binary,
            *(self.root / "run").iterdir(),
        ):
            if gone.is_file():
                gone.unlink()
        (self.root / "var/lib/zerotoil/k3s-binary").unlink(missing_ok=True)
        for name in ("active", "enabled"):
            for file in self.state.glob(f"{name}-*"):
                file.unlink()

    def end(self) -> None:
        """Whatever the stand-in has left running."""
        for file in self.root.glob("run/*.pid"):
            with suppress(ProcessLookupError, ValueError):
                os.killpg(os.getpgid(int(file.read_text())), signal.SIGKILL)
