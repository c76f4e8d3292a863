"""A snapshot beside the data: made, listed, taken apart, and killed after every single write, with the data as it was."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from tests.resources.nas.conftest import VERSIONS, plan, simulator
from tests.workflows.restore_lab import VOLUME, Killed, Lab
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers.restores import find_snapshot, look
from zerotoil.minilab.nas.faults import Faults
from zerotoil.model.data_volume import VolumeState
from zerotoil.resources.hypervisor import hot_disk
from zerotoil.resources.nas import patience
from zerotoil.resources.nas.mark import read_mark
from zerotoil.workflows.restore import beside_steps, drop, drop_steps, mount_beside, wanted, would_drop

SNAPSHOT = "auto-2026-11-25_02-00"
CLONE = f"{VOLUME}-restore-x"
SERIAL = "zr-2d711642b726"


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Lab]]:
    monkeypatch.setattr(hot_disk, "_LOOK_SECONDS", 0.0)
    monkeypatch.setattr(patience, "_LOOK_SECONDS", 0.0)
    made: list[Any] = []

    def lab(version: str = "25.10", **keys: Any) -> Lab:
        sim = simulator(version, faults=Faults())
        made.append(sim)
        one = Lab(tmp_path, sim.__enter__(), monkeypatch, **keys)
        made.append(one)
        return one

    yield lab
    for one in made:
        if isinstance(one, Lab):
            one.nas.close()
    for one in made:
        if not isinstance(one, Lab):
            one.__exit__()


@pytest.fixture
def lab(make: Callable[..., Lab]) -> Lab:
    return make()


def beside(lab: Lab, given: str = SNAPSHOT, name: str = "x", **more: bool) -> str:
    return mount_beside(wanted(lab.site, given, name, **more))


def states(lab: Lab) -> dict[str, str]:
    return {one.name: one.state for one in look(lab.site).found}


@contextmanager
def refused(lab: Lab, code: Code, match: str) -> Iterator[None]:
    """With all as it was before."""
    before = lab.everything()
    with pytest.raises(LabError, match=match) as caught:
        yield
    assert (caught.value.code, lab.everything()) == (code, before)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("attach", ["network", "block"])
def test_made_listed_and_taken_apart(make: Callable[..., Lab], version: str, attach: str) -> None:
    lab = make(version, data_attach=attach)
    before = lab.everything()
    assert beside(lab) == "/var/mnt/restore/x"
    assert (lab.disks(), lab.mounts(), lab.data()) == ({SERIAL}, ["x ro,nosuid,nodev"], "today")
    assert lab.sim.storage.read(CLONE) == "yesterday"  # type: ignore[attr-defined]
    (one,) = look(lab.site).found
    assert (one.state, one.snapshot, one.lacks) == ("mounted read-only at /var/mnt/restore/x", f"{VOLUME}@{SNAPSHOT}", ())
    assert one.taken is not None and one.finish == ""
    writes = lab.sim.writes
    beside(lab, writable=True)
    assert (lab.sim.writes, lab.mounts()) == (writes, ["x rw,nosuid,nodev"]), "the second time only the mount changes"
    assert states(lab) == {"x": "mounted, writable, at /var/mnt/restore/x"}
    drop(lab.site, "x")
    assert lab.everything() == before
    assert states(lab) == {}


def test_the_disk_is_as_the_data_disk_except_that_it_pauses_nothing(lab: Lab) -> None:
    beside(lab)
    disk = lab.hypervisor._disks("matrix")[SERIAL]
    driver, source = disk.find("driver"), disk.find("source")
    assert driver is not None and source is not None
    assert (driver.get("error_policy"), driver.get("cache")) == ("report", "none")
    assert source.get("name", "").endswith(":matrix-restore-x/0")
    assert "chap-s3cret-0" not in lab.hypervisor.domain_xml("matrix", live=True)
    assert SERIAL not in lab.hypervisor.domain_xml("matrix"), "the definition stays"


@pytest.mark.parametrize("attach", ["network", "block"])
def test_libvirt_knows_all_that_is_plugged_in(make: Callable[..., Lab], attach: str) -> None:
    """Its schema is asked when a VM is defined."""
    lab = make(data_attach=attach)
    beside(lab)
    tree = etree.fromstring(lab.hypervisor.domain_xml("matrix").encode())
    devices = tree.find("devices")
    assert devices is not None
    devices.append(lab.hypervisor._disks("matrix")[SERIAL])
    lab.hypervisor.define("matrix", etree.tostring(tree, encoding="unicode"))
    assert SERIAL in lab.hypervisor.domain_xml("matrix")


def test_no_deploy_and_no_plan_can_delete() -> None:
    """The module that does is not even loaded."""
    line = "import sys; from zerotoil.edge.start import load_pyinfra; load_pyinfra()"
    line += "; import zerotoil.edge.deploy, zerotoil.layers.plan, zerotoil.layers"
    seen = f"{line}; print([name for name in sys.modules if name.endswith('.dropping')])"
    done = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


def test_the_login_is_no_part_of_the_next_start(make: Callable[..., Lab]) -> None:
    lab = make(data_attach="block")
    beside(lab)
    assert lab.hypervisor.storage.pools()["matrix-data-restore-x"] == (True, False), "started, and not with the hypervisor"


@pytest.mark.parametrize("attach", ["network", "block"])
def test_killed_after_every_write_and_run_again(make: Callable[..., Lab], attach: str) -> None:
    lab = make(data_attach=attach)
    before, writes = lab.everything(), 0
    while killed(lab, writes + 1, lambda: beside(lab)):
        writes += 1
        beside(lab)
        assert states(lab) == {"x": "mounted read-only at /var/mnt/restore/x"}, writes
        drop(lab.site, "x")
        assert lab.everything() == before, writes
    assert writes >= 8


@pytest.mark.parametrize("attach", ["network", "block"])
def test_killed_after_every_write_and_dropped(make: Callable[..., Lab], attach: str) -> None:
    lab = make(data_attach=attach)
    before, writes, unmarked = lab.everything(), 0, 0
    while killed(lab, writes + 1, lambda: beside(lab)):
        writes += 1
        if not (left := look(lab.site).found):
            assert lab.everything() == before, "nothing was begun"
            continue
        assert left[0].lacks == () or left[0].state.startswith("left behind: clone"), writes
        if "its mark" in left[0].lacks:
            unmarked += 1
            with refused(lab, Code.VOLUME_NOT_OURS, "is finished, and marked, by the same `zerotoil restore matrix SNAPSHOT"):
                drop(lab.site, "x")
            assert left[0].finish == f"zerotoil restore matrix {VOLUME}@{SNAPSHOT} --beside --as x"
            beside(lab)
        drop(lab.site, "x")
        assert lab.everything() == before, writes
    assert writes >= 8 and unmarked == 1


@pytest.mark.parametrize("attach", ["network", "block"])
def test_dropping_killed_after_every_write(make: Callable[..., Lab], attach: str) -> None:
    lab = make(data_attach=attach)
    before, writes = lab.everything(), 0
    while True:
        beside(lab)
        lab.sim.storage.snapshot([f"{CLONE}@auto-{writes}"], {})
        if not killed(lab, writes + 1, lambda: drop(lab.site, "x")):
            break
        writes += 1
        if look(lab.site).found:
            drop(lab.site, "x")
        assert lab.everything() == before, writes
    assert writes >= 7


def killed(lab: Lab, writes: int, run: Callable[[], object]) -> bool:
    """Was it killed, after so many writes? Else it came to its end before."""
    lab.kill_after(writes)
    try:
        run()
    except Killed:
        return True
    finally:
        lab.kill_after(0)
        lab.nas.forget()
        lab.hypervisor.forget()
    drop_all(lab)
    return False


def drop_all(lab: Lab) -> None:
    for one in look(lab.site).found:
        drop(lab.site, one.name)


def test_the_steps_are_said(lab: Lab) -> None:
    names = ["ready", "clone", "extent", "target", "mapping", "disk", "mount"]
    assert [step.name for step in beside_steps(wanted(lab.site, SNAPSHOT, "x"))] == names
    beside(lab)
    assert lab.said[1] == f"clone {CLONE} of {VOLUME}@{SNAPSHOT}"
    apart = ["unmount", "detach", "logout", "mapping", "target", "extent", "clone"]
    assert [step.name for step in drop_steps(lab.site, "x")] == apart


def test_what_would_be_dropped(make: Callable[..., Lab]) -> None:
    lab = make(data_attach="block")
    beside(lab)
    before = lab.everything()
    assert would_drop(lab.site, "x") == [
        f"mount /var/mnt/restore/x, disk {SERIAL}", "iSCSI pool matrix-data-restore-x",
        "mapping matrix-restore-x / matrix-restore-x", "target matrix-restore-x", "extent matrix-restore-x",
        f"clone {CLONE} of {VOLUME}@{SNAPSHOT}",
    ]  # fmt: skip
    assert lab.everything() == before


def test_a_deploy_finds_nothing_to_do_beside_it(lab: Lab) -> None:
    """Nor does it take the clone for the host's volume, or lose its own mark."""
    beside(lab)
    lab.sim.storage.snapshot([f"{VOLUME}@later", f"{CLONE}@later"], {})
    assert plan(lab.nas, lab.spec) == []
    assert (mark := read_mark(lab.nas, VOLUME)) is not None and mark.state is VolumeState.DATA
    assert read_mark(lab.nas, CLONE) is None


