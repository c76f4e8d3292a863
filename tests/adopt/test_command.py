"""`zerotoil adopt` as a person calls it."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from tests.adopt.conftest import CHAP, Handmade, domain, hypervisor
from zerotoil.cli import main


def call(lab: Handmade, *more: str, **changed: str) -> int:
    """Exit code of the command."""
    options = {
        "nas": lab.sim.url, "nas-user": "zerotoil", "nas-api-key": "env:NAS_KEY", "nas-fingerprint": lab.sim.fingerprint,
        "hypervisor": lab.hypervisor.uri, "lab-name": "home", **changed,
    }  # fmt: skip
    with pytest.raises(SystemExit) as done:
        main(["adopt", *(f"--{name}={value}" for name, value in options.items()), *more])
    return int(done.value.code or 0)


def test_it_writes_the_inventory_and_says_what_it_found(
    one: Handmade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    one.hypervisor.connection.defineXML(domain("files", ""))
    writes, of_hypervisor = one.sim.writes, dict(one.hypervisor.writes)
    assert call(one) == 0
    assert (one.sim.writes, dict(one.hypervisor.writes)) == (writes, of_hypervisor)
    said = capsys.readouterr()
    assert said.err == ""
    for words in (
        "tank/media/photos",
        "t-matrix",
        "first-boot, adopted (safe)",
        "the disk /pool/seed.iso: it stays",
        "not known: put the secret there (mode 0600)",
        "all VMs: not known: where new hosts get their datasets\n",
    ):
        assert words in said.out
    assert "not adopted: files: it has no iSCSI disk (it reads /pool/files.qcow2) [ZT812]\n" in said.out
    assert said.out.endswith(
        "inventory/lab.py was written; nothing else was changed. Read it, above all its lines 'not known'.\n"
    )
    assert CHAP not in said.out
    assert set(dict(runpy.run_path(str(tmp_path / "inventory/lab.py"))["adopted"])) == {"@vm/matrix", "@vm/mail", "@vm/photos"}


def test_only_the_named_domains(one: Handmade, tmp_path: Path) -> None:
    assert call(one, "mail", output=str(tmp_path / "some.py")) == 0
    assert re.findall(r'"@vm/(\w+)",\n', (tmp_path / "some.py").read_text()) == ["mail"]


def test_the_written_file_is_an_inventory_of_pyinfra(one: Handmade, tmp_path: Path) -> None:
    """In a process of its own: pyinfra patches the sockets that the simulator's threads use."""
    assert call(one, output=str(tmp_path / "lab.py")) == 0
    script = (
        "import sys, pathlib; from zerotoil.cli.hosts import read; found = read(pathlib.Path(sys.argv[1]));"
        "print(sorted(found.specs), [str(problem) for problem in found.problems])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "lab.py")], capture_output=True, text=True, timeout=60, cwd=tmp_path
    )
    assert (done.stdout, done.returncode) == ("['mail', 'matrix', 'photos'] []\n", 0), done.stderr


def test_an_existing_file_is_never_overwritten(one: Handmade, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "lab.py"
    path.write_text("mine")
    seen = len(one.sim.calls)
    assert call(one, output=str(path)) == 1
    assert capsys.readouterr().err == f"{path} exists and is not overwritten: name another file with --output [ZT711]\n"
    assert path.read_text() == "mine" and len(one.sim.calls) == seen


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"nas": "ws://nas.lan"}, "ws://nas.lan is plain text: TrueNAS revokes a key sent that way; write wss://nas.lan"),
        ({"nas-api-key": "1-literal"}, 'a secret is not written in the inventory; write "file:PATH", "env:NAME" or Secret(…)'),
        ({"nas-fingerprint": "abc"}, "'abc' is not a SHA-256 fingerprint (64 hex digits, colons allowed), as printed by openssl"),
        ({"hypervisor": "hv1"}, "'hv1' is not a libvirt address; write qemu:///system or qemu+ssh://root@hv1/system"),
        ({"lab-name": "My Lab"}, "'My Lab' is not a name of a lab; use a-z, 0-9 and '-' inside, at most 63, for instance home"),
        ({"nas-api-key": "file:/none/key"}, "the secret file /none/key cannot be read (No such file or directory): create it"),
    ],
)
def test_wrong_options_are_one_line(
    one: Handmade, tmp_path: Path, capsys: pytest.CaptureFixture[str], changed: dict[str, str], line: str
) -> None:
    assert call(one, output=str(tmp_path / "lab.py"), **changed) == 1
    said = capsys.readouterr().err
    assert said.startswith(line) and re.search(r" \[ZT(103|701)\]\n$", said) and said.count("\n") == 1 and "1-literal" not in said
    assert not (tmp_path / "lab.py").exists()


def test_an_unknown_domain_is_named(one: Handmade, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(one, "nobody", output=str(tmp_path / "lab.py")) == 1
    assert capsys.readouterr().err.endswith("has no VM nobody: it has: mail, matrix, photos [ZT810]\n")


def test_nothing_to_adopt_writes_nothing(one: Handmade, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one.hypervisor = hypervisor(tmp_path, domain("files", ""))
    assert call(one, output=str(tmp_path / "lab.py")) == 1
    said = capsys.readouterr()
    assert said.out == "not adopted: files: it has no iSCSI disk (it reads /pool/files.qcow2) [ZT812]\n"
    assert said.err == "no VM can be adopted; no inventory was written: see the reasons above [ZT811]\n"
    assert not (tmp_path / "lab.py").exists()


def test_a_secret_that_is_not_there_yet_is_said(one: Handmade, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".config/zerotoil/chap-secret").unlink()
    assert call(one, "matrix", output=str(tmp_path / "lab.py")) == 0
    assert "CHAP user hv1 (tag 7): cannot be compared yet" in capsys.readouterr().out
