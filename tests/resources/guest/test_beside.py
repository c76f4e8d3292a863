"""A snapshot's disk in the guest, by the real script on real filesystems: two disks of one UUID, busy ones, wrong ones."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import make_spec
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.restore import Restore
from zerotoil.model.spec import HostSpec
from zerotoil.resources.guest import Guest, beside
from zerotoil.resources.guest.beside import WrongFilesystem

RULE = 'SUBSYSTEM=="block", ENV{ID_SERIAL}=="zr-*", OPTIONS+="link_priority=-100"\n'


def run(*line: str) -> str:
    done = subprocess.run(line, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class Disks:
    """A guest with a data disk that is mounted, and a copy of it, as a clone is one: block by block."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.restore_folder, self.data = folder, folder / "restore", folder / "data"
        self.links, self.rules, self.fake, self.loops = folder / "by-id", folder / "rules.d", folder / "fake", list[str]()
        for made in (self.links, self.fake, self.data):
            made.mkdir()
        self.program("udevadm", "")
        self.program("sleep", "")
        self.guest = Guest("matrix", self.shell)

    def program(self, name: str, text: str) -> None:
        (self.fake / name).write_text(f'#!/bin/sh\necho "{name} $*" >>{self.folder}/log\n{text}\n')
        (self.fake / name).chmod(0o755)

    def shell(self, script: str) -> str:
        more = {"ZEROTOIL_DISKS": str(self.links), "ZEROTOIL_RULES": str(self.rules)}
        env = {**os.environ, "PATH": f"{self.fake}:{os.environ['PATH']}", **more}
        here = script.replace("/var/mnt/restore", str(self.restore_folder))
        done = subprocess.run(["sh", "-s"], input=here, env=env, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.replace(str(self.restore_folder), "/var/mnt/restore")

    def copy(self, kind: str) -> None:
        """Make the data disk, mount it, and copy it as it is then: its journal is not replayed."""
        image, clone = self.folder / "data.img", self.folder / "clone.img"
        with image.open("xb") as file:
            file.truncate((320 if kind == "xfs" else 16) << 20)
        run(f"mkfs.{kind}", "-q", *(["-L", "data"]), str(image))
        run("mount", self.loop(image), str(self.data))
        (self.data / "note").write_text("yesterday")
        run("sync", "-f", str(self.data))
        run("cp", "--sparse=always", str(image), str(clone))
        (self.data / "note").write_text("today")
        self.plug(self.loop(clone))

    def loop(self, image: Path) -> str:
        self.loops.append(run("losetup", "-f", "--show", str(image)))
        return self.loops[-1]

    def plug(self, device: str, end: str = "") -> None:
        (self.links / f"virtio-{restore().serial}{end}").symlink_to(device)

    def close(self) -> None:
        for folder in (self.restore_folder / "x", self.data):
            while subprocess.run(["umount", str(folder)], capture_output=True, timeout=30).returncode == 0:
                pass
        for loop in self.loops:
            subprocess.run(["losetup", "-d", loop], capture_output=True, timeout=30)


def restore(**keys: str) -> Restore:
    spec: HostSpec = make_spec(**keys)
    return Restore(spec, "x")


@pytest.fixture
def disks(tmp_path: Path) -> Iterator[Disks]:
    made = Disks(tmp_path)
    yield made
    made.close()


@pytest.fixture
def real(disks: Disks) -> Disks:
    if os.geteuid() != 0 or not shutil.which("losetup"):
        pytest.skip("mounting needs root")
    probe = subprocess.run(["losetup", "-f"], capture_output=True, timeout=20)
    if probe.returncode:
        pytest.skip("no loop device here")
    return disks


@pytest.mark.parametrize("kind", ["ext4", "xfs"])
def test_two_disks_of_one_uuid(real: Disks, kind: str) -> None:
    known = Path("/proc/filesystems").read_text().split()
    if not shutil.which(f"mkfs.{kind}") or kind not in known:
        pytest.skip(f"no {kind} here")
    real.copy(kind)
    one, folder = restore(data_filesystem=kind), real.restore_folder / "x"
    beside.mount(real.guest, one, writable=False)
    assert ((folder / "note").read_text(), (real.data / "note").read_text()) == ("yesterday", "today")
    assert beside.mounts(real.guest) == {"x": "ro"}
    with pytest.raises(OSError, match="Read-only"):
        (folder / "new").write_text("")
    beside.mount(real.guest, one, writable=False)
    beside.mount(real.guest, one, writable=True)
    (folder / "new").write_text("")
    assert beside.mounts(real.guest) == {"x": "rw"}
    beside.unmount(real.guest, one)
    assert (beside.mounts(real.guest), folder.exists()) == ({}, False)
    beside.unmount(real.guest, one)
    assert (real.data / "note").read_text() == "today"


def test_options(disks: Disks) -> None:
    """xfs refuses a second filesystem of its UUID unless it is told; a journal is replayed, so nothing says norecovery."""
    disks.program("mount", "")
    disks.program("blkid", "echo xfs")
    disks.plug("/dev/null")
    beside.mount(disks.guest, restore(data_filesystem="xfs"), writable=False)
    folder, link = disks.restore_folder / "x", disks.links / f"virtio-{restore().serial}"
    assert (disks.folder / "log").read_text().splitlines()[-1] == f"mount -t xfs -o ro,nosuid,nodev,nouuid {link} {folder}"
    disks.program("blkid", "echo ext4")
    beside.mount(disks.guest, restore(), writable=True)
    assert (disks.folder / "log").read_text().splitlines()[-1] == f"mount -t ext4 -o rw,nosuid,nodev {link} {folder}"


def test_busy_names_who(real: Disks) -> None:
    real.copy("ext4")
    beside.mount(real.guest, restore(), writable=False)
    with subprocess.Popen(["sleep", "60"], cwd=real.restore_folder / "x") as sitting:
        time.sleep(0.2)
        with pytest.raises(LabError, match=rf"/var/mnt/restore/x is in use by {sitting.pid} \(sleep\)") as caught:
            beside.unmount(real.guest, restore())
        sitting.kill()
    assert caught.value.code is Code.DATA_IN_USE
    assert beside.mounts(real.guest) == {"x": "ro"}
    with (real.restore_folder / "x/note").open(), pytest.raises(LabError, match=rf"in use by {os.getpid()} \("):
        beside.unmount(real.guest, restore())
    beside.unmount(real.guest, restore())


def test_mounted_elsewhere_too(real: Disks) -> None:
    """By a container, or for the data disk itself after a reboot: then it is not taken away."""
    real.copy("ext4")
    beside.mount(real.guest, restore(), writable=False)
    elsewhere = real.folder / "elsewhere"
    elsewhere.mkdir()
    run("mount", "--bind", str(real.restore_folder / "x"), str(elsewhere))
    with pytest.raises(LabError, match="is in use by") as caught:
        beside.unmount(real.guest, restore())
    assert caught.value.code is Code.DATA_IN_USE
    run("umount", str(elsewhere))
    beside.unmount(real.guest, restore())


def test_another_filesystem(real: Disks) -> None:
    real.copy("ext4")
    with pytest.raises(WrongFilesystem, match="holds ext4, not xfs") as caught:
        beside.mount(real.guest, restore(data_filesystem="xfs"), writable=False)
    assert caught.value.code is Code.DATA_DIFFERS
    assert not (real.restore_folder / "x").exists()


def test_older_than_the_filesystem(real: Disks) -> None:
    blank = real.folder / "blank.img"
    blank.write_bytes(bytes(1 << 20))
    real.plug(real.loop(blank))
    with pytest.raises(WrongFilesystem, match="holds no filesystem: is it older than the filesystem"):
        beside.mount(real.guest, restore(), writable=False)


def test_something_else_is_mounted_there(real: Disks) -> None:
    real.copy("ext4")
    (real.restore_folder / "x").mkdir(parents=True)
    run("mount", "-t", "tmpfs", "none", str(real.restore_folder / "x"))
    with pytest.raises(LabError, match="something else is mounted there"):
        beside.mount(real.guest, restore(), writable=False)


def test_a_disk_that_does_not_come(disks: Disks) -> None:
    with pytest.raises(LabError, match="sees no disk zr-[0-9a-f]{12} after 30 s") as caught:
        beside.mount(disks.guest, restore(), writable=False)
    assert caught.value.code is Code.GUEST_COMMAND_FAILED
    assert (disks.folder / "log").read_text().count("sleep 1") == 30


def test_the_partition_of_the_label(real: Disks) -> None:
    """By the disk's own link, never by partition label: the data disk has the same."""
    real.copy("ext4")
    link = real.links / f"virtio-{restore().serial}"
    clone = str(link.readlink())
    real.plug("/dev/null", "-part1")
    real.plug(clone, "-part2")
    names = 'case "$*" in *PART_ENTRY_NAME*part2) echo srv ;; *PART_ENTRY*) echo other ;;'
    names += f' *) exec {shutil.which("blkid")} "$@" ;; esac'
    real.program("blkid", names)
    beside.mount(real.guest, restore(data_partlabel="srv"), writable=False)
    assert (real.restore_folder / "x/note").read_text() == "yesterday"
    beside.unmount(real.guest, restore(data_partlabel="srv"))
    with pytest.raises(WrongFilesystem, match="has no partition 'nosuch'") as caught:
        beside.mount(real.guest, restore(data_partlabel="nosuch"), writable=False)
    assert caught.value.code is Code.DATA_DIFFERS


def test_links_stay_with_the_data_disk(disks: Disks) -> None:
    beside.make_ready(disks.guest)
    beside.make_ready(disks.guest)
    assert (disks.rules / "90-zerotoil-restore.rules").read_text() == RULE
    assert (disks.folder / "log").read_text() == "udevadm control --reload\n", "once"
    (disks.rules / "90-zerotoil-restore.rules").write_text("of an older version\n")
    beside.make_ready(disks.guest)
    assert (disks.rules / "90-zerotoil-restore.rules").read_text() == RULE


def test_without_udev_nothing_is_promised(disks: Disks) -> None:
    disks.program("udevadm", "exit 1")
    for _ in range(2):
        with pytest.raises(LabError, match="cannot be told to leave its links by UUID and label alone") as caught:
            beside.make_ready(disks.guest)
    assert caught.value.code is Code.GUEST_COMMAND_FAILED