@pytest.mark.parametrize("given", [SNAPSHOT, f"{VOLUME}@{SNAPSHOT}", "latest"])
def test_how_a_snapshot_is_named(lab: Lab, given: str) -> None:
    if given == "latest":
        lab.snapshot("before-the-move")
    assert find_snapshot(lab.site, given) == f"{VOLUME}@{'before-the-move' if given == 'latest' else SNAPSHOT}"
    assert wanted(lab.site, given).restore.name == ("before-the-move" if given == "latest" else "auto-2026-11-25-02-00")


@pytest.mark.parametrize("given", ["auto-2026-11-25_03-00", f"tank/other@{SNAPSHOT}", "nosuch"])
def test_an_unknown_snapshot_shows_the_nearest(lab: Lab, given: str) -> None:
    for name in ("auto-2026-11-24_02-00", "auto-2026-11-23_02-00", "before-the-move"):
        lab.snapshot(name)
    with refused(lab, Code.NO_SUCH_SNAPSHOT, f"has no snapshot {given}: the nearest are ([^,]+, ){{2}}[^,]+$") as _:
        beside(lab, given)
    if given.startswith("auto"):
        with pytest.raises(LabError, match=f"the nearest are {SNAPSHOT}, "):
            beside(lab, given)


def test_a_name_that_is_taken_by_another_snapshot(lab: Lab) -> None:
    beside(lab)
    lab.snapshot("other")
    with refused(lab, Code.CLONE_DIFFERS, "exists and is a clone of .*, not of .*@other"):
        beside(lab, "other")
    beside(lab, "other", "y")
    assert set(states(lab)) == {"x", "y"}
    drop(lab.site, "x")
    assert states(lab) == {"y": "mounted read-only at /var/mnt/restore/y"}


