"""swap.sh by the real shell and jq: what is stopped, that no app may start until `resume`, and which images are held."""

import copy
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from zerotoil.resources.guest import Guest, swap
from zerotoil.resources.guest.packaged import sent
from zerotoil.resources.guest.swap import Pin

OLD, NEW = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
SYSTEMCTL = r"""#!/bin/sh
echo "systemctl $*" >>"$LOG"
case $1 in
  show) case $2 in *What) echo /dev/disk ;; *) echo docker.service zerotoil-app@web.service zerotoil-app@later.service ;; esac ;;
  list-units) echo "zerotoil-notify-watch.timer loaded active" ;;
  start) case " $* " in *" var-mnt-data.mount "*) [ ! -e "$BUSY.start" ] && : >"$MOUNTED" ;; esac ;;
  is-enabled) [ ! -e "$BUSY.disabled" ] ;;
esac
"""
UMOUNT = '#!/bin/sh\necho "umount" >>"$LOG"\n[ ! -e "$BUSY" ] && rm "$MOUNTED"\n'
DOCKER = r"""#!/bin/sh
echo "docker $*" >>"$LOG"
case $1 in
  ps) [ ! -e "$BUSY.silent" ] && echo c1 ;;
  inspect) cat "$CONTAINERS"; [ ! -e "$BUSY.inspect" ] ;;
  update) [ -e "$BUSY.fixed" ] || sed -i "s/\"Name\": \"[a-z-]*\", \"Max/\"Name\": \"${2#--restart=}\", \"Max/g" "$CONTAINERS" ;;
esac
"""


def container(number: str, name: str, source: str, policy: str = "always", **more: Any) -> dict[str, Any]:
    return {
        "Id": number, "Name": f"/{name}", "Mounts": [{"Source": source}] if source else None, "State": {"Status": "running"},
        "HostConfig": {"RestartPolicy": {"Name": policy, "MaximumRetryCount": 3}}, "Config": {"Labels": {}}, **more,
    }  # fmt: skip


WEB = {"Config": {"Labels": {"com.docker.compose.project": "web"}}}
CONTAINERS = [
    container("c1", "mine", "/var/mnt/data/x", "on-failure"),
    container("c2", "elsewhere", "/srv"),
    container("c3", "watchtower", ""),
    container("c4", "web-db-1", "/var/mnt/data/apps/web", **WEB),
    container("c5", "off", "/var/mnt/data/y", "", State={"Status": "exited"}),
]


