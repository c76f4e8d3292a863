"""os.sh update and rebase: what is staged, what is refused, what is told, and that nothing stays half done."""

import fcntl
import json
from pathlib import Path

import pytest

from tests.resources.guest.os_machine import REFERENCE, REGISTRY, SATURDAY, Machine, deployment, image

OFF = {"strategy": "off"}  # nothing restarts


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path, **OFF).ready()


def test_nothing_new_fetches_nothing(machine: Machine) -> None:
    assert machine.os("update") == "nothing new"
    assert machine.state_now["checked"] == SATURDAY and machine.changes() == []


def test_a_newer_image_is_staged_and_waits(machine: Machine) -> None:
    machine.offer("2.0")
    assert machine.os("update") == f"staged 2.0 ({image('2.0')['digest'][7:19]})"
    assert machine.versions == ["2.0+", "1.0*"]
    machine.changes()
    assert machine.os("update") == "nothing new" and machine.changes() == []
    assert machine.told() == []


def test_a_pin_keeps_everything_away(machine: Machine) -> None:
    machine.offer("2.0")
    machine.os("update")
    assert machine.os("pin") == "ok"
    assert machine.versions == ["1.0*"]
    assert machine.os("update") == "pinned"
    assert machine.os("unpin") == "ok"
    assert machine.os("update").startswith("staged 2.0")


def test_a_bad_digest_is_refused_until_it_is_forgotten(machine: Machine) -> None:
    machine.offer("2.0")
    machine.os("update")
    machine.boot()
    machine.health()
    machine.os("rollback", "owner", "--no-reboot")
    assert machine.boot() == "1.0"
    machine.health()
    machine.os("unpin")
    machine.changes()
    assert machine.os("update") == f"refused {image('2.0')['digest']}, which was bad here"
    assert machine.changes() == []
    machine.os("unpin", "--forget")
    assert machine.os("update").startswith("staged 2.0")


def test_a_bad_deployment_under_another_name_is_dropped(machine: Machine) -> None:
    """An image for several architectures has a digest of its own, which is not its deployment's."""
    machine.change(deployments=[deployment("1.0", booted=True), deployment("2.0")])
    bad = {
        "checksum": image("2.0")["checksum"],
        "digest": image("2.0")["digest"],
        "version": "2.0",
        "why": "it was bad",
        "time": 1,
    }
    (machine.base / "state.json").write_text(json.dumps(machine.state_now | {"bad": [bad]}))
    machine.offer("2.0", deployed=image("2.0")["digest"])
    registry = machine.ostree["registry"]
    registry[f"{REGISTRY}:stable"]["digest"] = "sha256:list"
    machine.change(registry=registry)
    assert machine.os("update").startswith("refused 2.0")
    assert machine.versions == ["1.0*", "2.0"] or machine.versions == ["1.0*"]
    machine.changes()
    assert machine.os("update") == "refused sha256:list, which was bad here" and machine.changes() == []


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (
            {"broken": "pinging container registry: dial tcp: lookup registry.lan: no such host"},
            "the newest image cannot be asked for at",
        ),
        ({"full": True}, "the new image is not staged: error: Importing: Processing layer: No space left on device"),
    ],
)
def test_what_fails_is_told_once_and_tried_again(machine: Machine, broken: dict[str, object], words: str) -> None:
    machine.offer("2.0")
    machine.change(**broken)
    assert words in machine.os("update") and words in machine.os("update")
    (told, *more) = machine.told()
    assert told.startswith(f"update-failed OS update: {words}") and len(more) == 1, "and how to go on"
    assert machine.versions == ["1.0*"] and machine.state_now["problem"]["since"] == SATURDAY
    machine.change(**dict.fromkeys(broken))
    assert machine.os("update").startswith("staged 2.0")
    assert machine.state_now["problem"] is None and machine.told() == []
    machine.change(**broken)
    machine.offer("3.0")
    machine.os("update")
    assert len(machine.told()) == 2, "another time is told again"


def test_offline_is_no_check(machine: Machine) -> None:
    machine.os("update")
    machine.at(SATURDAY + 99999)
    machine.change(broken="no route to host")
    machine.os("update")
    assert machine.state_now["checked"] == SATURDAY


