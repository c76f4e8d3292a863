"""pyinfra with servers that cannot be had: one line, exit 1, no traceback, and the other hosts go on."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.sinks import FakeSink

ROOT = Path(__file__).parents[2]

INVENTORY = """
from zerotoil.model.secret import Secret
vms = ([("@vm/one", {one}), ("@vm/two", {two})], {{
    "nas_url": "wss://127.0.0.1:9", "nas_user": "u", "nas_api_key": Secret("k3y"), "nas_dataset": "tank/lab",
    "iscsi_portal": ["127.0.0.1"], "iscsi_initiators": ["iqn.1993-08.org.debian:01:x"], "hypervisor_uri": "test:///default",
    "data_size": "1 GiB", "ssh_authorized_keys": ["ssh-ed25519 A"],
}})
"""


def deploy(tmp_path: Path, one: str = "{}", two: str = "{}", *more: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "inventory.py").write_text(INVENTORY.format(one=one, two=two))
    (tmp_path / "full.py").write_text((ROOT / "deploys/full.py").read_text())
    line = [str(Path(sys.executable).parent / "pyinfra"), "-y", "inventory.py", "full.py", *more]
    return subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize(
    ("one", "lines"),
    [
        ("{}", ["the NAS wss://127.0.0.1:9 cannot be reached (Connection refused): is it up, and is nas_url right? [ZT201]"]),
        ('{"hypervisor_uri": "qemu+unix:///system?socket=/nosuch"}', ["qemu+unix:///system?socket=/nosuch", "[ZT301]"]),
        (
            '{"vm_memry": "1 GiB", "vm_cpus": 0}',
            [
                "one: vm_memry (from host data): unknown key; did you mean vm_memory? [ZT101]",
                "one: vm_cpus (from host data): 0 is not a whole number from 1 to 512 (virtual CPUs) [ZT103]",
            ],
        ),
        (
            '{"nas_url": "ws://127.0.0.1"}',
            ["ws://127.0.0.1 is plain text: TrueNAS revokes a key sent that way; write wss://127.0.0.1 [ZT103]"],
        ),
    ],
)
def test_what_cannot_be_had_is_said_in_one_line(tmp_path: Path, one: str, lines: list[str]) -> None:
    done = deploy(tmp_path, one)
    output = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 1, output
    assert "Traceback" not in output
    assert "k3y" not in output
    for line in lines:
        assert line in output


def test_data_on_the_command_line_wins(tmp_path: Path) -> None:
    done = deploy(tmp_path, "{}", "{}", "--data", "vm_cpus=0")
    assert "one: vm_cpus (from --data)" in " ".join((done.stdout + done.stderr).split())


def test_the_owner_is_told_when_the_run_is_over(tmp_path: Path, sink: FakeSink) -> None:
    """By pyinfra's own process, after its last word: sockets and threads are gevent's there."""
    told = f'"notify_sinks": [Secret("signal://me:hunter2@{sink.place}/+4915112345678/+4915187654321?disabletls=yes")]'
    both = "{" + told + ', "notify_events": ["finished"]}'
    done = deploy(tmp_path, both, both)
    assert done.returncode == 1 and "was not told" not in done.stderr, done.stderr
    (message,) = sink.messages
    assert "hunter2" not in sink.taken[0].processes
    title, *lines = message["message"].splitlines()
    assert title == "lab: finished: 2 hosts: nothing done, 2 FAILED"
    assert lines[0].startswith("one: FAILED; nothing done: the NAS wss://127.0.0.1:9 cannot be reached") and len(lines) == 2
    assert deploy(tmp_path, both, both, "--dry").returncode == 1
    assert len(sink.messages) == 1, "nothing was to be made"
    sink.die()
    done = deploy(tmp_path, both, both)
    assert done.returncode == 1 and done.stderr.count("finished was not told to notify_sinks[0]: Apprise: ") == 1
    assert "Traceback" not in done.stderr and "hunter2" not in done.stderr + done.stdout


def test_apply_tells_of_a_run_that_could_do_nothing(tmp_path: Path, sink: FakeSink) -> None:
    told = f'"notify_sinks": [Secret("signal://{sink.place}/+4915112345678/+4915187654321?disabletls=yes")]'
    one = "{" + told + ', "notify_events": ["finished"], "hypervisor_uri": "qemu+unix:///system?socket=/nosuch"}'
    (tmp_path / "inventory.py").write_text(INVENTORY.format(one=one, two="{}"))
    line = [sys.executable, "-c", "from zerotoil.cli import main; main()", "apply", "inventory.py", "--limit", "one", "--yes"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stderr) == (1, "")
    (message,) = sink.messages
    assert message["message"].startswith("lab: finished: 1 host: nothing done, 1 FAILED\r\none: FAILED; nothing done: ")
