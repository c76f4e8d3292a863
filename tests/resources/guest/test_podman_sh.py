"""podman.sh, run by a real shell against stand-ins for podman and systemctl that keep what they were told in files."""

import json
import os
import shutil
import subprocess
from importlib import resources
from pathlib import Path

import pytest

from tests.render.quadlet.generator import command, generated
from tests.resources.guest.podman_guest import QUADLETS
from zerotoil.render.quadlet import quadlets
from zerotoil.render.quadlet.held import held
from zerotoil.resources.guest import Guest
from zerotoil.resources.guest.podman_app import PodmanApp
from zerotoil.resources.guest.podman_drift import Seen, drift

OWNER = "home/matrix"
COMPOSE = {"services": {"web": {"image": "nginx:1", "depends_on": ["db"]}, "db": {"image": "postgres:16"}}}
# A service that is started makes a container with the label of its installed quadlet, as quadlet's `podman run` would.
SYSTEMCTL = (
    QUADLETS
    + r"""start() {
  [ ! -e "$STATE/bad-$1" ] || return 1
  touch "$STATE/active-$1"
  file=$(quadlet "$1") || return 0
  name=$(sed -n 's/^ContainerName=//p' "$file")
  [ -e "$STATE/container-$name" ] || sed -n 's/^Label=zerotoil.unit=//p' "$file" >"$STATE/container-$name"
}
command=$1; shift; code=0
case $command in
  start) for unit; do start "$unit" || code=1; done ;;
  stop) for unit; do stop "$unit"; done ;;
  restart) for unit; do stop "$unit"; start "$unit" || code=1; done ;;
  is-active) test -e "$STATE/active-$2" || code=3 ;;
  show)
    case $* in
      *--value*) for unit; do :; done; if [ -e "$STATE/active-$unit" ]; then echo active; else echo inactive; fi ;;
      *) shift; for unit; do printf 'Id=%s\nLoadState=loaded\nActiveState=active\nNeedDaemonReload=no\n\n' "$unit"; done ;;
    esac ;;
esac
exit $code
"""
)
PODMAN = r"""#!/bin/sh
echo "podman $*" >>"$STATE/log"
case "$1 $2" in
  "image exists") test -e "$STATE/image-$(echo "$3" | tr / _)" ;;
  "pull --quiet") [ ! -e "$STATE/no-registry" ] && touch "$STATE/image-$(echo "$3" | tr / _)" ;;
  "container inspect") cat "$STATE/container-$5" 2>/dev/null ;;
  "network inspect") cat "$STATE/network-$5" 2>/dev/null ;;
  "network exists") test -e "$STATE/network-$3" ;;
  "network rm") rm "$STATE/network-$3" ;;
  "ps --all") cat "$STATE/ps.json" ;;
  "auto-update --format") cat "$STATE/report.json" 2>/dev/null; echo "Error: no registry" >&2; exit "$(cat "$STATE/code")" ;;
esac
"""
NOTIFY = '#!/bin/sh\necho "$1 $2: $(cat)" >>"$STATE/told"\n'