class Machine:
    """A root folder with a data disk on which the app web lies, and stubs for what only a real guest has."""

    def __init__(self, folder: Path) -> None:
        self.root, self.fake, self.log = folder / "root", folder / "fake", folder / "log"
        self.mounted, self.busy = folder / "mounted", folder / "busy"
        for part in ("var/mnt/data/apps/web/.zerotoil", "var/mnt/data/zerotoil/ledger", "proc/self", "etc", "dev"):
            (self.root / part).mkdir(parents=True)
        self.fake.mkdir()
        for name, text in (
            ("systemctl", SYSTEMCTL),
            ("docker", DOCKER),
            ("mountpoint", '#!/bin/sh\n[ -e "$MOUNTED" ]\n'),
            ("umount", UMOUNT),
        ):
            (self.fake / name).write_text(text)
            (self.fake / name).chmod(0o755)
        self.mounted.touch()
        self.containers = copy.deepcopy(CONTAINERS)
        (self.root / "dev/disk").touch()
        (self.root / "proc/self/mountinfo").write_text(f"36 25 253:16 / {self.root}/var/mnt/data rw - ext4 /dev/vdb rw\n")
        (self.web / "files").touch()
        self.entry("2026-11-25T02-00-00Z", OLD)

    @property
    def data(self) -> Path:
        return self.root / "var/mnt/data"

    @property
    def web(self) -> Path:
        return self.data / "apps/web/.zerotoil"

    @property
    def kept(self) -> Path:
        return self.root / "var/lib/zerotoil/swap"

    def entry(self, stamp: str, image: str) -> None:
        db = {"app": "web", "service": "db", "id": image, "digest": f"r.lan/db@{image}"}
        cache = {"app": "web", "service": "cache", "id": "same", "digest": "r.lan/cache@same"}
        built = {"app": "web", "service": "built", "id": image, "digest": None}
        text = json.dumps({"containers": [db, cache, built, {"app": "", "service": "watchtower", "id": image, "digest": "x"}]})
        (self.data / "zerotoil/ledger" / f"{stamp}.json").write_text(text)

    def shell(self, script: str) -> str:
        (self.root / "containers.json").write_text(json.dumps(self.containers))
        names = {
            "CONTAINERS": self.root / "containers.json",
            "LOG": self.log,
            "MOUNTED": self.mounted,
            "BUSY": self.busy,
            "ZEROTOIL_ROOT": self.root,
        }
        env = os.environ | {key: str(value) for key, value in names.items()} | {"PATH": f"{self.fake}:{os.environ['PATH']}"}
        done = subprocess.run(["sh", "-s"], input=script, env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def guest(self) -> Guest:
        return Guest("matrix", self.shell)

    def calls(self) -> list[str]:
        return self.log.read_text().splitlines()

    def blocked(self) -> bool:
        drop_in = self.root / "etc/systemd/system/zerotoil-app@.service.d/zerotoil-swap.conf"
        return self.kept.exists() and drop_in.exists() and f"ConditionPathExists=!{self.kept}" in drop_in.read_text()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_all_that_uses_the_disk_is_stopped_apps_first(machine: Machine) -> None:
    assert swap.release(machine.guest()) == ""
    calls = [call for call in machine.calls() if " stop " in call or call.startswith("docker update") or call == "umount"]
    assert calls == [
        "systemctl stop zerotoil-notify-watch.timer",
        "systemctl stop zerotoil-app@later.service zerotoil-app@web.service zerotoil-notify-watch.timer",
        "docker update --restart=no c1 c3 c4 c5",
        "docker stop -t 30 c1 c3 c4 c5",
        "umount",
    ], "docker itself goes on"
    assert not machine.mounted.exists()
    assert machine.blocked()


def test_what_keeps_it_busy_is_named_and_it_stays_mounted(machine: Machine) -> None:
    machine.busy.touch()
    process = machine.root / "proc/812"
    (process / "fd").mkdir(parents=True)
    (process / "comm").write_text("postgres\n")
    (process / "fd/3").symlink_to(machine.data / "pg/base")
    assert swap.release(machine.guest()) == "812 (postgres)"
    assert machine.mounted.exists()
    assert machine.blocked()


def test_a_mount_in_another_namespace_counts(machine: Machine) -> None:
    """A container's own mount keeps the disk in use although the host has it no more."""
    process = machine.root / "proc/913"
    (process / "fd").mkdir(parents=True)
    (process / "comm").write_text("pause\n")
    (process / "mountinfo").write_text("99 98 253:16 /x /data rw - ext4 /dev/vdb rw\n")
    assert swap.release(machine.guest()) == "913 (pause)"
    assert machine.mounted.exists(), "mounted again: the disk is not taken away under it"


def test_a_mount_of_a_part_of_the_disk_is_named_with_who_uses_it(machine: Machine) -> None:
    """Every process of the host has that mount: only those that use it tell something."""
    process = machine.root / "proc/913"
    (process / "fd").mkdir(parents=True)
    (process / "comm").write_text("pause\n")
    (process / "fd/1").symlink_to("/var/lib/rancher/k3s/agent/pod.log")
    own = machine.root / "proc/self/mountinfo"
    own.write_text(f"{own.read_text()}37 25 253:16 /k3s /var/lib/rancher rw - ext4 /dev/vdb rw\n")
    (process / "mountinfo").write_text(own.read_text())
    assert swap.release(machine.guest()) == "/var/lib/rancher, which is used by 913 (pause)"
    assert machine.mounted.exists(), "mounted again: the disk is not taken away under it"


def test_only_what_ran_otherwise_is_held(machine: Machine) -> None:
    machine.entry("2026-11-26T02-00-00Z", NEW)
    (machine.web / "pins").write_text("other r.lan/other@x\ndb r.lan/db@older\n")
    swap.release(machine.guest())
    (machine.data / "zerotoil/ledger/2026-11-26T02-00-00Z.json").unlink()  # yesterday's disk does not have it
    swap.take(machine.guest())
    assert swap.pin(machine.guest()) == [Pin("web", "built", ""), Pin("web", "db", f"r.lan/db@{OLD}")]
    assert (machine.web / "pins").read_text() == f"other r.lan/other@x\ndb r.lan/db@{OLD}\n"
    assert machine.blocked()


def test_what_was_stopped_runs_again_and_the_story_goes_on(machine: Machine) -> None:
    machine.entry("2026-11-26T02-00-00Z", NEW)
    swap.release(machine.guest())
    (machine.data / "zerotoil/ledger/2026-11-26T02-00-00Z.json").unlink()
    swap.take(machine.guest())
    machine.log.write_text("")
    assert swap.resume(machine.guest()) == ["zerotoil-app@web.service"], "the app that came later has no folder on this disk"
    calls = [call for call in machine.calls() if " start " in call or "update" in call]
    assert calls == [
        "docker update --restart=on-failure:3 c1",
        "docker update --restart=always c3",
        "docker update --restart=always c4",
        "docker update --restart=no c5",
        "docker start c1",
        "docker start c3",
        "systemctl start --no-block zerotoil-app@web.service",
        "systemctl start --no-block zerotoil-notify-watch.timer",
    ]
    assert not machine.blocked()
    assert not machine.kept.exists()
    assert (machine.data / "zerotoil/ledger/2026-11-26T02-00-00Z.json").exists()


def test_a_run_that_was_cut_off_does_not_forget_what_was(machine: Machine) -> None:
    """The second release sees containers that no more restart: what is brought back is what was at the first."""
    swap.release(machine.guest())
    machine.mounted.touch()
    for one in machine.containers:
        one["HostConfig"]["RestartPolicy"]["Name"] = "no"
    swap.release(machine.guest())
    assert "c4 web always running" in (machine.kept / "containers").read_text().splitlines()


def test_twice_does_no_more(machine: Machine) -> None:
    """Of a run that was cut off: the second release still knows what to start, and the second resume nothing."""
    swap.release(machine.guest())
    assert swap.release(machine.guest()) == ""
    swap.take(machine.guest())
    assert swap.resume(machine.guest()) == ["zerotoil-app@web.service"]
    assert swap.pin(machine.guest()) == []
    assert swap.resume(machine.guest()) == []


def fails(machine: Machine, verb: str) -> str:
    """What it says when it does not do it."""
    with pytest.raises(AssertionError) as caught:
        machine.shell(sent("swap.sh", verb, parts=["part-users.sh", "part-images.sh"]))
    return str(caught.value)


def test_a_container_that_would_start_by_itself_keeps_the_disk(machine: Machine) -> None:
    machine.busy.with_name("busy.fixed").touch()
    assert "could not be kept from starting by itself" in fails(machine, "release")
    assert machine.mounted.exists()


def test_a_docker_that_does_not_answer_keeps_the_disk(machine: Machine) -> None:
    """Its containers could be there all the same. One that is switched off has none that would start."""
    for part in ("inspect", "silent"):
        machine.busy.with_name(f"busy.{part}").touch()
        assert "Docker does not answer" in fails(machine, "release")
        assert machine.mounted.exists()
    machine.busy.with_name("busy.disabled").touch()
    assert swap.release(machine.guest()) == ""


def test_it_is_busy_too_where_it_cannot_be_mounted_again(machine: Machine) -> None:
    """And at the second try, when the host has it no more."""
    process = machine.root / "proc/913"
    (process / "fd").mkdir(parents=True)
    (process / "comm").write_text("pause\n")
    (process / "mountinfo").write_text("99 98 253:16 /x /data rw - ext4 /dev/vdb rw\n")
    machine.busy.with_name("busy.start").touch()
    for _ in range(2):
        assert swap.release(machine.guest()) == "913 (pause)"
        assert not machine.mounted.exists()


def test_who_only_sees_the_mount_of_the_host_is_not_named(machine: Machine) -> None:
    machine.busy.touch()
    for pid, namespace in (("self", "mnt:[1]"), ("1", "mnt:[1]"), ("914", "mnt:[2]")):
        process = machine.root / "proc" / pid
        (process / "ns").mkdir(parents=True)
        (process / "ns/mnt").symlink_to(namespace)
        (process / "comm").write_text("some\n")
        (process / "mountinfo").write_text((machine.root / "proc/self/mountinfo").read_text())
    assert swap.release(machine.guest()) == "914 (some)"


def test_k3s_is_held_back_and_its_binary_forgotten_and_docker_is_not_woken(machine: Machine) -> None:
    """The binary that runs next is the one that lies beside the datastore."""
    (machine.data / "zerotoil/k3s").mkdir()
    (machine.data / "zerotoil/k3s/k3s.sh").touch()
    noted = machine.root / "var/lib/zerotoil/k3s-binary"
    noted.parent.mkdir(parents=True)
    noted.touch()
    assert swap.release(machine.guest()) == ""
    for unit in ("k3s.service", "k3s-agent.service"):
        drop_in = machine.root / f"etc/systemd/system/{unit}.d/zerotoil-swap.conf"
        assert f"ConditionPathExists=!{machine.kept}" in drop_in.read_text()
    assert not noted.exists()
    assert not [call for call in machine.calls() if call.startswith("docker")]


@pytest.mark.parametrize("there", [True, False])
def test_k3s_starts_again_where_this_data_has_it(machine: Machine, there: bool) -> None:
    swap.release(machine.guest())
    with (machine.kept / "units").open("a") as units:
        units.write("k3s-pods.service\nk3s.service\n")
    if there:
        (machine.data / "zerotoil/k3s").mkdir()
        (machine.data / "zerotoil/k3s/k3s.sh").touch()
    swap.take(machine.guest())
    assert ("k3s.service" in swap.resume(machine.guest())) is there
    assert ("systemctl start --no-block k3s.service" in machine.calls()) is there


def test_no_app_starts_when_the_ledger_cannot_be_read(machine: Machine) -> None:
    swap.release(machine.guest())
    swap.take(machine.guest())
    (machine.data / "zerotoil/ledger/2026-11-25T02-00-00Z.json").write_text("{")
    assert "cannot be read: no app was started" in fails(machine, "pins")
    assert machine.blocked()


def test_what_a_resume_that_was_cut_off_left_is_started_by_the_next(machine: Machine) -> None:
    swap.release(machine.guest())
    swap.take(machine.guest())
    machine.kept.rename(machine.kept.with_name("swap.done"))
    swap.release(machine.guest())
    swap.take(machine.guest())
    machine.log.write_text("")
    swap.resume(machine.guest())
    assert "docker update --restart=on-failure:3 c1" in machine.calls()
    assert not machine.kept.with_name("swap.done").exists()
