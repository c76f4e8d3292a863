"""`zerotoil migrate` and `zerotoil destroy` as a person runs them: a guest over OpenSSH, a NAS over TLS, an inventory."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.guest_over_ssh import open_door
from tests.cli.test_plan_and_apply import ZEROTOIL
from tests.errors.sshd import INVENTORY, declared
from tests.errors.world import TOOLS, World
from tests.resources.hypervisor.conftest import NODE
from tests.resources.nas.conftest import KEY, connect
from zerotoil.clients.truenas import Nas
from zerotoil.error_codes import Code

FOUND = '{"filesystems": [{"source": "/dev/vdb", "fstype": "ext4", "label": "data", "uuid": "u"}]}'
PROGRAMS = {
    "findmnt": f"echo '{FOUND}'", "systemctl": "exit 0", "fsfreeze": "exit 0", "mountpoint": "exit 0", "sync": "exit 0",
    "systemd-run": "exit 0",
}  # fmt: skip


@dataclass
class Project:
    """A folder with one host; the pretend hypervisor is made anew by each process, with the VM on generation 1."""

    folder: Path
    nas: Nas

    def run(self, *line: str, program: list[str] = ZEROTOIL) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*program, *line], cwd=self.folder, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL
        )

    def snapshots(self) -> int:
        self.nas.forget()
        return len(self.nas.query(self.nas.capabilities.snapshots))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Project]:
    monkeypatch.setenv("ZEROTOIL_CACHE", str(tmp_path / "cache"))
    sims = []
    with ExitStack() as stack:
        world = World(tmp_path, monkeypatch, request, stack)
        monkeypatch.setattr(World, "sim", lambda w, made=world.sim: sims.append(made()) or sims[0])
        door, key = open_door(tmp_path)
        stack.callback(door.close)
        for name, does in PROGRAMS.items():
            world.file(f"bin/{name}", f"#!/bin/sh\n{does}\n").chmod(0o755)
        data = declared(world, door.getsockname()[1])
        data |= {"ssh_key": str(key), "docker_enabled": False, "watchtower_enabled": False, "vm_boot_timeout": "20 seconds"}
        world.file("lab.py", INVENTORY.format(data=data, key=KEY))
        nas = connect(sims[0])
        stack.callback(nas.close)
        yield Project(tmp_path, nas)


def test_nothing_happens_without_a_yes(project: Project) -> None:
    done = project.run("migrate", "matrix", "-i", "lab.py")
    assert done.returncode == 1 and "everything outside /var/mnt/data stays behind. Go on?" in done.stdout
    done = project.run("destroy", "matrix", "-i", "lab.py")
    assert done.returncode == 1 and "matrix is shut down and removed; its data stays. Go on?" in done.stdout
    assert project.snapshots() == 0


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (["--os-stream", "testing", "--os-image", "x"], Code.WRONG_OPTION),
        (["--os-image", "x.qcow2"], Code.WRONG_OPTION),
        (["--back"], Code.NO_EARLIER_OS),
    ],
)
def test_what_it_is_refused_for(project: Project, more: list[str], code: Code) -> None:
    for way in ("--dry-run", "--yes"):
        done = project.run("migrate", "matrix", "-i", "lab.py", way, *more)
        assert (done.returncode, done.stderr.rstrip()[-7:]) == (1, f"[{code}]"), done.stderr
    assert project.snapshots() == 0


def test_a_dry_run_reads_the_guest_and_the_nas(project: Project) -> None:
    image = project.folder / "fcos-46.qcow2"
    done = project.run("migrate", "matrix", "-i", "lab.py", "--dry-run", "--os-image", str(image), "--os-image-sha256", "0" * 64)
    assert (done.returncode, done.stderr, project.snapshots()) == (0, "", 0)
    assert done.stdout.splitlines() == [
        "matrix: would take a snapshot of tank/lab/matrix",
        "matrix: would shut the VM down, and start it from OS disk 2 (fcos-46) instead of OS disk 1 (44); the data volume stays "
        "as it is",
        "matrix: would go back by itself when OS disk 2 (fcos-46) is not healthy with the same data within 20 s",
    ]


def test_pyinfra_runs_the_same(project: Project) -> None:
    (project.folder / "migrate.py").write_text("from zerotoil.edge.deploy import migrate\nmigrate()\n")
    pyinfra = [str(TOOLS / "pyinfra"), "-y", "lab.py", "migrate.py", "--limit", "matrix"]
    done = project.run("--data", "back=yes", program=pyinfra)
    assert done.returncode == 1 and "there is no earlier OS disk to go back to" in done.stdout + done.stderr
    done = project.run("--data", "back=perhaps", program=pyinfra)
    assert done.returncode == 1 and "--data back=perhaps is neither yes nor no" in done.stdout + done.stderr
    assert project.snapshots() == 0


def test_what_a_destroy_would_remove_and_what_stays(project: Project) -> None:
    done = project.run("destroy", "matrix", "-i", "lab.py", "--dry-run")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "matrix: would be removed: VM matrix",
        "matrix: the volume tank/lab/matrix/data stays (1 GiB, 0 MiB used), with 0 snapshots",
        "matrix: the target iqn.2005-10.org.freenas.ctl:matrix, its extent matrix and their mapping stay",
        "matrix: run the deploy again: the volume is found by its mark, and a new VM gets it",
    ]
    done = project.run("destroy", "matrix", "-i", "lab.py", "--yes")
    assert (done.returncode, done.stderr) == (0, "") and "matrix: removed\n" in done.stdout
    (project.folder / "node.xml").write_text(NODE)
    done = project.run("destroy", "matrix", "-i", "lab.py", "--yes")
    assert done.stdout.startswith("matrix: the hypervisor has nothing of it\n")
