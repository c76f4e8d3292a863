"""A guest whose apps podman runs, for the scripts of an undo: the real ones on a folder, with stand-ins for what a guest has.

Whatever starts a container writes down which image met which data: an image of today must never meet data of yesterday.
"""

import json
import os
import shutil
import subprocess
from importlib import resources
from pathlib import Path

from zerotoil.render.quadlet import quadlets
from zerotoil.resources.guest import Guest, swap
from zerotoil.resources.guest.packaged import sent
from zerotoil.resources.guest.swap import Pin

OLD, NEW = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
OWNER, APP = "home/matrix", "app"
DB, HELD = "docker.io/library/postgres:16", f"docker.io/library/postgres@{OLD}"
COMPOSE = {"services": {"db": {"image": "postgres:16", "restart": "always", "volumes": ["./data:/data"]}}}
# What every stand-in for systemctl knows of quadlets: the file behind a service, and that its container goes with it.
QUADLETS = r"""#!/bin/sh
echo "systemctl $*" >>"$STATE/log"
quadlet() { ls "$ZEROTOIL_ROOT"/etc/containers/systemd/*/"${1%.service}.container" 2>/dev/null; }
stop() {
  /bin/rm -f "$STATE/active-$1"
  file=$(quadlet "$1") && /bin/rm -f "$STATE/container-$(sed -n 's/^ContainerName=//p' "$file")"
  return 0
}
"""
# Units are started as systemd would: not where a drop-in's condition fails, not without the data disk.
SYSTEMCTL = (
    QUADLETS
    + r"""blocked() {
  for path in $(sed -n 's/^ConditionPathExists=!//p' "$ZEROTOIL_ROOT/etc/systemd/system/$1.d"/*.conf 2>/dev/null); do
    [ ! -e "$path" ] || return 0
  done
  return 1
}
start() {
  case $1 in
    var-mnt-data.mount)
      [ ! -e "$STATE/mounted" ] || return 0
      /bin/rm -rf "$ZEROTOIL_ROOT/var/mnt/data" && /bin/mv "$STATE/$(cat "$STATE/serves")" "$ZEROTOIL_ROOT/var/mnt/data" &&
        /bin/cp "$STATE/serves" "$STATE/mounted" && return ;;
  esac
  ! blocked "$1" || return 0
  case $1 in
    zerotoil-podman.service)
      [ -e "$STATE/mounted" ] && touch "$STATE/active-$1" && sh "$ZEROTOIL_ROOT/var/mnt/data/zerotoil/bin/podman.sh" settle ;;
    *.timer | hand.service) touch "$STATE/active-$1" ;;
    *)
      file=$(quadlet "$1") && [ -e "$STATE/mounted" ] || return 5
      [ ! -e "$STATE/active-$1" ] || return 0
      touch "$STATE/active-$1"
      name=$(sed -n 's/^ContainerName=//p' "$file")
      [ -n "$name" ] || return 0
      sed -n 's/^Label=zerotoil.unit=//p' "$file" >"$STATE/container-$name"
      image=$(sed -n 's/^Image=//p' "$file")
      case $image in *@*) image=${image#*@} ;; *) image=$(cat "$STATE/tag") ;; esac
      echo "$image $(cat "$ZEROTOIL_ROOT/var/mnt/data/apps/app/content")" >>"$STATE/met" ;;
  esac
}
command=$1; shift; code=0
case $command in
  start) for unit; do case $unit in --*) ;; *) start "$unit" || code=5 ;; esac; done ;;
  stop) for unit; do stop "$unit"; done ;;
  restart) for unit; do stop "$unit"; start "$unit" || code=5; done ;;
  is-active) for unit; do :; done
    if [ -e "$STATE/active-$unit" ]; then said=active; else said=inactive code=3; fi
    [ "$1" = --quiet ] || echo "$said" ;;
  list-units) for unit in podman-auto-update.timer; do [ ! -e "$STATE/active-$unit" ] || echo "$unit loaded active"; done ;;
  is-enabled) exit 1 ;;
  show)
    case $* in
      *What*) echo /dev/disk ;;
      *RequiredBy*) echo zerotoil-podman.service podman-auto-update.service app-db.service ;;
      *--value*) for unit; do :; done; if [ -e "$STATE/active-$unit" ]; then echo active; else echo inactive; fi ;;
    esac ;;
esac
exit $code
"""
)
PODMAN = r"""#!/bin/sh
echo "podman $*" >>"$STATE/log"
[ ! -e "$STATE/silent" ] || exit 125
named() { ls "$STATE" | sed -n 's/^container-//p'; }
case "$1 $2" in
  "ps --all") named; [ ! -e "$STATE/hand" ] || echo hand ;;
  "image exists") [ ! -e "$STATE/gone" ] ;;
  "pull --quiet") [ ! -e "$STATE/no-registry" ] ;;
  "container inspect") cat "$STATE/container-$5" 2>/dev/null ;;
  "network exists") false ;;
  inspect\ *)
    shift
    for id; do
      unit=app-db.service policy=no
      [ "$id" != hand ] || { unit=hand.service policy=$(cat "$STATE/hand"); }
      printf '[{"Id": "%s", "Name": "%s", "State": {"Status": "running"}, "Mounts": [{"Source": "/var/mnt/data/x"}],
        "Config": {"Labels": {"PODMAN_SYSTEMD_UNIT": "%s"}}, "HostConfig": {"RestartPolicy": {"Name": "%s"}}}]' "$id" "$id" \
        "$unit" "$policy"
    done | jq -s add ;;
  update\ *) [ $# = 3 ] || exit 125; [ "$3" != hand ] || [ -e "$STATE/fixed" ] || echo "${2#--restart=}" >"$STATE/hand" ;;
esac
"""
UMOUNT = r"""#!/bin/sh
[ ! -e "$STATE/busy" ] || exit 32
cd "$ZEROTOIL_ROOT/var/mnt" && /bin/mv data "$STATE/$(cat "$STATE/mounted")" && /bin/rm "$STATE/mounted" && mkdir data
"""
RUN = r"""#!/bin/sh
while [ "${1#--}" != "$1" ]; do case $1 in --unit=*) unit=${1#--unit=} ;; esac; shift; done
echo "systemd-run $unit" >>"$STATE/log"
if "$@" >>"$STATE/said" 2>&1; then touch "$STATE/active-$unit"; else touch "$STATE/failed-$unit"; fi
"""
# The machine ends at the n-th time that a script runs a program which changes something.
CUT = """#!/bin/sh
if [ -s "$STATE/left" ]; then
  left=$(($(cat "$STATE/left") - 1))
  echo "$left" >"$STATE/left"
  [ "$left" != 0 ] || kill -9 0
fi
exec "{program}" "$@"
"""
WATCHED = ("mv", "rm", "cp", "sync", "systemctl", "podman", "systemd-run", "umount")