def test_a_vm_that_is_off(lab: Lab) -> None:
    lab.hypervisor.power_off("matrix")
    with refused(lab, Code.NEEDS_ANOTHER_FIRST, "the VM is off, so nothing can be mounted in it: virsh .* start matrix"):
        beside(lab)


def test_a_vm_that_is_paused(lab: Lab) -> None:
    beside(lab)
    lab.hypervisor._domain("matrix").suspend()
    with refused(lab, Code.NEEDS_ANOTHER_FIRST, "the VM is paused"):
        drop(lab.site, "x")


def test_a_vm_that_went_off_meanwhile(make: Callable[..., Lab]) -> None:
    """Disk and mount are gone with it; the rest is taken apart without it."""
    lab = make(data_attach="block")
    beside(lab)
    lab.hypervisor.power_off("matrix")
    (lab.proc / "self/mountinfo").write_text("")
    assert states(lab)["x"].endswith("without disk, mount")
    drop(lab.site, "x")
    assert states(lab) == {}


def test_a_vm_that_was_restarted_is_mounted_again(lab: Lab) -> None:
    beside(lab)
    lab.hypervisor.power_off("matrix")
    lab.hypervisor.start("matrix")
    (lab.proc / "self/mountinfo").write_text("")
    beside(lab)
    assert states(lab) == {"x": "mounted read-only at /var/mnt/restore/x"}


