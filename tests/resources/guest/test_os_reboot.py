"""os.sh reboot: only within the window, never while others are at work, and what it has taken hold of is let go of."""

import os
import subprocess
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.resources.guest.os_machine import K3S, SATURDAY, Machine, image
from zerotoil.resources.guest.packaged import script_text

NIGHT = [{"days": ["Sat"], "start": "03:00", "minutes": 120}]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Something is staged."""
    machine = Machine(tmp_path, strategy="window", windows=NIGHT).ready()
    machine.offer("2.0")
    machine.os("update")
    machine.forget()
    return machine


def at(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp())


class TestWindows:
    @pytest.mark.parametrize(
        ("now", "zone", "offset", "window", "open_"),
        [
            ("2025-01-11 03:00", "UTC", 0, "03:00 120 Sat", True),
            ("2025-01-11 02:59", "UTC", 0, "03:00 120 Sat", False),
            ("2025-01-11 04:59", "UTC", 0, "03:00 120 Sat", True),
            ("2025-01-11 05:00", "UTC", 0, "03:00 120 Sat", False),
            ("2025-01-12 03:30", "UTC", 0, "03:00 120 Sat", False),
            ("2025-01-12 03:30", "UTC", 0, "03:00 120 -", True),
            ("2025-01-13 03:30", "UTC", 0, "03:00 120 Mon,Tue,Wed,Thu,Fri", True),
            # a host's place among the others
            ("2025-01-11 03:19", "UTC", 1200, "03:00 120 Sat", False),
            ("2025-01-11 03:20", "UTC", 1200, "03:00 120 Sat", True),
            # across midnight: the day is that of its beginning
            ("2025-01-12 00:30", "UTC", 0, "23:00 120 Sat", True),
            ("2025-01-11 00:30", "UTC", 0, "23:00 120 Sat", False),
            ("2025-01-12 00:10", "UTC", 4800, "23:00 120 Sat", False),
            # the owner's time: 03:00 in Berlin is 02:00 UTC in winter, and in summer 01:00
            ("2025-01-11 03:00", "Europe/Berlin", 0, "03:00 60 Sat", True),
            ("2025-01-11 04:00", "Europe/Berlin", 0, "03:00 60 Sat", False),
            ("2025-07-12 03:00", "Europe/Berlin", 0, "03:00 60 Sat", True),
            ("2025-01-11 23:30", "America/Los_Angeles", 0, "23:00 60 Sat", True),
            # 02:30 does not exist in that night
            ("2025-03-30 03:40", "Europe/Berlin", 0, "02:30 60 Sun", True),
            ("2025-03-30 01:40", "Europe/Berlin", 0, "02:30 60 Sun", False),
        ],
    )
    def test_arithmetic(self, now: str, zone: str, offset: int, window: str, open_: bool) -> None:
        call = f"in_windows {at(now, zone)} {zone} {offset} <<'END'\n{window}\nEND\n"
        script = f"set -u\nroot=\ndata=\n{script_text('part-os-window.sh')}\n{call}"
        done = subprocess.run(["sh", "-s"], input=script, text=True, capture_output=True, timeout=60, check=False)
        assert done.stderr == "" and (done.returncode == 0) is open_


def test_outside_the_window_nothing_happens(machine: Machine) -> None:
    machine.at(SATURDAY - 60)
    assert machine.os("reboot") == "waits it is outside the window"
    assert machine.log("calls") == [] and machine.log() == [], "and nothing is even looked at"


def test_within_it_restarts_into_what_is_staged(machine: Machine) -> None:
    assert machine.os("reboot") == "rebooting" and machine.log()[-1] == "systemctl reboot"
    gate = machine.state_now["gate"]
    assert gate["checksum"] == image("2.0")["checksum"] and gate["result"] == "waiting"
    assert machine.boot() == "2.0" and machine.health() == 0
    assert machine.os("reboot") == "nothing is staged"


def test_a_zone_that_the_os_does_not_know_is_not_taken_for_utc(machine: Machine) -> None:
    machine.declare(timezone="Europe/Berlin")
    machine.install()
    assert machine.os("reboot") == "waits this OS does not know the time zone Europe/Berlin"
    zone = machine.root / "usr/share/zoneinfo/Europe/Berlin"
    zone.parent.mkdir(parents=True)
    zone.touch()
    machine.at(at("2025-01-11 03:10", "Europe/Berlin"))
    assert machine.os("reboot") == "rebooting"


def test_off_restarts_when_the_owner_says_so_only(machine: Machine) -> None:
    machine.declare(strategy="off")
    machine.install()
    assert machine.os("reboot") == "waits os_strategy is off"
    assert machine.os("reboot", "--now") == "rebooting"


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("var/lib/zerotoil/swap/", "an undo of the data disk is at work"),
        ("var/lib/zerotoil/swap.done/", "an undo of the data disk is at work"),
        ("var/mnt/data/zerotoil/undone/.web.halted", "an undo of the app web is at work"),
        ("var/mnt/data/zerotoil/undone/.web.new/", "an undo of the app web is at work"),
        ("run/zerotoil-busy/migrate", "it is being migrated"),
        ("run/zerotoil-frozen", "a snapshot is being taken"),
        ("activating", "zerotoil-reconcile.service is at work"),
        ("mountinfo", "a snapshot is mounted for a restore"),
    ],
)
def test_others_are_not_disturbed(machine: Machine, what: str, words: str) -> None:
    place = machine.root / what
    if what == "activating":
        (machine.state / what).write_text("zerotoil-reconcile.service loaded activating start\n")
    elif what == "mountinfo":
        folder = machine.root / "proc/self"
        folder.mkdir(parents=True)
        (folder / "mountinfo").write_text("36 25 254:32 / /var/mnt/restore/web ro - ext4 /dev/vdc ro\n")
        machine.env["ZEROTOIL_PROC"] = str(machine.root / "proc")
    elif what == "run/zerotoil-frozen":
        place.symlink_to(str(os.getpid()))
    elif what.endswith("/"):
        place.mkdir(parents=True)
    else:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("it is being migrated\n")
    assert machine.os("reboot") == f"waits {words}"
    assert machine.os("reboot", "--now") == f"waits {words}" and machine.log() == []
    if "busy" in what:  # who was cut off never takes it away
        os.utime(place, (long_ago := place.stat().st_mtime - 7260, long_ago))
        assert machine.os("reboot", "--now") == "rebooting"


def test_a_host_that_does_not_restart_is_as_before(machine: Machine) -> None:
    machine.counts()
    (machine.state / "no-reboot").touch()
    assert machine.os("reboot") == "waits systemd does not restart this host"
    assert machine.state_now["gate"] is None and "boot_counter" not in machine.ostree["grub"]


class TestFleetLock:
    @pytest.fixture
    def fleet(self, machine: Machine) -> Machine:
        machine.declare(strategy="fleet-lock", windows=[], fleet_lock="http://user:s3cret@lock.lan/")
        machine.install()
        machine.forget()
        return machine

    def test_given_and_given_back_when_it_is_well(self, fleet: Machine) -> None:
        assert fleet.os("reboot") == "rebooting"
        (asked,) = fleet.log("fleet-calls")
        assert "http://user:s3cret@lock.lan/v1/pre-reboot" in asked and "fleet-lock-protocol: true" in asked
        assert '"group":"default"' in asked and "s3cret" not in asked.partition("--max-time")[2], "it travels on stdin"
        fleet.boot()
        assert fleet.health() == 0
        (asked,) = fleet.log("fleet-calls")
        assert "/v1/steady-state" in asked and fleet.state_now["held"] == {}

    def test_red_keeps_it_from_the_others(self, fleet: Machine) -> None:
        fleet.os("reboot")
        fleet.boot()
        fleet.sick("2.0")
        fleet.forget()
        assert fleet.health() == 1 and fleet.log("fleet-calls") == []
        assert fleet.boot() == "1.0" and fleet.health() == 0
        assert "/v1/steady-state" in fleet.log("fleet-calls")[0]

    @pytest.mark.parametrize(
        ("how", "words"),
        [("refused", "the lock server says no: all 1 slots are taken (HTTP 409)"), ("down", "the lock server does not answer")],
    )
    def test_not_given(self, fleet: Machine, how: str, words: str) -> None:
        (fleet.state / "fleet").write_text(how)
        assert fleet.os("reboot") == f"waits {words}" and fleet.log() == []
        (fleet.state / "fleet").unlink()
        assert fleet.os("reboot") == "rebooting"


class TestK3s:
    @pytest.fixture
    def node(self, machine: Machine) -> Machine:
        machine.declare(k3s=True)
        machine.install()
        files = {
            "usr/local/bin/k3s": K3S, "etc/rancher/k3s/config.yaml": "node-name: matrix\n",
            "var/mnt/data/zerotoil/k3s/k3s.sh": "echo ready\n",
        }  # fmt: skip
        for name, text in files.items():
            (machine.root / name).parent.mkdir(parents=True, exist_ok=True)
            (machine.root / name).write_text(text)
        (machine.root / "usr/local/bin/k3s").chmod(0o755)
        machine.forget()
        return machine

    def test_it_is_drained_and_uncordoned_when_it_is_well(self, node: Machine) -> None:
        config = f"kubectl --kubeconfig {node.root}/etc/rancher/k3s/k3s.yaml"
        assert node.os("reboot") == "rebooting"
        assert node.log() == [
            f"k3s {config} drain matrix --ignore-daemonsets --delete-emptydir-data --timeout=600s", "systemctl reboot"
        ]  # fmt: skip
        node.boot()
        assert node.health() == 0 and f"k3s {config} uncordon matrix" in node.log()

    def test_one_that_cannot_be_drained_stays_up_and_is_told_of(self, node: Machine) -> None:
        (node.state / "no-drain").touch()
        assert node.os("reboot") == "waits the node cannot be drained"
        assert node.log()[-1].endswith("uncordon matrix")
        assert node.told()[0].startswith("update-failed OS update: the node cannot be drained: error: cannot evict pod")

    def test_an_agent_asks_its_own_pods_to_go(self, node: Machine) -> None:
        unit = node.data / "zerotoil/k3s/units/k3s-agent.service"
        unit.parent.mkdir()
        unit.touch()
        owned = '{"metadata": {"name": "svclb", "ownerReferences": [{"kind": "DaemonSet"}]}, "status": {"phase": "Running"}}'
        plain = '{"metadata": {"namespace": "web", "name": "front"}, "status": {"phase": "Running"}}'
        (node.state / "pods").write_text(f'{{"items": [{owned}, {plain}]}}')
        assert node.os("reboot") == "rebooting"
        lines = node.log()
        assert lines[0].endswith("kubelet.kubeconfig cordon matrix")
        assert (
            lines[2].endswith("create --raw /api/v1/namespaces/web/pods/front/eviction -f -") and lines[3] == "systemctl reboot"
        )
        assert '"name":"front"' in (node.state / "evictions").read_text()


def test_the_power_may_go_at_any_moment_of_an_update(tmp_path: Path) -> None:
    """From the question to the restart: afterwards the old one runs, and the next run gets through."""
    machine = Machine(tmp_path).ready()
    machine.counts()
    machine.offer("2.0")
    at_ = 1
    while machine.cut(at_, "os.sh", "update"):
        assert machine.boot(clean=False) == "1.0" and machine.health() == 0
        state = machine.state_now
        assert state["good"]["version"] == "1.0" and "boot_counter" not in machine.ostree["grub"]
        if state["bad"]:  # cut twice after the restart was noted
            machine.os("unpin", "--forget")
        at_ += 1
    assert at_ > 4 and machine.log()[-1] == "systemctl reboot"
    assert machine.boot() == "2.0" and machine.health() == 0 and machine.state_now["bad"] == []
