"""`zerotoil doctor` as a person runs it: table, JSON, exit codes, one line instead of a traceback, nothing written."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import converse
from zerotoil.minilab.nas import Simulator
from zerotoil.minilab.nas.memory import MemoryStorage
from zerotoil.minilab.nas.targets import NoTargets

KEY = "1-abcdefghijklmnop"
RUN = "import sys; from zerotoil.cli import main; main(sys.argv[1:])"
INVENTORY = """
hosts = ([("@vm/one", {{}}), ("@vm/two", {two})], {{
    "nas_url": {url!r}, "nas_user": "zerotoil", "nas_api_key": "file:{home}/key", "nas_fingerprint": {fingerprint!r},
    "nas_dataset": "tank/lab", "nas_timeout": "5 seconds", "iscsi_portal": ["127.0.0.1"], "iscsi_port": 9,
    "iscsi_initiators": ["iqn.1993-08.org.debian:01:x"], "hypervisor_uri": "test:///default",
    "hypervisor_pool": "default-pool", "vm_accel": "emulated", "data_attach": "network", "data_size": "1 GiB",
    "ssh_authorized_keys": ["ssh-ed25519 A"],
}})
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with the API key, and programs that a lab needs."""
    (tmp_path / "key").touch(mode=0o600)
    (tmp_path / "key").write_text(KEY)
    (tmp_path / "bin").mkdir()
    for name, says in (("butane", "Butane v0.29.0"), ("ssh", "OpenSSH_9.9"), ("virsh", ""), ("qemu-img", "")):
        program = tmp_path / "bin" / name
        program.write_text(f"#!/bin/sh\necho '{says}'\n")
        program.chmod(0o755)
    return tmp_path


def doctor(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own, in an empty folder: pyinfra patches the process that loads an inventory."""
    work = home / "work"
    work.mkdir(exist_ok=True)
    environment = {**os.environ, "HOME": str(home), "PATH": f"{home}/bin:/usr/bin:/bin"}
    line = [sys.executable, "-B", "-c", RUN, "doctor", *arguments]
    done = subprocess.run(line, cwd=work, env=environment, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert "Traceback" not in done.stderr + done.stdout
    assert KEY not in done.stderr + done.stdout
    assert not list(work.iterdir())
    return done


def checks(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    return {check["check"]: check for check in json.loads(done.stdout)["checks"]}


def write(home: Path, url: str, fingerprint: str = "0" * 64, two: str = "{}") -> str:
    (home / "lab.py").write_text(INVENTORY.format(url=url, fingerprint=fingerprint, home=home, two=two))
    return str(home / "lab.py")


def test_warnings_alone_are_no_failure(home: Path) -> None:
    storage = MemoryStorage("tank", 1 << 40)
    with Simulator(storage=storage, targets=NoTargets(), users={"zerotoil": KEY}, address="127.0.0.1") as sim:
        done = doctor(home, write(home, sim.url, sim.fingerprint), "--json")
        assert sim.writes == 0
        found = checks(done)
        assert {name for name, check in found.items() if check["state"] == "failure"} == set()
        assert found[f"{sim.url}: iSCSI 127.0.0.1:9"]["state"] == "warning"
        assert found[sim.url] == {
            "check": sim.url, "state": "ok", "found": "TrueNAS, API v25.10.5; logged in as zerotoil", "fix": "",
        }  # fmt: skip
        assert found[f"{home}/lab.py"]["found"] == "declares one, two"
        assert json.loads(done.stdout)["ok"] is True
        assert (done.returncode, done.stderr) == (0, "")


def test_what_fails_says_what_to_do_and_the_rest_is_reported(home: Path) -> None:
    (home / "key").chmod(0o644)
    inventory = write(home, "wss://127.0.0.1:9", two='{"hypervisor_uri": "qemu+ssh://root@127.0.0.1:9/system"}')
    done = doctor(home, inventory)
    assert done.returncode == 1
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in done.stdout.splitlines() if "│" in line]
    found = {row[0]: row[1:] for row in rows}
    readable = f"the secret file {home}/key is readable by others"
    assert found[f"secret file:{home}/key"] == ["failure", readable, f"chmod 600 {home}/key"]
    refused = "the NAS wss://127.0.0.1:9 cannot be reached (Connection refused)"
    assert found["wss://127.0.0.1:9"] == ["failure", refused, "is it up, and is nas_url right?"]
    assert found["qemu+ssh://root@127.0.0.1:9/system"][0] == "failure"
    assert found["test:///default: pool default-pool"] == ["ok", "started", ""]
    head = next(line for line in done.stdout.splitlines() if "state" in line)
    assert [cell.strip() for cell in head.split("┃")[1:-1]] == ["check", "state", "found", "what to do"]


def test_a_problem_of_the_inventory_is_one_check_and_other_hosts_are_asked_for(home: Path) -> None:
    inventory = write(home, "wss://127.0.0.1:9", two='{"vm_memry": "1 GiB"}')
    done = doctor(home, inventory, "--json")
    found = checks(done)
    assert done.returncode == 1
    assert found[inventory] == {
        "check": inventory,
        "state": "failure",
        "found": f"two: vm_memry (from host data, {inventory}:2): unknown key; did you mean vm_memory?",
        "fix": f"zerotoil check {inventory} tells more",
    }
    assert found["test:///default"]["state"] == "ok"


def test_an_inventory_that_cannot_be_loaded(home: Path) -> None:
    (home / "lab.py").write_text("1/0\n")
    done = doctor(home, str(home / "lab.py"), "--json")
    found = checks(done)[f"{home}/lab.py"]
    assert done.returncode == 1
    assert found["found"] == f"{home}/lab.py:1: ZeroDivisionError: division by zero"
    assert found["fix"] == "mend this line"
    assert checks(done)["python"]["state"] == "ok"


def test_without_an_inventory_this_machine_is_looked_at(home: Path) -> None:
    (home / "bin/ssh").write_text("#!/nonexistent\n")
    done = doctor(home, "--json")
    found = checks(done)
    assert [*found] == ["python", "libvirt library", "butane", "ignition-validate", "ssh", "virsh", "qemu:///system"]
    assert found["ssh"]["found"] == f"{home}/bin/ssh cannot be run (No such file or directory)"
    assert done.returncode == 1


def test_a_silent_hypervisor_takes_its_deadline_and_no_longer(home: Path) -> None:
    (home / "bin/ssh").write_text('#!/bin/sh\n[ "$1" = -V ] && echo OpenSSH_9.9 && exit\nexec sleep 50\n')
    uri = "qemu+ssh://root@silent/system"
    inventory = write(home, "wss://127.0.0.1:9", two=f'{{"hypervisor_uri": "{uri}", "hypervisor_timeout": "2 seconds"}}')
    started = time.monotonic()
    done = doctor(home, inventory, "--json")
    assert time.monotonic() - started < 20
    found = checks(done)
    assert found[uri]["found"] == "connect: no answer within 2 s"
    assert found[uri]["fix"] == "see whether the hypervisor is up and its libvirt answers"
    assert found["test:///default"]["state"] == "ok"


def test_a_narrow_terminal_cuts_nothing_off(home: Path) -> None:
    (home / "key").unlink()
    environment = {"HOME": str(home), "PATH": f"{home}/bin:/usr/bin:/bin", "COLUMNS": "60"}
    code, screen = converse(["doctor", write(home, "wss://127.0.0.1:9")], home, environment, {})
    assert code == 1
    assert "…" not in screen
    table, _, below = screen.rpartition("┘\n")
    assert max(map(len, table.splitlines()[-3:])) <= 60
    assert below.splitlines() == [
        f"secret file:{home}/key: install -D -m 600 /dev/stdin {home}/key (then paste it)",
        "wss://127.0.0.1:9: is it up, and is nas_url right?",
        "wss://127.0.0.1:9: iSCSI 127.0.0.1:9: fine before the first deploy, or when only the hypervisor is on its network",
    ]


def test_a_wide_terminal_says_everything_once(home: Path) -> None:
    environment = {"HOME": str(home), "PATH": f"{home}/bin:/usr/bin:/bin", "COLUMNS": "400"}
    _, screen = converse(["doctor", write(home, "wss://127.0.0.1:9")], home, environment, {})
    assert screen.count("is it up, and is nas_url right?") == 1
    assert screen.endswith("┘\n")
