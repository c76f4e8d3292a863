"""The whole lab, up and away again, beside any other lab on this machine (its own number, folder, bridge and pool)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.lab, pytest.mark.skipif(os.geteuid() != 0, reason="the lab needs root")]
NUMBER, STATE, BRIDGE = "9", Path("/var/lib/zerotoil-lab9"), Path("/sys/class/net/ztlab9")


def lab(*command: str) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"ZEROTOIL_LAB_NUMBER": NUMBER}
    argv = [sys.executable, "-c", "from zerotoil.cli import main; main()", "lab", *command]
    return subprocess.run(argv, env=env, capture_output=True, text=True, timeout=900, check=False)


def ok(*command: str) -> str:
    done = lab(*command)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


@pytest.fixture
def fresh():
    ok("reset", "--yes")
    yield
    ok("reset", "--yes")


def records() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (STATE / "run").glob("*.json")}


def defined() -> str:
    listings = [["virsh", "-c", "qemu:///system", kind, "--all", "--name"] for kind in ("net-list", "pool-list", "list")]
    return "".join(subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False).stdout for argv in listings)


def listening() -> str:
    return subprocess.run(["ss", "-Hltn", "src", "192.168.186.1"], capture_output=True, text=True, timeout=10, check=True).stdout


def test_up_twice_down_up_reset(fresh):
    assert lab("status").returncode == 1
    ok("up")
    before = records()
    again = ok("up")
    assert "started" not in again
    assert "pushed" not in again
    assert records() == before
    assert lab("status").returncode == 0

    (STATE / "nas" / "tank9" / "kept").write_text("data")
    ok("down")
    assert listening() == ""
    assert not BRIDGE.exists()
    assert "zerotoil-lab9" not in defined()
    assert str(STATE) not in Path("/proc/self/mountinfo").read_text()
    assert lab("status").returncode == 1

    ok("up", "--nas-version", "24.10")
    assert (STATE / "nas" / "tank9" / "kept").read_text() == "data"
    assert "TrueNAS 24.10" in ok("up")  # kept as it was chosen

    ok("reset", "--yes")
    assert not STATE.exists()


def test_a_killed_part_is_repaired(fresh):
    ok("up")
    before = records()
    for name in ("zfs-fuse", "tgtd", "registry", "private-registry", "signal"):
        record = json.loads(before.get(f"{name}.json", b"{}"))
        if record:  # zfs-fuse may be another's
            os.kill(record["pid"], 9)
    assert lab("status").returncode == 2
    ok("up")
    assert lab("status").returncode == 0


def test_what_a_killed_zfs_fuse_left_mounted_is_taken_away(fresh):
    """A machine that lost its power, or whose processes were all ended: the next `reset` must not stumble over it."""
    ok("up")
    record = STATE / "run" / "zfs-fuse.json"
    if not record.exists():
        pytest.skip("ZFS that runs already, the system's or another lab's, serves the pool: none to kill is this lab's")
    subprocess.run(["zfs", "create", "tank9/inner"], timeout=30, check=True)
    os.kill(json.loads(record.read_text())["pid"], 9)
    ok("down")
    assert str(STATE) not in Path("/proc/self/mountinfo").read_text()