class PodmanGuest:
    """A root folder with today's disk mounted, the app running on it, and yesterday's disk on the NAS."""

    def __init__(self, folder: Path) -> None:
        self.root, self.state, self.fake, real = folder / "root", folder / "state", folder / "fake", folder / "real"
        for name in ("var/mnt", "proc/self", "dev", "var/lib/containers/storage", "etc/systemd/system"):
            (self.root / name).mkdir(parents=True)
        for made in (self.state, self.fake, real):
            made.mkdir()
        own = {"systemctl": SYSTEMCTL, "podman": PODMAN, "umount": UMOUNT, "systemd-run": RUN}
        for name in WATCHED:
            if name in own:
                self._program(real / name, own[name])
            program = real / name if name in own else shutil.which(name)
            self._program(self.fake / name, CUT.replace("{program}", str(program)))
        self._program(self.fake / "mountpoint", '#!/bin/sh\n[ -e "$STATE/mounted" ]\n')
        self._program(self.fake / "docker", "#!/bin/sh\nexit 1\n")
        self._program(self.fake / "journalctl", "#!/bin/sh\n")
        (self.root / "dev/disk").touch()
        (self.root / "proc/self/mountinfo").write_text(f"36 25 253:16 / {self.data} rw - ext4 /dev/vdb rw\n")
        for disk, image in (("yesterday", OLD), ("today", NEW)):
            self._disk(self.state / disk, disk, image)
        (self.state / "tag").write_text(NEW)
        self.serve("today")
        self.systemctl("start", "var-mnt-data.mount", "zerotoil-podman.service", "podman-auto-update.timer")
        assert self.met() == [f"{NEW} today"]

    @staticmethod
    def _program(path: Path, text: str) -> None:
        path.write_text(text)
        path.chmod(0o755)

    def _disk(self, disk: Path, content: str, image: str) -> None:
        own, tree = disk / "apps/app/.zerotoil", disk / "zerotoil"
        for made in (own, tree / "ledger", tree / "bin", tree / ".zerotoil", tree / "quadlets/app"):
            made.mkdir(parents=True)
        (own / "files").touch()
        (disk / "apps/app/content").write_text(f"{content}\n")
        (tree / "bin/podman.sh").write_text(podman_sh())
        files = quadlets(APP, {**COMPOSE, "x-day": content}, OWNER, {"db": "auto"})
        for name, text in files.items():
            (tree / "quadlets/app" / name).write_text(text)
        item = {"app": APP, "service": "db", "id": image, "digest": f"docker.io/library/postgres@{image}"}
        (tree / "ledger/2026-11-25T02-00-00Z.json").write_text(json.dumps({"containers": [item]}))

    @property
    def data(self) -> Path:
        return self.root / "var/mnt/data"

    @property
    def env(self) -> dict[str, str]:
        names = {"STATE": self.state, "ZEROTOIL_ROOT": self.root, "ZEROTOIL_DATA": self.data}
        return os.environ | {key: str(value) for key, value in names.items()} | {"PATH": f"{self.fake}:{os.environ['PATH']}"}

    def serve(self, disk: str) -> None:
        (self.state / "serves").write_text(disk)

    def systemctl(self, *arguments: str) -> None:
        subprocess.run(["systemctl", *arguments], env=self.env, capture_output=True, timeout=60, check=False)

    def shell(self, script: str) -> str:
        done = subprocess.run(
            ["sh", "-s"], input=script, env=self.env, capture_output=True, text=True, timeout=120, start_new_session=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def guest(self) -> Guest:
        return Guest("matrix", self.shell)

    def undo(self) -> list[Pin]:
        """What the controller does (workflows/swap.py), from wherever an earlier run was cut off."""
        guest = self.guest()
        if (self.state / "serves").read_text() != "yesterday":
            assert swap.release(guest) == ""
            assert not (self.state / "mounted").exists()
            self.serve("yesterday")
        swap.take(guest)
        pins = swap.pin(guest)
        swap.resume(guest)
        return pins

    def app_undo(self, *arguments: str) -> str:
        return self.shell(sent("undo-app.sh", *arguments, parts=["part-images.sh"]))

    def power_cut(self) -> None:
        """Nothing runs any more, and the machine boots: what is to start by itself does, in the order that is worst."""
        for path in [*self.state.glob("active-*"), *self.state.glob("container-*"), *self.state.glob("failed-*")]:
            path.unlink()
        (self.state / "left").unlink(missing_ok=True)
        if (self.state / "mounted").exists():
            (self.data).rename(self.state / (self.state / "mounted").read_text())
            (self.state / "mounted").unlink()
        installed = [f"{path.stem}.service" for path in (self.root / "etc/containers/systemd").glob("*/*.container")]
        self.systemctl("start", "var-mnt-data.mount", *installed, "zerotoil-podman.service", "podman-auto-update.timer")

    def met(self) -> list[str]:
        """Which image met which data, each pair once."""
        path = self.state / "met"
        return list(dict.fromkeys(path.read_text().splitlines())) if path.exists() else []

    def running(self) -> bool:
        return (self.state / "active-app-db.service").exists()

    def log(self) -> list[str]:
        return (self.state / "log").read_text().splitlines()

    def installed(self) -> str:
        return (self.root / "etc/containers/systemd/zerotoil-app/app-db.container").read_text()


def podman_sh(*, old: bool = False) -> str:
    """The script as it is, or as it was before it held images."""
    text = resources.files("zerotoil.resources.guest").joinpath("scripts", "podman.sh").read_text()
    return text.replace('from=$(held "$1")', "from=$declared/$1").replace("held() {", "before() {") if old else text
