"""pyinfra with servers that cannot be had: one line, exit 1, no traceback, and the other hosts go on."""

import subprocess
import sys
from pathlib import Path

import pytest

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
