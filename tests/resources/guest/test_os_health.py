"""health.sh: what is judged, and the way back: once, to the deployment that was good last, whenever the power goes."""

import json
from pathlib import Path

import pytest

from tests.resources.guest.os_machine import Machine, deployment, image

NEW, OLD = image("2.0"), image("1.0")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path, strategy="off").ready()


def updated(machine: Machine) -> Machine:
    """It runs 2.0, which nobody has judged yet."""
    machine.change(deployments=[deployment("2.0", booted=True), deployment("1.0")])
    machine.env["ZEROTOIL_BOOT"] = "boot-2"
    return machine


def went_back(machine: Machine, *, was_cut: bool = False) -> None:
    """1.0 runs for good, and 2.0 is refused; told once. After a cut notify.sh may get it twice, and tells it once."""
    assert machine.boot() == "1.0" and machine.health() == 0
    state = machine.state_now
    assert machine.versions == ["1.0*", "2.0"] and state["good"]["version"] == "1.0"
    assert [bad["version"] for bad in state["bad"]] == ["2.0"] and state["pin"]["by"] == "gate"
    told = [line for line in machine.told() if line.startswith("rolled-back OS 2.0 (")]
    assert len(set(told) if was_cut else told) == 1
    assert "boot_counter" not in machine.ostree.get("grub", {})
    assert machine.os("update") == "pinned"


def test_the_first_deployment_is_judged_and_nobody_is_told(tmp_path: Path) -> None:
    machine = Machine(tmp_path, strategy="off")
    machine.install()
    assert "systemctl start --no-block zerotoil-os-health.service" in machine.log()
    assert machine.health() == 0
    assert machine.state_now["good"]["checksum"] == OLD["checksum"] and machine.told() == []
    machine.log()
    assert machine.health() == 0 and machine.log() == [], "what was judged is left alone"


def test_the_first_one_that_is_red_is_only_told_of(tmp_path: Path) -> None:
    machine = Machine(tmp_path, strategy="off")
    machine.install()
    machine.change(deployments=[deployment("1.0", booted=True), deployment("0.9")])
    machine.sick("1.0")
    for _ in range(2):
        assert machine.health() == 1
    (told, _) = machine.told()
    old = f"1.0 ({OLD['digest'][7:19]})"
    assert told == f"unhealthy OS {old}: {old} runs and is not healthy: probe: the probe fails."
    assert machine.changes() == [] and machine.state_now["good"] is None


RUNS = {"Id": "0123456789abcdef", "Names": ["web"], "State": "running", "Status": "Up 3 minutes (healthy)", "ExitCode": 0}
INIT = {**RUNS, "Names": ["web-init"], "State": "exited", "Status": "Exited (0) 3 minutes ago"}


@pytest.mark.parametrize(
    ("found", "red"),
    [
        ([RUNS, INIT], []),
        ([], ["app web: no container runs"]),
        ([INIT, {**RUNS, "State": "exited", "ExitCode": 1}], ["app web: web is exited"]),
        ([{**RUNS, "Names": [], "State": "created"}], ["app web: 0123456789ab is created"]),
        ([{**RUNS, "Status": "Up 3 minutes (unhealthy)"}], ["app web: web is not healthy"]),
        (None, ["podman does not answer", "app web: podman does not answer"]),
    ],
)
def test_podmans_apps(tmp_path: Path, found: list[dict[str, object]] | None, red: list[str]) -> None:
    machine = Machine(tmp_path, strategy="off", engine="podman")
    (machine.state / ("no-podman" if found is None else "podman.json")).write_text(json.dumps(found))
    machine.install()
    assert machine.health() == (1 if red else 0)
    assert machine.state_now["gate"]["failing"] == red


def test_green_after_an_update(machine: Machine) -> None:
    updated(machine)
    assert machine.health() == 0
    state = machine.state_now
    assert state["good"] == {key: NEW[key] for key in ("checksum", "version", "digest")} and state["gate"]["result"] == "green"
    (told,) = machine.told()
    assert told.startswith("updated OS 2.0 (") and "it was 1.0 (" in told, "a subject of its own: the next one is told as well"
    assert "ledger boot" in machine.log()