class Machine:
    """A guest's folders below a temporary one, and the programs that podman.sh calls."""

    def __init__(self, folder: Path) -> None:
        self.root, self.state, programs = folder / "root", folder / "state", folder / "bin"
        for made in (self.root, self.state, programs):
            made.mkdir()
        for name, text in (("systemctl", SYSTEMCTL), ("podman", PODMAN), ("journalctl", "#!/bin/sh\necho its last line\n")):
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        self.data = self.root / "var/mnt/data/zerotoil"
        self.installed = self.root / "etc/containers/systemd"
        self.env = os.environ | {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "STATE": str(self.state),
            "ZEROTOIL_ROOT": str(self.root),
        }
        self.script = self.put(
            "bin/podman.sh", resources.files("zerotoil.resources.guest").joinpath("scripts", "podman.sh").read_text()
        )
        self.put("bin/notify.sh", NOTIFY)

    def put(self, name: str, text: str) -> Path:
        path = self.data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def declare(self, app: str = "app", **changes: str) -> dict[str, str]:
        """Writes the quadlets of an app, with some texts in them replaced."""
        files = quadlets(app, json.loads(_replaced(json.dumps(COMPOSE), changes)), OWNER, {"web": "auto"})
        shutil.rmtree(self.data / "quadlets" / app, ignore_errors=True)
        for name, text in files.items():
            self.put(f"quadlets/{app}/{name}", text)
        return files

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        (self.state / "log").write_text("")
        command = ["/bin/sh", str(self.script), *arguments]
        return subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=60, check=False)

    def right(self, *arguments: str) -> list[str]:
        """The calls of a run that succeeds, but for those that only look."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        looks = (" inspect ", " exists ", " is-active ", " show ")
        return [line for line in (self.state / "log").read_text().splitlines() if not any(look in line for look in looks)]

    def told(self) -> list[str]:
        path = self.state / "told"
        return path.read_text().splitlines() if path.exists() else []


def _replaced(text: str, changes: dict[str, str]) -> str:
    for old, new in changes.items():
        text = text.replace(old, new)
    return text


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_up_pulls_installs_and_starts(machine: Machine) -> None:
    files = machine.declare()
    assert machine.right("up", "app") == [
        "podman pull --quiet docker.io/library/postgres:16",
        "podman pull --quiet docker.io/library/nginx:1",
        "systemctl daemon-reload",
        "systemctl start app-db.service app-web.service",
    ]
    assert {path.name: path.read_text() for path in (machine.installed / "zerotoil-app").iterdir()} == files


def test_a_second_up_changes_nothing(machine: Machine) -> None:
    machine.declare()
    machine.right("up", "app")
    assert machine.right("up", "app") == ["systemctl start app-db.service app-web.service"]


def test_only_what_has_changed_is_restarted(machine: Machine) -> None:
    machine.declare()
    machine.right("up", "app")
    machine.declare(**{"nginx:1": "nginx:2"})
    assert machine.right("up", "app") == [
        "podman pull --quiet docker.io/library/nginx:2",
        "systemctl daemon-reload",
        "systemctl restart app-web.service",
        "systemctl start app-db.service app-web.service",
    ]


def test_a_run_that_broke_off_before_the_restart_is_finished_by_the_next(machine: Machine) -> None:
    machine.declare()
    machine.right("up", "app")
    (machine.state / "container-app-web-1").write_text("older")
    assert "systemctl restart app-web.service" in machine.right("up", "app")


def test_a_quadlet_edited_by_hand_is_put_right(machine: Machine) -> None:
    files = machine.declare()
    machine.right("up", "app")
    edited = machine.installed / "zerotoil-app" / "app-web.container"
    edited.write_text("[Container]\nImage=x\n")
    assert "systemctl daemon-reload" in machine.right("up", "app")
    assert edited.read_text() == files["app-web.container"]


def test_a_service_that_is_declared_no_more_is_stopped_first(machine: Machine) -> None:
    machine.declare()
    machine.right("up", "app")
    (machine.data / "quadlets/app/app-db.container").unlink()
    calls = machine.right("up", "app")
    assert calls[:2] == ["systemctl stop app-db.service", "systemctl daemon-reload"]
    assert not (machine.installed / "zerotoil-app" / "app-db.container").exists()


def test_a_changed_network_is_made_anew(machine: Machine) -> None:
    machine.declare()
    machine.right("up", "app")
    (machine.state / "network-app_default").write_text("older")
    assert machine.right("up", "app")[:4] == [
        "systemctl stop app-db.service",
        "systemctl stop app-web.service",
        "systemctl stop app-network.service",
        "podman network rm app_default",
    ]


def test_a_service_of_the_system_is_never_replaced(machine: Machine) -> None:
    machine.declare()
    vendor = machine.root / "usr/lib/systemd/system/app-db.service"
    vendor.parent.mkdir(parents=True)
    vendor.write_text("")
    done = machine.run("up", "app")
    assert done.returncode == 1
    assert "app-db.service is a service of the system" in done.stderr
    assert not machine.installed.exists()


def test_without_a_registry_nothing_is_touched(machine: Machine) -> None:
    machine.declare()
    machine.right("up", "app")
    machine.declare(**{"nginx:1": "nginx:2"})
    (machine.state / "no-registry").touch()
    assert machine.run("up", "app").returncode != 0
    assert "nginx:1" in (machine.installed / "zerotoil-app" / "app-web.container").read_text()
    assert (machine.state / "active-app-web.service").exists()


def test_what_does_not_start_is_named_with_its_last_lines(machine: Machine) -> None:
    machine.declare()
    (machine.state / "bad-app-web.service").touch()
    done = machine.run("up", "app")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "app-web.service does not run; its last lines:",
        "its last line",
        "podman.sh: not all services of app run",
    ]


def test_stop_leaves_the_units(machine: Machine) -> None:
    machine.declare()
    machine.right("up", "app")
    assert machine.right("stop", "app") == ["systemctl stop app-db.service", "systemctl stop app-web.service"]
    assert (machine.installed / "zerotoil-app" / "app-web.container").exists()


def test_remove_keeps_the_data(machine: Machine) -> None:
    machine.declare()
    machine.right("up", "app")
    (machine.state / "network-app_default").write_text("")
    own = machine.root / "var/mnt/data/apps/app/data"
    own.mkdir(parents=True)
    done = machine.run("remove", "app")
    assert done.stdout == "app is stopped; its data in /var/mnt/data/apps/app and its volumes are kept\n", done.stderr
    assert "volume" not in (machine.state / "log").read_text()
    assert not list(machine.installed.iterdir()) and not (machine.data / "quadlets/app").exists()
    assert not list(machine.state.glob("*-app*")) and own.is_dir()


def test_settle_brings_timer_and_apps_back_on_a_new_os_disk(machine: Machine) -> None:
    machine.declare()
    calls = machine.right("settle")
    assert calls[:2] == ["systemctl enable podman-auto-update.timer", "systemctl restart podman-auto-update.timer"]
    assert calls[-2:] == ["systemctl daemon-reload", "systemctl start app-db.service app-web.service"]
    assert "daemon-reload" not in "\n".join(machine.right("settle"))


def test_one_app_that_fails_does_not_keep_the_others_down(machine: Machine) -> None:
    machine.declare("app")
    machine.declare("zoo")
    (machine.state / "bad-app-web.service").touch()
    done = machine.run("settle")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "podman.sh: not up: app"
    assert (machine.state / "active-zoo-web.service").exists()


def report(updated: str) -> str:
    """`podman auto-update --format json` (cmd/podman/auto-update.go, autoUpdateOutput)."""
    entry = {
        "Unit": "app-web.service", "Container": "4f6c1a4f6c1a (app-web-1)", "ContainerName": "app-web-1",
        "ContainerID": "4f6c1a", "Image": "docker.io/library/nginx:1", "Policy": "registry", "Updated": updated,
    }  # fmt: skip
    return json.dumps([entry], indent=4)


TOLD = [
    ("true", ["updated app-web-1: app-web-1 runs a new image of docker.io/library/nginx:1."]),
    ("false", []),
    (
        "rolled back",
        [
            "rolled-back app-web-1: The new image of docker.io/library/nginx:1 did not start in app-web.service. "
            "The old one is back."
        ],
    ),
    (
        "failed",
        ["update-failed app-web-1: docker.io/library/nginx:1 could not be updated in app-web.service (failed). "
         "See: journalctl -u app-web.service"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("updated", "told"), TOLD, ids=[updated for updated, _ in TOLD])
def test_what_came_of_an_update_is_told(machine: Machine, updated: str, told: list[str]) -> None:
    machine.declare()
    machine.right("up", "app")
    (machine.state / "report.json").write_text(report(updated))
    (machine.state / "code").write_text("0")
    assert machine.run("update").returncode == 0
    assert machine.told() == told


def test_an_update_that_fails_as_a_whole_is_told_and_fails(machine: Machine) -> None:
    (machine.state / "code").write_text("125")
    assert machine.run("update").returncode == 125
    assert machine.told() == ["update-failed podman: podman auto-update failed: Error: no registry"]


def test_what_an_update_left_stopped_is_started_and_told(machine: Machine) -> None:
    machine.declare()
    machine.right("up", "app")
    (machine.state / "code").write_text("0")
    (machine.state / "active-app-db.service").unlink()
    assert "systemctl start app-db.service" in machine.right("update")
    assert machine.told() == ["missing app-db: After the updates app-db.service was inactive. It runs again."]


def test_no_notifier_breaks_nothing(machine: Machine) -> None:
    (machine.data / "bin/notify.sh").unlink()
    (machine.state / "report.json").write_text(report("true"))
    (machine.state / "code").write_text("0")
    assert machine.run("update").returncode == 0


def test_what_runs_is_written_down_and_that_failing_breaks_nothing(machine: Machine) -> None:
    machine.declare()
    machine.put("bin/ledger.sh", 'echo "$1 $ZEROTOIL_DATA" >>"$STATE/ledger"; exit 1\n')
    machine.right("up", "app")
    (machine.state / "code").write_text("0")
    assert machine.run("update").returncode == 0
    data = machine.root / "var/mnt/data"
    assert (machine.state / "ledger").read_text() == f"deploy {data}\nafter-updates {data}\n"


def running(machine: Machine, service: str, image: str) -> dict[str, object]:
    """What `podman ps` says of the container that stands for a service; CIDFile stands for the fields that are left out."""
    name = f"app-{service}-1"
    made_from = (machine.state / f"container-{name}").read_text().strip()
    labels = {"zerotoil.owner": OWNER, "zerotoil.app": "app", "zerotoil.unit": made_from}
    return {"Names": [name], "State": "running", "Image": f"docker.io/library/{image}", "CIDFile": "x", "Labels": labels}


def test_what_is_observed_is_what_drift_reads(machine: Machine) -> None:
    files = machine.declare()
    machine.right("up", "app")
    shown = [running(machine, "web", "nginx:1"), running(machine, "db", "postgres:16")]
    (machine.state / "ps.json").write_text(json.dumps(shown))
    observed = json.loads(machine.run("observe").stdout)
    assert observed["quadlets"] == {"app": files}
    assert "CIDFile" not in observed["containers"][0]
    assert drift("app", files, Seen.of(observed), OWNER) == []


def test_an_empty_guest_is_observed_too(machine: Machine) -> None:
    (machine.state / "ps.json").write_text("[]\n")
    assert json.loads(machine.run("observe").stdout) == {"quadlets": {}, "units": "", "containers": []}


@pytest.mark.parametrize("arguments", [(), ("up",), ("up", "../x"), ("up", "A"), ("up", "none"), ("dance",)])
def test_wrong_calls(machine: Machine, arguments: tuple[str, ...]) -> None:
    done = machine.run(*arguments)
    assert done.returncode == 1
    assert done.stderr.startswith("podman.sh: ")


DIGEST = "sha256:" + "a" * 64
HELD = f"docker.io/library/nginx@{DIGEST}"


def hold(machine: Machine, line: str) -> Path:
    own = machine.root / "var/mnt/data/apps/app/.zerotoil"
    own.mkdir(parents=True, exist_ok=True)
    (own / "pins").write_text(line)
    return own


def test_a_held_service_runs_its_image_by_digest_and_the_others_as_declared(machine: Machine) -> None:
    files = machine.declare()
    machine.right("up", "app")
    hold(machine, f"web {HELD}\ngone docker.io/library/x@{DIGEST}\n")
    assert machine.right("up", "app") == [
        f"podman pull --quiet {HELD}",
        "systemctl daemon-reload",
        "systemctl restart app-web.service",
        "systemctl start app-db.service app-web.service",
    ]
    folder = machine.installed / "zerotoil-app"
    assert {path.name: path.read_text() for path in folder.iterdir()} == held("app", files, [f"web {HELD}"])
    assert "AutoUpdate" in files["app-web.container"] and "AutoUpdate" not in (folder / "app-web.container").read_text()
    assert machine.right("up", "app") == ["systemctl start app-db.service app-web.service"]


def test_a_held_service_is_as_declared_to_the_plan(machine: Machine) -> None:
    files = machine.declare()
    hold(machine, f"web {HELD}\n")
    machine.right("up", "app")
    shown = [running(machine, "web", f"nginx@{DIGEST}"), running(machine, "db", "postgres:16")]
    (machine.state / "ps.json").write_text(json.dumps(shown))
    seen = json.loads(machine.run("observe").stdout)
    notes = f"apps/app/.zerotoil/pins:web {HELD}\n"
    guest = Guest("matrix", lambda _script: json.dumps({"podman": seen, "containers": [], "notes": notes}))
    assert PodmanApp(guest, "app", files, OWNER).plan() == []
    guest = Guest("matrix", lambda _script: json.dumps({"podman": seen, "containers": [], "notes": ""}))
    assert PodmanApp(guest, "app", files, OWNER).plan(), "and released, it is not"


def test_a_released_service_gets_the_newest_image(machine: Machine) -> None:
    """What is here of the tag may be from before it was held. A registry that is down keeps nothing down."""
    machine.declare()
    own = hold(machine, f"web {HELD}\n")
    machine.right("up", "app")
    for down in (False, True):
        (own / "pins").unlink(missing_ok=True)
        (own / "pull").touch()
        if down:
            (machine.state / "no-registry").touch()
        calls = machine.right("up", "app")
        assert "podman pull --quiet docker.io/library/nginx:1" in calls and not (own / "pull").exists()
        assert ("systemctl restart app-web.service" in calls) == (not down)


def test_the_generator_takes_what_is_held(machine: Machine) -> None:
    """podman's own: the container is of the image by digest, and its updates leave it alone."""
    files = held("app", machine.declare(), [f"web {HELD}"])
    line = command(generated(files)["app-web.service"])
    assert line[-1] == HELD and not any("autoupdate" in word for word in line)


@pytest.mark.parametrize("mark", ["var/mnt/data/zerotoil/undone/.app.halted", "var/lib/zerotoil/swap/blocked"])
def test_an_undo_that_was_cut_off_is_not_gone_around(machine: Machine, mark: str) -> None:
    machine.declare()
    (machine.root / mark).parent.mkdir(parents=True)
    (machine.root / mark).touch()
    done = machine.run("up", "app")
    assert (done.returncode, machine.installed.exists()) == (1, False) and "was cut off: zerotoil undo" in done.stderr
