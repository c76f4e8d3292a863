"""Freezing for a snapshot, by the real script and the real fsfreeze on a real ext4 in a file: it is always thawed again."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.resources.guest import Guest, quiesce
from zerotoil.resources.guest.quiesce import Hold, Stillness, hold

SCRIPT = resources.files("zerotoil.resources.guest").joinpath("scripts", "quiesce.sh").read_text()
LOGGED = '#!/bin/sh\necho "${{0##*/}} $*" >>{log}\n{then}\n'


class Disk:
    """A mounted filesystem, and the script's programs with a log of what was called."""

    def __init__(self, folder: Path) -> None:
        self.mount, self.fake, self.log, self.held = (folder / name for name in ("mnt", "fake", "log", "held"))
        self.mount.mkdir()
        self.fake.mkdir()
        image = folder / "disk.img"
        with image.open("xb") as file:
            file.truncate(16 << 20)
        subprocess.run(["mkfs.ext4", "-q", str(image)], check=True, timeout=30)
        done = subprocess.run(["mount", "-o", "loop", str(image), str(self.mount)], capture_output=True, text=True, timeout=30)
        if done.returncode:
            pytest.skip(f"no loop device here ({done.stderr.strip()})")
        for name in ("systemd-run", "systemctl"):
            self.program(name)
        self.program("fsfreeze", 'exec /usr/sbin/fsfreeze "$@"')

    def program(self, name: str, then: str = "") -> None:
        (self.fake / name).write_text(LOGGED.format(log=self.log, then=then))
        (self.fake / name).chmod(0o755)

    def run(self, action: str, argument: str | int, folder: Path | None = None) -> str:
        env = {**os.environ, "PATH": f"{self.fake}:{os.environ['PATH']}", "ZEROTOIL_HELD": str(self.held)}
        script = f"set -- {action} {folder or self.mount} {argument}\n{SCRIPT}"
        done = subprocess.run(["sh", "-s"], input=script, env=env, capture_output=True, text=True, timeout=50)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.strip()

    def frozen(self) -> bool:
        """Asked of the kernel: it refuses to thaw what is not frozen, and to freeze what is."""
        again = subprocess.run(["fsfreeze", "--freeze", str(self.mount)], capture_output=True, timeout=20)
        if again.returncode == 0:
            subprocess.run(["fsfreeze", "--unfreeze", str(self.mount)], check=True, timeout=20)
        return again.returncode != 0

    def calls(self) -> list[str]:
        return [line.split()[0] + " " + line.split()[1] for line in self.log.read_text().splitlines()]


def ended(job: str) -> bool:
    """Within two seconds; nobody may be there to take its exit code, so a zombie has ended too."""
    for _ in range(20):
        try:
            if Path(f"/proc/{job}/stat").read_text().split()[2] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.1)
    return False


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    if os.geteuid() != 0 or not shutil.which("fsfreeze"):
        pytest.skip("mounting needs root")
    made = Disk(tmp_path)
    yield made
    subprocess.run(["fsfreeze", "--unfreeze", str(made.mount)], capture_output=True, timeout=20)
    subprocess.run(["umount", str(made.mount)], check=True, timeout=20)


def test_frozen_until_it_is_thawed(disk: Disk) -> None:
    word, job = disk.run("freeze", 30).split()
    assert word == "frozen" and disk.frozen()
    assert disk.run("thaw", job) == "thawed"
    assert not disk.frozen() and not disk.held.is_symlink()
    assert ended(job), "a job that stays would thaw the next snapshot's freeze"
    assert disk.calls() == ["systemd-run --quiet", "fsfreeze --freeze", "fsfreeze --unfreeze", "systemctl stop"]
    assert f"--unit=zerotoil-thaw-{job} --on-active=30" in disk.log.read_text()


def test_it_thaws_by_itself_when_nobody_comes_back(disk: Disk) -> None:
    """The controller is gone: no thaw is ever sent."""
    job = disk.run("freeze", 1).split()[1]
    assert disk.frozen()
    deadline = time.monotonic() + 10
    while disk.held.is_symlink() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not disk.frozen()
    assert disk.run("thaw", job) == "not held"


def test_two_snapshots_at_once(disk: Disk) -> None:
    job = disk.run("freeze", 30).split()[1]
    assert disk.run("freeze", 30) == "synced another snapshot is being taken"
    assert disk.frozen()
    assert disk.run("thaw", "1") == "not held", "only who froze it thaws it"
    assert disk.frozen()
    assert disk.run("thaw", job) == "thawed"


def test_without_a_job_that_thaws_nothing_is_frozen(disk: Disk) -> None:
    disk.program("setsid", "exit 1")
    assert disk.run("freeze", 30) == "synced no job could be started that would thaw it"
    assert "fsfreeze --freeze" not in disk.calls() and not disk.frozen()


def test_a_freeze_of_somebody_else_is_not_ended(disk: Disk) -> None:
    subprocess.run(["fsfreeze", "--freeze", str(disk.mount)], check=True, timeout=20)
    assert disk.run("freeze", 30).startswith("synced fsfreeze: ")
    assert disk.frozen() and not disk.held.is_symlink()
    assert "fsfreeze --unfreeze" not in disk.calls()