def test_red_goes_back_once_and_counts_it_before(machine: Machine) -> None:
    updated(machine)
    machine.sick("2.0")
    machine.change(stuck=True)  # so that what was written before is seen
    assert machine.health() == 1
    assert machine.state_now["rollbacks"] == {NEW["checksum"]: 1} and "systemctl reboot" not in machine.log()
    machine.change(stuck=None)
    assert machine.health() == 1, "what was begun is finished"
    assert machine.log()[-1] == "systemctl reboot" and machine.versions == ["1.0", "2.0*"]
    machine.told()
    assert machine.boot() == "1.0"
    machine.health()
    # Somebody boots it once more: it is judged, and left alone.
    machine.change(deployments=[deployment("2.0", booted=True), deployment("1.0")])
    machine.forget()
    assert machine.health() == 1 and machine.changes() == [] and machine.log() == []
    assert machine.state_now["rollbacks"] == {NEW["checksum"]: 1}


def test_red_ends_at_the_deployment_before(machine: Machine) -> None:
    updated(machine)
    machine.sick("2.0")
    assert machine.health() == 1 and machine.log()[-1] == "systemctl reboot"
    went_back(machine)


@pytest.mark.parametrize("before", ["0.9", None])
def test_never_to_one_that_is_not_the_last_good_one(machine: Machine, before: str | None) -> None:
    updated(machine)
    machine.change(deployments=[deployment("2.0", booted=True), *([deployment(before)] if before else [])])
    machine.sick("2.0")
    assert machine.health() == 1 and machine.changes() == []
    assert machine.told()[0].startswith("unhealthy OS 2.0 (") and machine.state_now["rollbacks"] == {}
    assert machine.os("rollback", "gate").startswith("failed ")


def test_what_is_staged_meanwhile_goes_first(machine: Machine) -> None:
    updated(machine)
    now = machine.ostree["deployments"]
    machine.change(deployments=[{**deployment("3.0"), "staged": True}, *now])
    machine.sick("2.0")
    machine.health()
    assert machine.changes() == ["rpm-ostree cleanup -p", "rpm-ostree rollback"]
    went_back(machine)


def test_without_the_data_disk_the_message_is_kept(machine: Machine) -> None:
    updated(machine)
    (machine.state / "unmounted").touch()
    assert machine.health() == 1 and machine.told() == []
    assert machine.state_now["gate"]["failing"] == ["/var/mnt/data is not mounted"]
    assert machine.boot() == "1.0" and machine.health() == 0 and machine.told() == []
    (machine.state / "unmounted").unlink()
    assert machine.health() == 0
    assert machine.told()[0].startswith("rolled-back OS 2.0 (") and machine.state_now["tell"] == []


def test_what_is_checked(machine: Machine) -> None:
    updated(machine)
    machine.declare(k3s=True)
    machine.install()
    for name in ("no-docker", "no-route", "no-dns"):
        (machine.state / name).touch()
    (machine.state / "missing-web").write_text("db\n")
    (machine.state / "red-web").write_text("front is unhealthy\n")
    (machine.data / "zerotoil/k3s").mkdir()
    (machine.data / "zerotoil/k3s/k3s.sh").write_text("echo the node is not ready: no network\n")
    machine.sick("2.0")
    machine.health()
    assert machine.state_now["gate"]["failing"] == [
        "Docker does not answer", "app web: db does not run", "app web: front is unhealthy",
        "k3s: the node is not ready: no network", "there is no default route", "DNS does not know registry.lan",
        "probe: the probe fails",
    ]  # fmt: skip


