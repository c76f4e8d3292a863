"""`zerotoil snapshot` and `zerotoil snapshots` as a person runs them: a guest over OpenSSH, a NAS over TLS, an inventory."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.guest_over_ssh import open_door
from tests.errors.sshd import declared
from tests.errors.world import World
from tests.resources.hypervisor.conftest import NODE
from tests.resources.nas.conftest import KEY, connect
from zerotoil.clients.truenas import Nas
from zerotoil.minilab.nas.middleware import METHODS

ZEROTOIL = [sys.executable, "-c", "from zerotoil.cli import main; main()"]
INVENTORY = 'from zerotoil.model.secret import Secret\nvms = [("@vm/matrix", {data!r} | {{"nas_api_key": Secret({key!r})}})]\n'


@dataclass
class Project:
    """A folder with one host; its guest is this machine with programs of our own, which log what they are asked."""

    folder: Path
    nas: Nas

    def run(self, *line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*ZEROTOIL, *line], cwd=self.folder, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
        )

    def log(self) -> list[str]:
        return (self.folder / "log").read_text().splitlines()

    def names(self) -> list[str]:
        self.nas.forget()
        return sorted(entry["name"] for entry in self.nas.query(self.nas.capabilities.snapshots))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Project]:
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("ZEROTOIL_HELD", str(tmp_path / "held"))
    sims = []
    with ExitStack() as stack:
        world = World(tmp_path, monkeypatch, request, stack)
        monkeypatch.setattr(World, "sim", lambda w, made=world.sim: sims.append(made()) or sims[0])
        door, key = open_door(tmp_path)
        stack.callback(door.close)
        for name in ("sync", "mountpoint", "fsfreeze", "systemd-run", "systemctl"):
            world.file(f"bin/{name}", f'#!/bin/sh\necho "{name} $*" >>{tmp_path}/log\n').chmod(0o755)
        data = declared(world, door.getsockname()[1]) | {"ssh_key": str(key)}
        world.file("lab.py", INVENTORY.format(data=data, key=KEY))
        nas = connect(sims[0])
        stack.callback(nas.close)
        yield Project(tmp_path, nas)


def test_one_is_taken_and_listed(project: Project) -> None:
    done = project.run("snapshot", "matrix", "-i", "lab.py", "--note", "before the move")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    said = re.fullmatch(r"matrix: tank/lab/matrix@(manual-\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d): filesystem frozen\n", done.stdout)
    assert said, done.stdout
    folder = "/var/mnt/data"
    order = [line for line in project.log() if line.startswith(("sync", "fsfreeze"))]
    assert order == ["sync ", f"fsfreeze --freeze {folder}", f"fsfreeze --unfreeze {folder}"]
    assert project.names() == [f"tank/lab/matrix/data@{said[1]}", f"tank/lab/matrix@{said[1]}"]

    listed = project.run("snapshots", "matrix", "-i", "lab.py")
    assert (listed.returncode, listed.stderr) == (0, "")
    (row,) = ([cell.strip() for cell in line.split("│")[1:-1]] for line in listed.stdout.splitlines() if "│" in line)
    assert row == [said[1], "now", "0 B", "0 B", "manual", "frozen", "before the move", ""]
    shown = json.loads(project.run("snapshots", "matrix", "-i", "lab.py", "--json").stdout)
    (one,) = shown.pop("snapshots")
    assert shown == {"host": "matrix", "volume": "tank/lab/matrix/data"}
    created = one.pop("created")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", created)
    assert one == {
        "name": said[1], "used": 0, "referenced": 0, "origin": "manual", "note": "before the move", "quiesced": "frozen",
        "volume": "tank/lab/matrix/data",
        "clones": [],
    }  # fmt: skip


def test_the_frozen_moment_is_short(project: Project) -> None:
    """A program that waits for the job that thaws would hold the disk for 30 seconds."""
    began = time.monotonic()
    project.run("snapshot", "matrix", "-i", "lab.py")
    assert time.monotonic() - began < 20
    assert not (project.folder / "held").is_symlink()


def test_a_dry_run_takes_nothing_and_freezes_nothing(project: Project) -> None:
    done = project.run("snapshot", "matrix", "-i", "lab.py", "--dry-run")
    assert re.fullmatch(r"matrix: would take tank/lab/matrix@manual-[\d_-]+, of all that lies below too, .*\n", done.stdout), (
        done.stderr
    )
    assert project.names() == [] and not (project.folder / "log").exists()
    empty = project.run("snapshots", "matrix", "-i", "lab.py")
    assert (empty.returncode, empty.stdout) == (0, "matrix: tank/lab/matrix/data has no snapshots\n")


def test_a_vm_that_is_off_needs_no_freezing(project: Project) -> None:
    (project.folder / "node.xml").write_text(NODE)
    done = project.run("snapshot", "matrix", "-i", "lab.py")
    assert done.stdout.endswith(": the VM is off, nothing was writing\n"), done.stderr
    assert len(project.names()) == 2 and not (project.folder / "log").exists()


def test_a_guest_that_lets_nobody_in(project: Project) -> None:
    text = (project.folder / "lab.py").read_text()
    (project.folder / "lab.py").write_text(re.sub(r"'ssh_port': \d+", "'ssh_port': 9", text))
    done = project.run("snapshot", "matrix", "-i", "lab.py")
    assert done.returncode == 0, done.stderr
    assert "guest did not answer (matrix: SSH to 127.0.0.1 failed" in done.stdout
    assert done.stdout.endswith(": as after a power cut\n")
    assert len(project.names()) == 2


def test_the_nas_fails_and_the_guest_is_thawed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHODS, f"{project.nas.capabilities.snapshots}.create", lambda *_: 1 / 0)
    done = project.run("snapshot", "matrix", "-i", "lab.py")
    assert done.returncode == 1 and re.search(r"\[ZT2\d\d\]$", done.stderr.strip()), done.stderr
    assert [line for line in project.log() if line.startswith("fsfreeze")][-1] == "fsfreeze --unfreeze /var/mnt/data"


@pytest.mark.parametrize("line", [("snapshot", "nobody"), ("snapshots", "nobody")])
def test_a_host_that_no_inventory_has(project: Project, line: tuple[str, str]) -> None:
    done = project.run(*line, "-i", "lab.py")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("no inventory has a host nobody: known: matrix")
