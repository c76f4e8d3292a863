"""A host with more volumes than one, in every workflow: each is proven, named, left alone, and found again."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from lxml import etree

from tests.layers.conftest import PretendLab
from tests.layers.test_volumes import DB, MEDIA, seen
from tests.resources.nas.conftest import VERSIONS, plan, simulator
from tests.workflows.conftest import Machine, make_machine
from tests.workflows.conftest import pretend_lab as pretend_lab
from tests.workflows.restore_lab import Lab
from tests.workflows.test_restore import SERIAL, SNAPSHOT
from tests.workflows.test_restore import make as make
from tests.workflows.test_undo import Lab as UndoLab
from tests.workflows.test_undo import build, guarded
from zerotoil.cli import restore as command_restore
from zerotoil.cli import snapshots as command_snapshots
from zerotoil.cli import undo as command
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.layers.restores import look
from zerotoil.layers.snapshots import look as snapshots
from zerotoil.model.data_volume import DataMark, VolumeState
from zerotoil.model.volumes import volume
from zerotoil.resources.guest import Guest, quiesce
from zerotoil.resources.hypervisor.hot_disk import live_disks
from zerotoil.resources.nas.mark import read_mark, write_mark
from zerotoil.workflows.delete_data import delete, foreseen
from zerotoil.workflows.destroy import destroy, staying
from zerotoil.workflows.migrate import migrate
from zerotoil.workflows.migrate_journey import Wish
from zerotoil.workflows.rebuild import rebuild
from zerotoil.workflows.restore import drop, mount_beside, wanted, would_drop
from zerotoil.workflows.snapshot import take
from zerotoil.workflows.undo import look_ahead, undo

MORE = {"media": {"size": "2 GiB", "filesystem": "xfs"}, "db": {"size": "1 GiB"}}
PATHS = {name: f"tank/lab/matrix/{name}" for name in ("data", "media", "db")}
ALL = {"/var/mnt/media": seen(MEDIA), "/var/mnt/db": seen(DB)}
UNITS = ["var-mnt-data.mount", "var-mnt-media.mount", "var-mnt-db.mount"]


class Several:
    """A machine whose guest says which of them it has mounted, by generation of its OS disk."""

    def __init__(self, machine: Machine) -> None:
        self.machine, self.mounts, self.without = machine, dict[int, Any](), set[int]()
        site = machine.site
        self.site = Site(site.spec, site.root, site.say, self.shell)
        for name, found in (("media", MEDIA), ("db", DB)):
            write_mark(site.nas, PATHS[name], DataMark(site.spec.owner, VolumeState.DATA, found))

    def shell(self, script: str) -> str:
        answer = self.machine.shell(script)
        if not answer.startswith("{"):
            return answer
        generation = self.machine.mark.generation
        units = UNITS[:1] if generation in self.without else UNITS
        return json.dumps({**json.loads(answer), "mounts": self.mounts.get(generation, ALL), "mount_units": units})

    def mark(self, name: str) -> DataMark | None:
        self.site.nas.forget()
        return read_mark(self.site.nas, PATHS[name])


@pytest.fixture
def several(pretend_lab: PretendLab, monkeypatch: pytest.MonkeyPatch) -> Several:
    return Several(make_machine(pretend_lab, monkeypatch, data_more=MORE))


def test_migrate_proves_each_of_them(several: Several) -> None:
    migrate(several.site)
    assert several.machine.mark.generation == 2
    assert several.mark("media") == DataMark("home/matrix", VolumeState.DATA, MEDIA)


@pytest.mark.parametrize("how", ["other", "unmounted", "unknown"])
@pytest.mark.parametrize("change", [migrate, rebuild])
def test_an_os_that_has_another_one_mounted_or_none_is_not_kept(
    several: Several, how: str, change: Callable[[Site], None]
) -> None:
    media = {} if how != "other" else {"/var/mnt/media": {**seen(MEDIA), "uuid": "other"}}
    several.mounts[2] = {"/var/mnt/db": seen(DB), **media}
    several.without |= {2} if how == "unknown" else set()  # an OS that was made without it
    with pytest.raises(LabError, match="/var/mnt/media is") as caught:
        change(several.site)
    assert caught.value.code is Code.MIGRATION_UNDONE
    assert several.machine.mark.generation == 1 and several.machine.running


def test_nothing_is_begun_while_one_is_not_what_was_recorded(several: Several) -> None:
    several.mounts[1] = {**ALL, "/var/mnt/db": {**seen(DB), "uuid": "other"}}
    with pytest.raises(LabError, match="/var/mnt/db is") as caught:
        migrate(several.site)
    assert caught.value.code is Code.DATA_DIFFERS and several.machine.mark.move is None


def test_a_new_one_comes_with_the_next_os_disk_and_is_recorded_then(several: Several) -> None:
    several.mounts[1], several.without = {"/var/mnt/media": seen(MEDIA)}, set()
    several.without.add(1)
    write_mark(several.site.nas, PATHS["db"], DataMark("home/matrix", VolumeState.BLANK))
    migrate(several.site)
    assert several.machine.mark.generation == 2
    assert several.mark("db") == DataMark("home/matrix", VolumeState.DATA, DB)


def test_back_to_an_os_that_did_not_know_it(several: Several) -> None:
    several.mounts[1] = {}
    several.without.add(1)
    migrate(several.site)
    migrate(several.site, Wish(back=True))
    assert several.machine.mark.generation == 1 and several.machine.running
    migrate(several.site)
    assert several.machine.mark.generation == 3 and several.mark("media") == DataMark("home/matrix", VolumeState.DATA, MEDIA)


def test_no_new_os_before_the_vm_is_defined_with_its_disk(pretend_lab: PretendLab, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = make_machine(pretend_lab, monkeypatch)
    site = machine.asked(machine.site, data_more=MORE, vm_boot_timeout="1 second")
    for resource in site.nas_resources():
        resource.apply()
    for change in (migrate, rebuild):
        with pytest.raises(LabError, match="the VM is not defined with the volume media yet") as caught:
            change(site)
        assert caught.value.code is Code.NEEDS_ANOTHER_FIRST
    assert machine.mark.move is None and machine.os_disks() == ["matrix-os-1.qcow2"]


def test_destroy_lists_each_and_a_deploy_finds_them_again(several: Several) -> None:
    assert staying(several.site) == [
        "the volume tank/lab/matrix/data stays (20 GiB, 0 MiB used), with 0 snapshots",
        "the volume tank/lab/matrix/media stays (2 GiB, 0 MiB used), with 0 snapshots",
        "the volume tank/lab/matrix/db stays (1 GiB, 0 MiB used), with 0 snapshots",
        "the target iqn.2005-10.org.freenas.ctl:matrix, its extents matrix, matrix-media, matrix-db and their mappings stay",
        "run the deploy again: each volume is found by its mark, and a new VM gets it",
    ]
    before = {name: several.mark(name) for name in PATHS}
    destroy(several.site)
    several.machine.lab.apply(several.machine.lab.site(data_more=MORE))
    assert {name: several.mark(name) for name in PATHS} == before


def test_data_of_one_is_deleted_by_its_name_and_the_rest_stays(several: Several) -> None:
    path = PATHS["media"]
    with pytest.raises(LabError, match="the VM matrix is defined, and may read it"):
        delete(several.site, path, path)
    xml = several.site.hypervisor.domain_xml("matrix")
    destroy(several.site)
    thief = etree.fromstring(xml.replace("<name>matrix<", "<name>thief<").encode())
    others = [disk for disk in thief.findall("devices/disk") if disk.findtext("serial") != "matrix-media"]
    for gone in [thief.find("uuid"), *others]:
        gone.getparent().remove(gone)  # type: ignore[union-attr]
    several.site.hypervisor.define("thief", etree.tostring(thief, encoding="unicode"))
    undeclared = several.machine.lab.site()
    for site in (several.site, undeclared):  # by its LUN on the NAS, whatever is declared
        with pytest.raises(LabError, match="the VM thief is defined, and may read it"):
            delete(site, path, path)
    several.site.hypervisor.undefine("thief")
    assert foreseen(several.site, path) == [f"{path}: 2 GiB, 0 MiB used; nothing brings it back", "extent matrix-media"]
    with pytest.raises(LabError, match="nothing was deleted"):
        delete(several.site, path, PATHS["db"])
    delete(several.site, path, path)
    assert several.mark("media") is None and several.mark("db") and several.mark("data")


def test_a_snapshot_holds_all_that_is_mounted_still_and_is_on_each(several: Several, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[list[str]] = []

    def hold(_guest: Guest, more: list[str]) -> quiesce.Hold:
        held.append(more)
        return quiesce.Hold(quiesce.Stillness.SYNCED, "a test")

    monkeypatch.setattr(quiesce, "hold", hold)
    take(several.site, "", several.site.now())
    assert held == [["/var/mnt/media", "/var/mnt/db"]]
    several.site.nas.forget()
    assert [len(snapshots(volume(several.site.spec, name).spec, several.site.nas)) for name in PATHS] == [1, 1, 1]


def test_one_that_is_lost_keeps_no_snapshot_and_no_way_back_from_the_others(several: Several) -> None:
    several.site.nas.write("pool.dataset.delete", PATHS["media"])
    several.site.nas.forget()
    take(several.site, "", several.site.now())
    several.site.nas.forget()
    assert [len(snapshots(volume(several.site.spec, name).spec, several.site.nas)) for name in ("data", "db")] == [1, 1]


# --- a snapshot of another volume beside the data


def of_media(lab: Lab, given: str = "latest", name: str = "", **more: Any) -> str:
    return mount_beside(wanted(lab.site, given, name, volume="media", **more))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("attach", ["network", "block"])
def test_a_snapshot_of_another_volume_beside_the_data(make: Callable[..., Lab], version: str, attach: str) -> None:
    lab = make(version, data_attach=attach, data_more=MORE)
    lab.filesystem = "xfs"
    lab.sim.storage.snapshot([f"{PATHS['media']}@{SNAPSHOT}"], {})  # the same name as on the data, as the schedule makes it
    lab.nas.forget()
    before = lab.everything()
    assert of_media(lab) == "/var/mnt/restore/media-2026-11-25-02-00"
    name = "media-2026-11-25-02-00"
    (one,) = look(lab.site).found
    assert (one.name, one.volume, one.lacks, one.snapshot) == (name, "media", (), f"{PATHS['media']}@{SNAPSHOT}")
    targets = [disk.find("target").get("dev") for disk in live_disks(lab.hypervisor, "matrix").values()]  # type: ignore[union-attr]
    assert targets == ["vda", "vdb", "vdc", "vdd", "vde"], "no name is taken twice"
    assert any(f"{PATHS['media']}-restore-{name}" in what for what in would_drop(lab.site, name))
    assert plan(lab.nas, lab.spec) == [], "a deploy leaves it alone"
    drop(lab.site, name)
    assert lab.everything() == before


def test_both_at_once_need_two_names(make: Callable[..., Lab]) -> None:
    lab = make(data_more=MORE)
    lab.sim.storage.snapshot([f"{PATHS['media']}@{SNAPSHOT}"], {})
    lab.nas.forget()
    mount_beside(wanted(lab.site, SNAPSHOT, "x"))
    lab.filesystem = "xfs"
    with pytest.raises(LabError, match="is a clone of tank/lab/matrix/data@") as caught:
        of_media(lab, name="x")
    assert caught.value.code is Code.CLONE_DIFFERS
    of_media(lab, name="y")
    assert {one.name: one.volume for one in look(lab.site).found} == {"x": "data", "y": "media"}
    assert SERIAL in lab.disks() and len(lab.disks()) == 4
    for name in ("x", "y"):
        drop(lab.site, name)
    assert look(lab.site).found == ()


def test_what_was_left_behind_says_how_it_is_finished(make: Callable[..., Lab]) -> None:
    lab = make(data_more=MORE)
    lab.sim.storage.snapshot([f"{PATHS['media']}@{SNAPSHOT}"], {})
    lab.nas.forget()
    lab.nas.write(f"{lab.nas.capabilities.snapshots}.clone",
                  {"snapshot": f"{PATHS['media']}@{SNAPSHOT}", "dataset_dst": f"{PATHS['media']}-restore-x"})  # fmt: skip
    lab.nas.forget()
    (one,) = look(lab.site).found
    assert one.finish == f"zerotoil restore matrix {PATHS['media']}@{SNAPSHOT} --beside --as x --volume media"


def test_a_volume_that_is_not_there_is_said(make: Callable[..., Lab]) -> None:
    lab = make(data_more=MORE)
    with pytest.raises(LabError, match="matrix has no volume music: it has data, media, db") as caught:
        wanted(lab.site, "latest", volume="music")
    assert caught.value.code is Code.NO_SUCH_VOLUME
    with pytest.raises(LabError, match="matrix: the volume db has no snapshots"):
        wanted(lab.site, "latest", volume="db")


def test_the_commands_take_its_name(make: Callable[..., Lab], monkeypatch: pytest.MonkeyPatch) -> None:
    lab = make(data_more=MORE)
    lab.sim.storage.snapshot([f"{PATHS['media']}@films"], {})
    lab.nas.forget()
    for module in (command_snapshots, command_restore):
        monkeypatch.setattr(module, "find", lambda _host, _inventory: lab.spec)
    monkeypatch.setattr(Site, "running_guest", lambda _site, _seconds=0, **_options: Guest("matrix", lab.shell))
    done = CliRunner().invoke(command_snapshots.snapshots, ["matrix", "--volume", "media", "--json"], catch_exceptions=False)
    told = json.loads(done.output)
    assert (told["volume"], [one["name"] for one in told["snapshots"]]) == (PATHS["media"], ["films"])
    line = ["matrix", "latest", "--beside", "--volume", "media", "--dry-run"]
    done = CliRunner().invoke(command_restore.restore, line, catch_exceptions=False)
    assert f"  clone {PATHS['media']}-restore-media-films of {PATHS['media']}@films" in done.output.splitlines()
    with pytest.raises(LabError, match="--as, --volume and --writable go with --beside"):
        CliRunner().invoke(command_restore.restore, ["matrix", "--list", "--volume", "media"], catch_exceptions=False)


# --- undo


@pytest.fixture
def undo_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[UndoLab]:
    with simulator() as sim:
        made = build(sim, tmp_path, monkeypatch, data_more=MORE)
        sim.storage.write(PATHS["media"], "films")  # type: ignore[attr-defined]
        yield guarded(made, monkeypatch)
        made.nas.close()


def test_an_undo_takes_the_data_back_and_leaves_the_others(undo_lab: UndoLab) -> None:
    lab = undo_lab
    ahead, said = look_ahead(lab.site), []
    undo(Site(lab.spec, Path(), shell=lab.shell, say=said.append), ahead)
    assert "shutting the VM down" in said, "QEMU's sessions for the other LUNs would stay while the extent is changed"
    assert lab.sim.storage.read(ahead.swap.new) == "yesterday"  # type: ignore[attr-defined]
    assert lab.sim.storage.read(PATHS["media"]) == "films"  # type: ignore[attr-defined]
    served = {extent["name"]: extent["disk"] for extent in lab.nas.query("iscsi.extent")}
    others = {f"matrix-{name}": f"zvol/{PATHS[name]}" for name in MORE}
    assert served == {"matrix": f"zvol/{ahead.swap.new}", **others}
    disks = live_disks(lab.hypervisor, "matrix")
    assert {serial: disk.find("target").get("dev") for serial, disk in disks.items()} == {  # type: ignore[union-attr]
        "os": "vda", "matrix-data": "vdb", "matrix-media": "vdc", "matrix-db": "vdd",
    }  # fmt: skip
    assert plan(lab.nas, lab.spec) == []


def test_an_undo_says_beforehand_that_the_others_stay(undo_lab: UndoLab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "find", lambda _host, _inventory: undo_lab.spec)
    monkeypatch.setattr(Site, "running_guest", lambda _site, _seconds=0, **_options: Guest("matrix", undo_lab.shell))
    done = CliRunner().invoke(command.undo, ["matrix", "--dry-run"], catch_exceptions=False)
    for name in MORE:
        said = f"  /var/mnt/{name} is another volume (tank/lab/matrix/{name}): it stays as it is, with what is in it now"
        assert said in done.output.splitlines()
