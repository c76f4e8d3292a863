"""One connection for many scripts, seen by a stand-in for ssh that writes down what it is asked."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import make_spec
from zerotoil.clients import ssh

SSH = """#!/bin/sh
echo "$*" >>"$ASKED"
for word; do case $word in ControlPath=*) : >"${word#ControlPath=}" ;; esac; done
"""


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "ssh").write_text(SSH)
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("ASKED", str(tmp_path / "asked"))
    return tmp_path / "asked"


def sockets(asked: Path) -> list[str]:
    words = asked.read_text().split()
    return [word.removeprefix("ControlPath=") for word in words if word.startswith("ControlPath=")]


def ask(tmp_path: Path, start: int | None, address: str = "192.0.2.1") -> None:
    ssh.shell(make_spec(), address, tmp_path / "known_hosts", start=start)("true")


def test_scripts_share_a_connection_until_the_vm_is_started_anew(asked: Path, tmp_path: Path) -> None:
    for start, address in ((1, "192.0.2.1"), (1, "192.0.2.1"), (2, "192.0.2.1"), (1, "192.0.2.2")):
        ask(tmp_path, start, address)
    first, same, restarted, elsewhere = sockets(asked)
    assert first == same and len({first, restarted, elsewhere}) == 3
    assert stat.S_IMODE(Path(first).parent.stat().st_mode) == 0o700


def test_who_asks_once_leaves_nothing_behind(asked: Path, tmp_path: Path) -> None:
    ask(tmp_path, None)
    assert sockets(asked) == [] and "ControlMaster" not in asked.read_text()


def test_all_are_closed_at_the_end_of_the_process(asked: Path, tmp_path: Path) -> None:
    program = (
        "from pathlib import Path; from tests.conftest import make_spec; from zerotoil.clients import ssh\n"
        "for start in (1, 2): ssh.shell(make_spec(), '192.0.2.1', Path('known_hosts'), start=start)('true')"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
    one, other = sockets(asked)
    closing = sorted(line for line in asked.read_text().splitlines() if line.startswith("-O exit"))
    assert closing == sorted(f"-O exit -S {socket} zerotoil" for socket in (one, other))
    assert not Path(one).parent.exists()
