"""Another OS under the same data: there, back, back by itself, and cut off after every step."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from lxml import etree

from tests.layers.conftest import FILESYSTEM
from tests.layers.test_plan import planned
from tests.workflows.conftest import CONTENT, NEW, Machine
from zerotoil.cli.timeline_view import words
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.layers.notices import notices
from zerotoil.layers.timeline.look import migrations
from zerotoil.model.data_volume import DataMark, VolumeState
from zerotoil.render.domain_mark import Move
from zerotoil.resources.hypervisor.domain_fields import config_path
from zerotoil.resources.nas.clone import write_marks
from zerotoil.resources.nas.mark import write_mark
from zerotoil.resources.nas.os_changes import End, OsChange, changes_of_os, note_change, noted
from zerotoil.workflows.migrate import dry_run, migrate, with_image
from zerotoil.workflows.migrate_journey import Journey, Wish
from zerotoil.workflows.migrate_steps import BACK, FORWARD
from zerotoil.workflows.rebuild import rebuild

OURS = DataMark("home/matrix", VolumeState.DATA, FILESYSTEM)
BACKWARD = Wish(back=True)


class Killed(BaseException):
    """As by kill -9: nothing of ours runs after it."""


def kill_after(step: str) -> Callable[[str], None]:
    def after(name: str) -> None:
        if name == step:
            raise Killed

    return after


def settled(machine: Machine, generation: int) -> None:
    """It runs from this OS disk, nothing is under way, and the data was not touched."""
    assert (machine.mark.generation, machine.mark.move, machine.mark.booted, machine.running) == (generation, None, True, True)
    assert machine.data() == (OURS, CONTENT)
    assert machine.site.hypervisor.domains()["matrix"].autostart


def refused(machine: Machine, code: Code, wish: Wish | None = None) -> LabError:
    with pytest.raises(LabError) as caught:
        migrate(machine.site, wish)
    assert caught.value.code is code, caught.value
    return caught.value


def test_there(machine: Machine) -> None:
    before = machine.site.hypervisor.domain_xml("matrix")
    migrate(machine.site)
    settled(machine, 2)
    assert machine.mark.os_release == NEW
    assert machine.os_disks() == ["matrix-os-1.qcow2", "matrix-os-2.qcow2"]
    for part in ("<uuid>", "<mac ", "<source protocol='iscsi'"):
        (line,) = (line for line in before.splitlines() if part in line)
        assert line in machine.site.hypervisor.domain_xml("matrix").splitlines()
    (taken,) = (line for line in machine.said if line.startswith("snapshot "))
    assert ": filesystem frozen (zerotoil snapshots matrix lists it)" in taken
    notes = {one.local.get("zerotoil:note") for one in machine.lab.sim.storage.snapshots()}
    assert notes == {f"before OS disk 2 ({NEW})"}
    assert not any(change for host in planned(machine.asked(machine.site)) for change in host.changes if "VM" in change.resource)


@pytest.mark.parametrize("step", [step.name for step in FORWARD])
def test_cut_off_after_any_step_a_second_run_finishes(machine: Machine, step: str) -> None:
    with pytest.raises(Killed):
        migrate(machine.site, after=kill_after(step))
    assert machine.data() == (OURS, CONTENT)
    migrate(machine.site)
    settled(machine, 2)
    assert machine.os_disks() == ["matrix-os-1.qcow2", "matrix-os-2.qcow2"]


@pytest.mark.parametrize("step", [step.name for step in FORWARD if step.name not in ("check", "prepare", "settle", "clear")])
def test_cut_off_after_any_step_it_can_be_called_off(machine: Machine, step: str) -> None:
    with pytest.raises(Killed):
        migrate(machine.site, after=kill_after(step))
    if step in ("note", "snapshot"):
        refused(machine, Code.NO_EARLIER_OS, BACKWARD)  # it never left, and still runs
        return
    migrate(machine.site, BACKWARD)
    settled(machine, 1)


@pytest.mark.parametrize("step", [step.name for step in BACK])
@pytest.mark.parametrize("second", [Wish(), BACKWARD], ids=["migrate", "back"])
def test_cut_off_on_the_way_back_a_second_run_finishes_it(machine: Machine, step: str, second: Wish) -> None:
    machine.silent = {2}
    with pytest.raises(Killed):
        migrate(machine.site, after=kill_after(step))
    machine.silent = set()
    if step == BACK[-1].name:
        settled(machine, 1)
        return
    refused(machine, Code.MIGRATION_UNDONE, second)
    settled(machine, 1)


def config(machine: Machine) -> str:
    """The Ignition config that the VM would boot with."""
    machine.site.hypervisor.forget()
    return config_path(etree.fromstring(machine.site.hypervisor.domain_xml("matrix").encode())).rsplit("/", 1)[-1]


def test_back(machine: Machine) -> None:
    first = config(machine)
    machine.site = machine.asked(machine.site, vm_boot_timeout="1 second", ssh_authorized_keys=["ssh-ed25519 B you@desk"])
    migrate(machine.site)
    second = config(machine)
    assert first != second and {first, second} <= machine.site.hypervisor.storage.names("default")
    migrate(machine.site, BACKWARD)
    settled(machine, 1)
    assert config(machine) == first and second in machine.site.hypervisor.storage.names("default")
    assert machine.os_disks() == ["matrix-os-1.qcow2", "matrix-os-2.qcow2"]
    refused(machine, Code.NO_EARLIER_OS, BACKWARD)
    migrate(machine.site)
    settled(machine, 3)  # the one that was gone back from is kept, not written over


@pytest.mark.parametrize("step", [step.name for step in FORWARD if step.name not in ("settle", "clear")])
def test_going_back_that_is_cut_off_is_finished_too(machine: Machine, step: str) -> None:
    migrate(machine.site)
    with pytest.raises(Killed):
        migrate(machine.site, BACKWARD, after=kill_after(step))
    migrate(machine.site, BACKWARD if machine.mark.generation == 2 else Wish())
    settled(machine, 1)


@pytest.mark.parametrize(
    ("breaks", "said"),
    [("silent", "no answer over SSH"), ("unmounted", "/var/mnt/data is not mounted"), ("other_data", "is ext4 \"data\" another"),
     ("down", "not up: web/main")],
)  # fmt: skip
def test_a_new_os_that_does_not_hold_goes_back_by_itself(machine: Machine, breaks: str, said: str) -> None:
    setattr(machine, breaks, {2})
    error = refused(machine, Code.MIGRATION_UNDONE)
    assert said in error.what and error.what.endswith("OS disk 1 (44.20260802.3.1) is running again")
    assert "; the data of before is in tank/lab/matrix@manual-" in error.remedy
    settled(machine, 1)
    setattr(machine, breaks, set())
    migrate(machine.site)
    settled(machine, 2)


def test_the_plug_is_pulled_only_on_an_os_that_holds_no_data(machine: Machine) -> None:
    machine.silent = machine.deaf = {2}
    refused(machine, Code.MIGRATION_UNDONE)
    said = "powering off: the new OS never came up, the guest does not answer (matrix: no answer over SSH in 60 s)"
    assert said in machine.said
    settled(machine, 1)


def test_an_os_with_data_mounted_that_will_not_shut_down_is_left_running(machine: Machine) -> None:
    machine.down = machine.deaf = {2}
    error = refused(machine, Code.MIGRATION_STUCK)
    assert "not up: web/main" in error.what and "did not shut down within 1 s" in error.what
    assert error.remedy.endswith("zerotoil migrate matrix --back")
    assert machine.running and machine.mark.generation == 2 and machine.data() == (OURS, CONTENT)
    machine.deaf = set()
    refused(machine, Code.MIGRATION_UNDONE)
    settled(machine, 1)


@pytest.mark.parametrize("again", [Wish(), BACKWARD], ids=["migrate", "back"])
def test_an_os_that_is_shutting_down_is_not_taken_for_one_that_never_came_up(machine: Machine, again: Wish) -> None:
    """It does not answer any more, and may be writing its last."""
    machine.down = machine.deaf = machine.slow = {2}
    refused(machine, Code.MIGRATION_STUCK)
    refused(machine, Code.MIGRATION_STUCK, again)
    assert machine.running and machine.mark.generation == 2 and machine.mark.move
    machine.site.hypervisor.power_off("matrix")  # as it goes off at last
    refused(machine, Code.MIGRATION_UNDONE, again)
    settled(machine, 1)


def test_a_guest_that_will_not_shut_down(machine: Machine) -> None:
    machine.deaf = {1}
    error = refused(machine, Code.SHUTDOWN_TIMEOUT)
    assert error.remedy.endswith("or pull the plug yourself: zerotoil migrate matrix --force-off")
    settled(machine, 1)
    migrate(machine.site, Wish(force_off=True))
    settled(machine, 2)


def test_a_guest_that_looks_after_its_os_does_not_restart_meanwhile(machine: Machine) -> None:
    machine.looks_after_os, machine.deaf = True, {1}
    refused(machine, Code.SHUTDOWN_TIMEOUT)
    held, free = machine.busy
    assert held.startswith("mkdir -p /run/zerotoil-busy") and "'a migration is at work'" in held
    assert free == "rm -f /run/zerotoil-busy/migration"
    machine.deaf = set()
    migrate(machine.site)
    settled(machine, 2)
    assert machine.busy[2:] == [held], "a restart takes the note away"


@pytest.mark.parametrize("lenient", [False, True])
def test_a_note_that_cannot_be_written_changes_nothing(machine: Machine, lenient: bool) -> None:
    """And a rebuild does not take the guest for an unhealthy one, to which there would be no way back."""
    machine.looks_after_os = machine.run_is_full = True
    refused(machine, Code.GUEST_COMMAND_FAILED, Wish(lenient=lenient))
    settled(machine, 1)


def test_a_vm_that_is_off(machine: Machine) -> None:
    machine.site.hypervisor.power_off("matrix")
    assert "zerotoil rebuild matrix" in refused(machine, Code.VM_OFF).remedy
    assert not machine.running and machine.os_disks() == ["matrix-os-1.qcow2"]


def test_a_host_without_a_record_of_its_data(machine: Machine) -> None:
    write_mark(machine.site.nas, machine.site.spec.zvol, DataMark("home/matrix", VolumeState.FIRST_BOOT))
    refused(machine, Code.NEVER_HEALTHY)


def test_a_data_disk_that_the_new_os_would_not_mount(machine: Machine) -> None:
    machine.site = machine.asked(machine.site, data_label="other")
    refused(machine, Code.DATA_DIFFERS)
    machine.site = machine.asked(machine.site)
    machine.other_data = {1}
    refused(machine, Code.DATA_DIFFERS)
    assert machine.os_disks() == ["matrix-os-1.qcow2"]


def test_the_guard_is_asked_before_and_again_before_the_start(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(Site, "before_first_boot", lambda _site: asked.append(machine.running))
    migrate(machine.site)
    assert asked == [True, False]

    def doubt(_site: Site) -> None:
        raise LabError("matrix: the data volume holds a partition table", code=Code.GUARD_PARTITION_TABLE)

    monkeypatch.setattr(Site, "before_first_boot", doubt)
    refused(machine, Code.GUARD_PARTITION_TABLE, BACKWARD)
    settled(machine, 2)


def test_doubt_after_the_switch_goes_back(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def doubt(_site: Site) -> None:
        if not machine.running:
            raise LabError("matrix: the data volume holds a partition table", code=Code.GUARD_PARTITION_TABLE)

    monkeypatch.setattr(Site, "before_first_boot", doubt)
    assert "holds a partition table" in refused(machine, Code.MIGRATION_UNDONE).what
    settled(machine, 1)


def test_a_pool_that_is_too_full(machine: Machine) -> None:
    storage = machine.site.hypervisor.storage
    rest = storage.available("default") - (1 << 29)
    size = f"<capacity>{rest}</capacity><allocation>{rest}</allocation>"
    storage.create("default", "big", f"<volume><name>big</name>{size}</volume>")
    refused(machine, Code.STORAGE_POOL_FULL)
    settled(machine, 1)


def test_images_that_are_not_there(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(Site, "before_first_boot", lambda _site: None)
    monkeypatch.setenv("ZEROTOIL_CACHE", str(machine.lab.folder / "cache"))
    machine.site = with_image(machine.site, image="/none.qcow2", sha256="0" * 64)
    refused(machine, Code.IMAGE_NOT_FOUND)
    machine.site = with_image(machine.site, stream="testing")
    assert refused(machine, Code.DOWNLOAD_FAILED).what.startswith("http://127.0.0.1:9/testing.json")
    settled(machine, 1)


@pytest.mark.parametrize(
    "asked", [{"stream": "a", "image": "b"}, {"sha256": "0"}, {"image": "b"}, {"image": "b", "sha256": "no"}]
)
def test_half_an_answer_about_the_image(machine: Machine, asked: dict[str, Any]) -> None:
    with pytest.raises(LabError) as caught:
        with_image(machine.site, **asked)
    assert caught.value.code is Code.WRONG_OPTION


def test_the_image_that_is_asked_for(machine: Machine) -> None:
    assert with_image(machine.site) is machine.site
    assert with_image(machine.site, stream="next").spec.os.stream == "next"
    by_path = with_image(machine.site, image="/a.qcow2", sha256="a" * 64)
    assert (by_path.spec.os.image, with_image(by_path, stream="next").spec.os.image) == ("/a.qcow2", None)


def test_old_os_disks_go_only_after_a_healthy_migration(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate(machine.site)
    rebuild(machine.site)
    settled(machine, 3)
    assert machine.os_disks() == ["matrix-os-2.qcow2", "matrix-os-3.qcow2"]
    assert [made.generation for made in machine.mark.earlier] == [2]
    machine.silent = {4}
    with pytest.raises(LabError):
        rebuild(machine.site)
    assert "matrix-os-2.qcow2" in machine.os_disks()


def test_a_dry_run_says_it_and_changes_nothing(machine: Machine) -> None:
    writes, made = machine.lab.sim.writes, dict(machine.site.hypervisor.writes)
    file = machine.lab.folder / "fcos-46.qcow2"
    lines = dry_run(with_image(machine.site, image=str(file), sha256="0" * 64), Wish())
    assert lines == [
        "would take a snapshot of tank/lab/matrix",
        "would shut the VM down, and start it from OS disk 2 (fcos-46) instead of OS disk 1 (44.20260802.3.1); the data volume "
        "stays as it is",
        "would go back by itself when OS disk 2 (fcos-46) is not healthy with the same data within 1 s",
    ]
    assert (machine.lab.sim.writes, dict(machine.site.hypervisor.writes)) == (writes, made)
    name = f"{machine.mark.os_release}.qcow2"
    same = dry_run(with_image(machine.site, image=f"/{name}", sha256="0" * 64), Wish())
    assert same == [
        "it runs from OS disk 1 (44.20260802.3.1) with this config already: nothing would change, if the image is the same file"
    ]
    with pytest.raises(Killed):
        migrate(machine.site, after=kill_after("switch"))
    assert dry_run(machine.site, Wish()) == [
        f"would go on with the migration from OS disk 1 (44.20260802.3.1) to OS disk 2 ({NEW}) that was cut off"
    ]


def test_watchtower_is_started_on_the_new_os_and_must_run_there(machine: Machine) -> None:
    machine.site = machine.asked(machine.site, docker_enabled=True, watchtower_enabled=True, vm_boot_timeout="1 second")
    machine.watchtower, machine.no_watchtower = {1}, {2}
    assert "container watchtower" in refused(machine, Code.MIGRATION_UNDONE).what
    settled(machine, 1)
    machine.no_watchtower = set()
    migrate(machine.site)
    settled(machine, 2)
    assert machine.watchtower == {1, 2}


def test_containers_that_no_app_declares_are_named(machine: Machine) -> None:
    machine.apps = ("web", "mine")
    migrate(machine.site)
    assert "no apps of the inventory, so a new OS disk will not have them: mine/main" in machine.said


def test_a_rebuild_takes_a_vm_that_is_off_or_silent(machine: Machine) -> None:
    machine.site.hypervisor.power_off("matrix")
    rebuild(machine.site)
    settled(machine, 2)
    machine.silent = {2}
    rebuild(machine.site)
    settled(machine, 3)
    machine.silent = {3, 4}
    with pytest.raises(LabError) as caught:
        rebuild(machine.site)
    assert caught.value.code is Code.REBUILD_UNHEALTHY
    machine.silent = {3, 4, 6}
    rebuild(machine.site)  # yet another disk, not the one that failed again
    settled(machine, 5)


def test_a_deploy_does_not_forget_an_unfinished_migration(machine: Machine) -> None:
    with pytest.raises(Killed):
        migrate(machine.site, after=kill_after("switch"))
    machine.lab.apply(machine.asked(machine.site, vm_cpus=5, vm_boot_timeout="1 second"))
    assert machine.mark.move and machine.running
    said = f"the change from OS disk 1 (44.20260802.3.1) to OS disk 2 ({NEW}) was cut off (zerotoil migrate matrix)"
    assert str(notices(machine.site)[0]) == f"VM matrix: deferred: {said}"
    migrate(machine.site)
    settled(machine, 2)
    assert not any("cut off" in notice.what for notice in notices(machine.site))


def told(machine: Machine) -> list[str]:
    """What the timeline says of changes of the OS, oldest first."""
    machine.site.nas.forget()
    return [words(event) for event in sorted(migrations(machine.site.nas, machine.site.spec), key=lambda event: event.time)]


FIRST, SECOND = "OS disk 1 (44.20260802.3.1)", f"OS disk 2 ({NEW})"
THERE, BACK_AGAIN = f"migrated from {FIRST} to {SECOND}", f"gone back from {SECOND} to {FIRST}, as asked"


def test_the_timeline_tells_it_there_and_back(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = count(int(datetime.now(UTC).timestamp()))
    monkeypatch.setattr(Site, "now", lambda _site: datetime.fromtimestamp(next(clock), UTC))
    migrate(machine.site)
    assert told(machine) == [THERE]
    writes = machine.site.nas.writes
    migrate(machine.site)
    assert (machine.site.nas.writes, told(machine)) == (writes, [THERE]), "a second run writes nothing"
    migrate(machine.site, BACKWARD)
    rebuild(machine.site)
    assert told(machine) == [THERE, BACK_AGAIN, f"rebuilt: OS disk 3 ({NEW}) in the place of {FIRST}"]
    machine.silent = {4}
    with pytest.raises(LabError) as caught:
        rebuild(machine.site)
    assert caught.value.code is Code.MIGRATION_UNDONE
    assert (
        told(machine)[-1]
        == f"went back from OS disk 4 ({NEW}) to OS disk 3 ({NEW}) by itself: matrix: no answer over SSH in 60 s after 1 s"
    )


@pytest.mark.parametrize("step", [step.name for step in FORWARD])
def test_it_is_told_once_wherever_it_is_cut_off(machine: Machine, step: str) -> None:
    with pytest.raises(Killed):
        migrate(machine.site, after=kill_after(step))
    migrate(machine.site)
    assert told(machine) == [THERE]


def test_it_is_told_once_when_it_is_cut_off_after_it_was_told(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    note, clock = Journey.note, count(int(datetime.now(UTC).timestamp()))
    monkeypatch.setattr(Site, "now", lambda _site: datetime.fromtimestamp(next(clock), UTC))

    def killed(journey: Journey, move: Move | None) -> None:
        if move is None:
            raise Killed
        note(journey, move)

    monkeypatch.setattr(Journey, "note", killed)
    with pytest.raises(Killed):
        migrate(machine.site)
    (before,) = changes_of_os(machine.site.spec, machine.site.nas)
    monkeypatch.setattr(Journey, "note", note)
    migrate(machine.site)
    settled(machine, 2)
    assert [before] == list(changes_of_os(machine.site.spec, machine.site.nas))


def test_the_timeline_tells_a_change_that_was_called_off(machine: Machine) -> None:
    with pytest.raises(Killed):
        migrate(machine.site, after=kill_after("switch"))
    migrate(machine.site, BACKWARD)
    assert told(machine) == [BACK_AGAIN]


def test_a_history_that_cannot_be_written_undoes_nothing(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    write = machine.site.nas.write

    def refusing(method: str, *params: Any) -> Any:
        if "zerotoil:os-" in str(params):
            raise LabError("no", code=Code.NAS_REFUSED)
        return write(method, *params)

    monkeypatch.setattr(machine.site.nas, "write", refusing)
    migrate(machine.site)
    settled(machine, 2)
    assert "the timeline will not tell of it: no" in machine.said


def test_a_rebuild_that_is_not_healthy_is_told_too(machine: Machine) -> None:
    machine.site.hypervisor.power_off("matrix")
    machine.silent = {2}
    with pytest.raises(LabError, match="the new OS disk is not healthy"):
        rebuild(machine.site)
    (event,) = told(machine)
    assert event.startswith(f"rebuilt: {SECOND} in the place of {FIRST}: not healthy: matrix: no answer")


def test_many_changes_and_long_reasons_fit(machine: Machine) -> None:
    spec, nas = machine.site.spec, machine.site.nas
    for number in range(43):
        note_change(spec, nas, f"manual-{number}", OsChange(End.REVERTED, "a", "b", number, "ü" * 300 + "x" * 900))
    found = sorted(changes_of_os(spec, nas), key=lambda one: one.time)
    assert [one.time for one in found] == list(range(3, 43))
    assert all(one.why.startswith("ü" * 300) for one in found)
    note_change(spec, nas, "manual-x", OsChange(End.REVERTED, "a", "b", 99, '"' * 900))
    assert all(len(text.encode()) <= 1024 for text in noted(spec, nas).values())
    write_marks(nas, spec.zvol, {"os-x": "{"})
    with pytest.raises(LabError, match="zerotoil:os-x .* cannot be read"):
        list(migrations(nas, spec))