class TestBootCounter:
    @pytest.fixture
    def counting(self, machine: Machine) -> Machine:
        machine.counts()
        machine.declare(strategy="immediate")
        machine.install()
        machine.offer("2.0")
        assert machine.os("update") == "rebooting"
        assert machine.ostree["grub"] == {"boot_counter": "2", "boot_success": "0"}
        machine.forget()
        return machine

    def test_green_ends_the_counting(self, counting: Machine) -> None:
        assert counting.boot() == "2.0" and counting.health() == 0
        assert counting.ostree["grub"] == {"boot_success": "1"}

    def test_what_never_comes_up_is_refused_and_the_order_is_made_lasting(self, counting: Machine) -> None:
        assert counting.boot(dead=("2.0",)) == "1.0" and counting.versions == ["2.0", "1.0*"]
        assert counting.health() == 0
        assert counting.state_now["bad"][0]["why"] == "it did not come up"
        went_back(counting)

    def test_so_it_is_where_nobody_had_judged_the_one_before(self, tmp_path: Path) -> None:
        """A new machine that goes from the stock OS to an image which does not come up."""
        (new := tmp_path / "new").mkdir()
        machine = Machine(new, strategy="off")
        machine.counts()
        machine.install()
        machine.offer("2.0")
        stock = "ostree-image-signed:docker://quay.io/fedora/fedora-coreos:stable"
        machine.change(deployments=[deployment("1.0", stock, booted=True)])
        assert machine.os("rebase").startswith("staged 2.0")
        assert machine.os("reboot", "--now") == "rebooting"
        assert machine.boot(dead=("2.0",)) == "1.0" and machine.health() == 0
        went_back(machine)

    def test_the_power_may_go_while_it_is_made_lasting(self, counting: Machine) -> None:
        counting.boot(dead=("2.0",))
        at = 1
        while counting.cut(at, "health.sh"):
            assert counting.boot(clean=False, dead=("2.0",)) == "1.0"
            at += 1
        assert at > 2
        went_back(counting, was_cut=True)

    def test_red_with_a_counter(self, counting: Machine) -> None:
        counting.boot()
        counting.sick("2.0")
        assert counting.health() == 1
        went_back(counting)


def test_staged_and_not_there_after_a_power_cut_is_no_fault_of_it(machine: Machine) -> None:
    """The second time it is: it could not be put in place."""
    machine.offer("2.0")
    for again in (False, True):
        machine.os("update")
        assert machine.os("reboot", "--now") == "rebooting"
        assert machine.boot(clean=False) == "1.0" and machine.health() == 0
        assert bool(machine.state_now["bad"]) is again
    assert machine.state_now["pin"]["by"] == "gate"


def test_the_owner_goes_back_and_forth(machine: Machine) -> None:
    updated(machine)
    machine.health()
    machine.forget()
    assert machine.os("rollback", "owner") == "rebooting" and machine.log()[-1] == "systemctl reboot"
    assert machine.boot() == "1.0" and machine.health() == 0
    state = machine.state_now
    assert state["good"]["version"] == "1.0" and state["pin"]["by"] == "owner" and state["bad"][0]["why"] == "the owner went back"
    assert machine.told() == []


def test_nobody_goes_back_to_what_was_bad(machine: Machine) -> None:
    updated(machine)
    machine.sick("2.0")
    machine.health()
    went_back(machine)
    machine.forget()
    for who in ("owner", "gate"):
        assert machine.os("rollback", who) == "failed the deployment before was bad here"
    assert machine.changes() == [] and machine.log() == []
    machine.os("unpin", "--forget")
    assert machine.os("rollback", "owner") == "rebooting"


@pytest.mark.parametrize("counted", [False, True])
def test_the_power_may_go_at_any_moment_of_the_way_back(machine: Machine, tmp_path: Path, counted: bool) -> None:
    """Wherever it ends, it ends at 1.0, with one way back and one message; and what is asked for next is the same."""
    updated(machine)
    if counted:
        machine.counts()
        machine.change(grub={"boot_counter": "0"})
    machine.sick("2.0")
    begun = machine.ostree
    kept = machine.state_now
    at = 1
    while True:
        machine.ostree = begun
        (machine.base / "state.json").write_text(json.dumps(kept))
        was_cut = machine.cut(at, "health.sh")
        for _ in range(3):
            if machine.boot(clean=False) == "1.0":
                break
            assert machine.health() == 1
        went_back(machine, was_cut=was_cut)
        assert machine.state_now["rollbacks"] in ({NEW["checksum"]: 1}, {})
        if not was_cut:
            break
        at += 1
    assert at > 4