def test_a_guest_that_does_not_answer(lab: Lab) -> None:
    lab.answers = False
    with refused(lab, Code.GUEST_SILENT, "no answer over SSH"):
        wanted(lab.site, SNAPSHOT, "x")  # which is all that a dry run does
    lab.answers = True
    beside(lab)
    lab.answers = False
    with refused(lab, Code.GUEST_SILENT, "no answer over SSH"):
        drop(lab.site, "x")
    seen = look(lab.site)
    assert [problem.code for problem in seen.problems] == [Code.GUEST_SILENT]
    assert (seen.found[0].unknown, seen.found[0].state) == (("mount",), "not known: mount")


def test_a_hypervisor_that_does_not_answer(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    beside(lab)
    failing = LabError("hypervisor: no answer within 30 s", code=Code.HYPERVISOR_TIMEOUT)

    def fail() -> Any:
        raise failing

    monkeypatch.setattr(lab.hypervisor, "domains", fail)
    seen = look(lab.site)
    assert (seen.problems, seen.found[0].unknown) == ((failing,), ("disk", "mount"))
    with pytest.raises(LabError) as caught:
        drop(lab.site, "nosuch")
    assert caught.value is failing, "it may be where nobody could look"


@pytest.mark.parametrize("writes", range(1, 6))
def test_a_nas_that_drops_the_line_half_way(lab: Lab, writes: int) -> None:
    """Whatever was done then is found again."""
    write, done = lab.nas.write, 0

    def dropping_line(method: str, *params: Any) -> Any:
        nonlocal done
        done += 1
        if done == writes:
            lab.sim.faults.drop_after = 1
        return write(method, *params)

    before = lab.everything()
    lab.patch.setattr(lab.nas, "write", dropping_line)
    with pytest.raises(LabError, match="dropped the connection") as caught:
        beside(lab)
    assert caught.value.code is Code.NAS_DROPPED
    lab.patch.setattr(lab.nas, "write", write)
    beside(lab)
    drop(lab.site, "x")
    assert lab.everything() == before


def test_a_nas_that_is_too_busy(lab: Lab) -> None:
    want = wanted(lab.site, SNAPSHOT, "x")
    lab.sim.faults.too_busy = 3
    assert mount_beside(want) == "/var/mnt/restore/x", "reads are tried again"


def test_a_full_pool(lab: Lab) -> None:
    lab.sim.faults.fail["pool.snapshot.clone"] = (28, "cannot create 'tank/lab/matrix/data-restore-x': out of space")
    with refused(lab, Code.NAS_REFUSED, "out of space"):
        beside(lab)
    assert states(lab) == {}


def test_a_pool_that_is_full_half_way(lab: Lab) -> None:
    lab.sim.faults.fail["pool.dataset.update"] = (28, "out of space")
    with pytest.raises(LabError, match="out of space"):
        beside(lab)
    assert states(lab)["x"] == "left behind: clone; without its mark, extent, target, mapping, disk, mount"
    lab.sim.faults.fail.clear()
    lab.sim.faults.fail["iscsi.target.create"] = (28, "database is full")
    again = "what was made stays: run the same again, or zerotoil restore matrix --drop x"
    with pytest.raises(LabError, match=f"database is full.*{again}"):
        beside(lab)
    assert states(lab)["x"] == "left behind: clone, its mark, extent; without target, mapping, disk, mount"
    lab.sim.faults.fail.clear()
    drop(lab.site, "x")
    assert states(lab) == {}


def test_another_filesystem_is_taken_apart_at_once(lab: Lab) -> None:
    before = lab.everything()
    lab.filesystem = "xfs"
    with pytest.raises(LabError, match="the snapshot holds xfs, not ext4: what was made for it is taken apart again") as caught:
        beside(lab)
    assert (caught.value.code, lab.everything()) == (Code.DATA_DIFFERS, before)


def test_a_disk_without_a_filesystem(lab: Lab) -> None:
    before = lab.everything()
    lab.filesystem = ""
    with pytest.raises(LabError, match="holds no filesystem: is it older than the filesystem") as caught:
        beside(lab)
    assert (caught.value.code, lab.everything()) == (Code.DATA_DIFFERS, before)


def test_busy_files_are_not_taken_away(lab: Lab) -> None:
    beside(lab)
    lab.program("umount", 'echo "target is busy" >&2; exit 32')
    with refused(lab, Code.DATA_IN_USE, "/var/mnt/restore/x is in use by .*target is busy"):
        drop(lab.site, "x")


def test_a_guest_that_does_not_let_go_of_the_disk(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    beside(lab)
    monkeypatch.setattr(hot_disk, "_SECONDS", 0.05)
    lab.hypervisor.deaf = 1000
    with pytest.raises(LabError, match="does not let go") as caught:
        drop(lab.site, "x")
    assert caught.value.code is Code.DISK_NOT_RELEASED
    assert states(lab)["x"].endswith("disk; without mount")
    lab.hypervisor.deaf = 0
    drop(lab.site, "x")
    assert states(lab) == {}


def test_no_port_is_left(lab: Lab) -> None:
    lab.hypervisor.ports = 0
    with pytest.raises(LabError, match=r"No more available PCI slots.*--drop x") as caught:
        beside(lab)
    assert caught.value.code is Code.HYPERVISOR_REFUSED
    drop(lab.site, "x")


def test_a_disk_of_that_serial_that_reads_something_else(lab: Lab) -> None:
    beside(lab)
    source = lab.hypervisor._disks("matrix")[SERIAL].find("source")
    assert source is not None
    source.set("name", "iqn.x:other/0")
    with pytest.raises(LabError, match="reads something else") as caught:
        drop(lab.site, "x")
    assert caught.value.code is Code.DISK_NOT_ATTACHED
    assert lab.disks() == {SERIAL}


def test_a_pool_of_that_name_that_is_something_else(make: Callable[..., Lab]) -> None:
    lab = make(data_attach="block")
    name, storage = "matrix-data-restore-x", lab.hypervisor.storage
    other = f"<pool type='dir'><name>{name}</name><target><path>/x</path></target></pool>"
    storage.define_pool(name, other)
    with refused(lab, Code.STORAGE_POOL_KIND, "has another pool of that name"):
        beside(lab)
    with refused(lab, Code.NO_SUCH_RESTORE, "there is no restore x"):
        drop(lab.site, "x")
    lab.hypervisor.connection.storagePoolLookupByName(name).undefine()
    lab.hypervisor.forget()
    beside(lab)
    storage.forget_iscsi_pool(name)
    storage.define_pool(name, other)
    with refused(lab, Code.STORAGE_POOL_KIND, "has another pool of that name"):
        drop(lab.site, "x")


def test_an_unknown_name(lab: Lab) -> None:
    with refused(lab, Code.NO_SUCH_RESTORE, "there is no restore y: beside its data there is nothing"):
        drop(lab.site, "y")
    beside(lab)
    with refused(lab, Code.NO_SUCH_RESTORE, "there is no restore y: beside its data there is x$"):
        drop(lab.site, "y")


def test_the_present_volume_is_no_restore(lab: Lab) -> None:
    """Marked by whatever accident: it is found by its mark, and refused."""
    lab.sim.storage.set(VOLUME, {"zerotoil:restore": "x"})
    with refused(lab, Code.STILL_IN_USE, f"{VOLUME} is a data volume of matrix"):
        drop(lab.site, "x")


def test_another_hosts_things_are_not_listed(lab: Lab) -> None:
    """A host may be called like a restore of ours."""
    lab.nas.write("iscsi.target.create", {"name": "matrix-restore-y", "groups": []})
    lab.sim.storage.create("tank/lab/other", {}, 1 << 30, 16384)
    lab.sim.storage.snapshot(["tank/lab/other@a"], {})
    lab.sim.storage.clone("tank/lab/other@a", f"{VOLUME}-restore-z", {})
    assert states(lab) == {}