def test_a_freeze_that_takes_too_long_is_undone(disk: Disk) -> None:
    """It came through after all, and nobody knew."""
    disk.program("timeout", '[ "$2" != fsfreeze ] || { shift && "$@"; exit 124; }\nshift && exec "$@"')
    assert disk.run("freeze", 30) == "synced freezing took more than 10 s"
    assert not disk.frozen() and not disk.held.is_symlink()


def test_a_job_that_was_killed_is_no_hindrance(disk: Disk) -> None:
    disk.held.symlink_to("999999999")
    job = disk.run("freeze", 30).split()[1]
    assert disk.run("thaw", job) == "thawed"


def test_nothing_is_frozen_where_no_data_is_mounted(disk: Disk, tmp_path: Path) -> None:
    assert disk.run("freeze", 30, tmp_path) == f"synced {tmp_path} is not mounted"
    disk.program("timeout", "exit 124")
    assert disk.run("freeze", 30) == "unsynced"


def test_thawed_by_hand_meanwhile(disk: Disk) -> None:
    job = disk.run("freeze", 1).split()[1]
    subprocess.run(["fsfreeze", "--unfreeze", str(disk.mount)], check=True, timeout=20)
    assert disk.run("thaw", job) == "not frozen"
    os.kill(-int(job), 15)
    disk.held.unlink()


def test_shellcheck_finds_nothing() -> None:
    if not shutil.which("shellcheck"):
        pytest.skip("shellcheck is not installed")
    path = Path(str(resources.files("zerotoil.resources.guest").joinpath("scripts", "quiesce.sh")))
    assert subprocess.run(["shellcheck", str(path)], timeout=60).returncode == 0


def silent(_script: str) -> str:
    raise LabError("matrix: no answer over SSH in 60 s", code=Code.GUEST_SILENT)


def guest(**answers: str) -> Guest:
    """Answers freeze and thaw as given; to what is not given it is silent."""
    return Guest("matrix", lambda script: answers[script.split()[2]] if script.split()[2] in answers else silent(script))


@pytest.mark.parametrize(
    ("made", "stillness", "why"),
    [
        (guest(freeze="frozen 42\n", thaw="thawed\n"), Stillness.FROZEN, ""),
        (guest(freeze="frozen 42\n"), Stillness.FROZEN, ""),  # its own job cannot have thawed it yet
        (guest(freeze="frozen 42\n", thaw="not held\n"), Stillness.SYNCED, "the guest thawed by itself before the snapshot"),
        (guest(freeze="synced /x is not mounted\n"), Stillness.SYNCED, "/x is not mounted"),
        (guest(freeze="unsynced\n"), Stillness.NONE, "guest could not even sync in 20 s"),
        (guest(), Stillness.NONE, "guest did not answer (matrix: no answer over SSH in 60 s)"),
        (guest(freeze="sh: nonsense\n"), Stillness.NONE, "guest answered 'sh: nonsense'"),
    ],
)
def test_what_the_guest_says_is_what_is_claimed(made: Guest, stillness: Stillness, why: str) -> None:
    held = hold(made)
    assert held.release() is stillness
    assert held.why.startswith(why) and bool(held.why) == bool(why)


def test_a_silent_guest_is_not_claimed_frozen_for_longer_than_it_stays_so() -> None:
    long_ago = time.monotonic() - quiesce.SECONDS
    assert Hold(Stillness.FROZEN, guest=guest(), job="42", began=long_ago).release() is Stillness.SYNCED


def test_nothing_is_sent_to_thaw_what_was_not_frozen() -> None:
    made = guest(freeze="synced x\n")
    hold(made).release()
    assert made.writes == 1


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Disk]:
    """A second volume of the host."""
    (tmp_path / "other").mkdir()
    made = Disk(tmp_path / "other")
    yield made
    subprocess.run(["fsfreeze", "--unfreeze", str(made.mount)], capture_output=True, timeout=20)
    subprocess.run(["umount", str(made.mount)], check=True, timeout=20)


def test_all_volumes_are_held_together(disk: Disk, other: Disk) -> None:
    more = f"{other.mount} {other.mount}/not-mounted"
    job = disk.run("freeze", f"30 {more}").split()[1]
    assert disk.frozen() and other.frozen()
    assert disk.run("thaw", f"{job} {more}") == "thawed"
    assert not disk.frozen() and not other.frozen() and ended(job)


def test_one_that_cannot_be_frozen_leaves_none_frozen(disk: Disk, other: Disk) -> None:
    subprocess.run(["fsfreeze", "--freeze", str(other.mount)], check=True, timeout=20)
    assert disk.run("freeze", f"30 {other.mount}").startswith("synced fsfreeze: ")
    assert not disk.frozen() and not disk.held.is_symlink()
    assert other.frozen(), "somebody else's freeze is not ended"


def test_all_volumes_thaw_by_themselves(disk: Disk, other: Disk) -> None:
    disk.run("freeze", f"1 {other.mount}")
    deadline = time.monotonic() + 10
    while disk.held.is_symlink() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not disk.frozen() and not other.frozen()