def test_what_is_not_judged_is_not_built_upon(machine: Machine) -> None:
    machine.offer("2.0")
    machine.os("update")
    machine.boot()
    machine.offer("3.0")
    assert machine.os("update") == "waits the running deployment is not judged yet"
    machine.health()
    assert machine.os("update").startswith("staged 3.0")


def test_two_runs_do_not_meet(machine: Machine) -> None:
    with (machine.base / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert machine.os("update") == "waits another run of os.sh is at work"


def test_a_login_of_the_host_is_used(machine: Machine) -> None:
    login = machine.root / "etc/ostree/auth.json"
    login.parent.mkdir(parents=True)
    login.write_text("{}")
    machine.os("update")
    (asked,) = [line for line in machine.log("calls") if "skopeo" in line]
    assert asked == f"skopeo inspect --no-tags --format {{{{.Digest}}}} docker://{REGISTRY}:stable --authfile {login}"


def test_apply_live_needs_no_restart(tmp_path: Path) -> None:
    machine = Machine(tmp_path, apply_live=True).ready()
    machine.offer("2.0")
    assert machine.os("update") == "ok"
    assert "rpm-ostree apply-live --allow-replacement" in machine.changes() and "systemctl reboot" not in machine.log()


def test_a_stream_is_zincatis(tmp_path: Path) -> None:
    machine = Machine(tmp_path, source="stream", reference=None, packages=["vim", "htop"]).ready()
    assert machine.os("update") == "waits the OS follows a stream, which Zincati looks after"
    assert machine.os("packages") == "ok" and machine.ostree["layered"] == ["htop", "vim"]
    machine.change(layered=["by-hand", "htop", "vim"])
    machine.declare(packages=["vim"])
    machine.install()
    assert machine.os("packages") == "ok" and machine.ostree["layered"] == ["by-hand", "vim"]


class TestRebase:
    @pytest.fixture
    def stock(self, tmp_path: Path) -> Machine:
        machine = Machine(tmp_path, **OFF)
        machine.change(
            deployments=[deployment("0.9", "ostree-image-signed:docker://quay.io/fedora/fedora-coreos:stable", booted=True)]
        )
        machine.install()
        return machine

    def test_it_is_tried_again_and_ends_in_one_deployment(self, stock: Machine) -> None:
        stock.change(broken="connection refused")
        for _ in range(2):
            done = stock.script("os.sh", "rebase")
            assert done.returncode == 1 and done.stdout.startswith("failed the newest image cannot be asked for")
        stock.change(broken=None)
        assert stock.os("rebase").startswith("staged 1.0")
        assert stock.os("rebase").startswith("staged 1.0"), "and nothing is done again"
        assert stock.changes() == [f"rpm-ostree rebase --bypass-driver {REFERENCE}"]
        assert stock.boot() == "1.0"
        stock.health()
        assert stock.os("rebase") == "ok" and stock.versions == ["1.0*", "0.9"]
        assert stock.changes() == []

    def test_the_power_may_go_at_any_moment(self, stock: Machine) -> None:
        at = 1
        while stock.cut(at, "os.sh", "rebase"):
            stock.boot(clean=False)
            at += 1
            stock.at(SATURDAY + at)  # so that the state is written each time
        assert at > 3 and stock.versions == ["1.0+", "0.9*"]

    def test_what_was_bad_does_not_come_by_this_door(self, stock: Machine) -> None:
        stock.health()
        stock.os("rebase")
        stock.boot()
        stock.sick("1.0")
        assert stock.health() == 1 and stock.boot() == "0.9"
        stock.health()
        stock.changes()
        assert stock.os("rebase") == "pinned"
        stock.os("unpin")
        assert stock.os("rebase").startswith("refused") and stock.changes() == []

    def test_another_reference_is_another_image(self, stock: Machine) -> None:
        """Only the prefix says that signatures count."""
        stock.os("rebase")
        stock.boot()
        stock.health()
        signed = f"ostree-image-signed:docker://{REGISTRY}:stable"
        stock.declare(reference=signed)
        stock.install()
        stock.changes()
        assert stock.os("update").startswith("staged 1.0")
        assert stock.changes() == [f"rpm-ostree rebase --bypass-driver {signed}"]
