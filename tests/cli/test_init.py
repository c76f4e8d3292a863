"""`zerotoil init`: what it writes loads and validates, it overwrites nothing, and what is wrong is said at once."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.terminal import converse
from zerotoil.errors import LabError
from zerotoil.setup import QUESTIONS, Declaration, complete
from zerotoil.setup.declaration import wrong
from zerotoil.setup.files import inventory, literal, write

ROOT = Path(__file__).parents[2]
RUN = "import sys; from zerotoil.cli import main; main(sys.argv[1:])"
READ = """
import sys
from pathlib import Path
from zerotoil.cli.hosts import read
found = read(Path(sys.argv[1]))
for problem in found.problems: print(problem)
for name, spec in found.specs.items():
    nic = spec.vm.nics[0]
    print(name, spec.lab.name, spec.nas.url, spec.nas.fingerprint, spec.nas.api_key.source, spec.nas.dataset, spec.iscsi.portal,
          spec.iscsi.initiators, spec.hypervisor.uri, spec.hypervisor.pool, spec.vm.memory >> 30, spec.vm.cpus,
          spec.data.size >> 30, spec.ssh.authorized_keys, nic.bridge, nic.network, nic.address, nic.reserve, nic.gateway, nic.dns)
"""
RIGHT = {
    "--nas-url": "wss://nas.lan",
    "--nas-dataset": "tank/lab",
    "--portal": "192.168.1.10",
    "--initiator": "iqn.1993-08.org.debian:01:hv1",
    "--host": "docker1",
    "--data-size": "100 GiB",
    "--ssh-key": "ssh-ed25519 AAAA you@laptop",
}
NEXT = """
  zerotoil check inventory/lab.py     is it right?
  zerotoil doctor inventory/lab.py    what is missing, here and on the servers
  zerotoil plan inventory/lab.py      what a deploy would do
"""


def run(home: Path, flags: dict[str, str], *more: str) -> subprocess.CompletedProcess[str]:
    arguments = [part for flag, value in flags.items() for part in (flag, value)]
    environment = {**os.environ, "HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", RUN, "init", *arguments, *more],
        cwd=home, env=environment, capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done


def read(home: Path) -> list[str]:
    """What pyinfra reads from the written inventory, in a process of its own."""
    line = [sys.executable, "-c", READ, "inventory/lab.py"]
    done = subprocess.run(line, cwd=home, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_the_written_inventory_loads_and_validates(tmp_path: Path) -> None:
    done = run(tmp_path, RIGHT)
    assert (done.returncode, done.stderr) == (0, "")
    names = ["inventory/lab.py", "deploys/full.py", ".gitignore"]
    assert done.stdout == "".join(f"written: {name}\n" for name in names) + "\nNext:" + NEXT
    assert sorted(files(tmp_path)) == sorted(names)
    assert files(tmp_path)[".gitignore"] == ".zerotoil/\n"
    assert read(tmp_path) == [
        "docker1 home wss://nas.lan None file:~/.config/zerotoil/nas-api-key tank/lab ['192.168.1.10'] "
        "['iqn.1993-08.org.debian:01:hv1'] qemu:///system default 4 2 100 ['ssh-ed25519 AAAA you@laptop'] "
        "None default None False None []"
    ]


def test_every_flag_reaches_the_inventory(tmp_path: Path) -> None:
    flags = {
        **RIGHT,
        "--lab-name": "attic", "--nas-user": "robot", "--nas-api-key": "env:KEY", "--nas-fingerprint": "AB:" * 31 + "AB",
        "--portal": "192.168.1.10, 192.168.1.11", "--hypervisor-uri": "qemu+ssh://root@hv1/system",
        "--hypervisor-pool": "fast", "--bridge": "br0", "--address": "192.168.1.21/24", "--gateway": "192.168.1.1",
        "--memory": "8 GiB", "--cpus": "4", "--ssh-key": "~/.ssh/lab.pub",
    }  # fmt: skip
    assert run(tmp_path, flags).returncode == 0
    assert read(tmp_path) == [
        f"docker1 attic wss://nas.lan {'ab' * 32} env:KEY tank/lab ['192.168.1.10', '192.168.1.11'] "
        "['iqn.1993-08.org.debian:01:hv1'] qemu+ssh://root@hv1/system fast 8 4 100 ['file:~/.ssh/lab.pub'] "
        "br0 None 192.168.1.21/24 False 192.168.1.1 ['192.168.1.1']"
    ]
    text = files(tmp_path)["inventory/lab.py"]
    assert '"nas_user": "robot",' in text
    assert '# "nas_ca"' not in text


def test_an_address_on_a_libvirt_network_is_reserved_there(tmp_path: Path) -> None:
    assert run(tmp_path, {**RIGHT, "--network": "lab", "--address": "192.168.7.21/24"}).returncode == 0
    assert read(tmp_path)[0].endswith("None lab 192.168.7.21/24 True None []")


def test_the_deploy_is_the_projects_own(tmp_path: Path) -> None:
    run(tmp_path, RIGHT)
    assert files(tmp_path)["deploys/full.py"] == (ROOT / "deploys/full.py").read_text()


def test_it_reads_like_the_projects_own_inventory() -> None:
    text = inventory(Declaration.of(complete({flag[2:].replace("-", "_"): value for flag, value in RIGHT.items()}, None)))
    ours = (ROOT / "inventory/lab.py").read_text()
    for line in ("        # The NAS. The API key belongs to a user", "        # The hypervisor", "        # The guests"):
        assert line in text
        assert line in ours
    assert max(map(len, text.splitlines())) <= 130


@pytest.mark.parametrize(
    "value", ["plain", "it's", 'say "x"', "both ' and \"", "back\\slash", "é\n", 3, ["a", "b'"], {"k": True}]
)
def test_a_value_is_a_python_literal(value: object) -> None:
    assert ast.literal_eval(literal(value)) == value
    if value == "plain":
        assert literal(value) == '"plain"'


def test_the_default_key_is_the_first_of_the_home(tmp_path: Path) -> None:
    flags = {flag: value for flag, value in RIGHT.items() if flag != "--ssh-key"}
    (tmp_path / ".ssh").mkdir()
    for name in ("id_rsa.pub", "id_ed25519.pub", "config"):
        (tmp_path / ".ssh" / name).write_text("x")
    assert run(tmp_path, flags).returncode == 0
    assert '"ssh_authorized_keys": ["file:~/.ssh/id_ed25519.pub"],' in files(tmp_path)["inventory/lab.py"]


def test_all_missing_flags_are_one_line(tmp_path: Path) -> None:
    done = run(tmp_path, {})
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "missing: --nas-url --nas-dataset --portal --initiator --host --data-size --ssh-key: "
        "give these flags, or run zerotoil init in a terminal, which asks [ZT830]\n"
    )
    done = run(tmp_path, {**RIGHT, "--nas-url": "", "--bridge": "br0", "--address": "192.168.1.21/24"})
    assert done.stderr.startswith("missing: --nas-url --gateway: give these flags")
    assert files(tmp_path) == {}


@pytest.mark.parametrize(
    ("flag", "value", "line"),
    [
        ("--nas-url", "ws://nas.lan",
         "docker1: nas_url (from --nas-url): ws://nas.lan is plain text: TrueNAS revokes a key sent that way; "
         "write wss://nas.lan [ZT103]"),
        ("--nas-api-key", "1-s3cret", "docker1: nas_api_key (from --nas-api-key): a secret is not written in the inventory; "
         'write "file:PATH", "env:NAME" or Secret(…) [ZT103]'),
        ("--initiator", "hv1", "docker1: iscsi_initiators (from --initiator): 'hv1' is not an initiator name; it looks like "
         "iqn.1993-08.org.debian:01:abcdef [ZT103]"),
        ("--cpus", "0", "docker1: vm_cpus (from --cpus): 0 is not a whole number from 1 to 512 (virtual CPUs) [ZT103]"),
        ("--cpus", "two",
         "docker1: vm_cpus (from --cpus): 'two' is not a whole number from 1 to 512 (virtual CPUs) [ZT103]"),
        ("--memory", "4", "docker1: vm_memory (from --memory): 4 has no unit; write for instance \"4 GiB\" [ZT103]"),
        ("--address", "192.168.1.21", "docker1: vm_nics (from --network, --address): [0].address: '192.168.1.21' has no prefix "
         'length; write for instance "192.168.1.21/24" [ZT103]'),
        ("--host", "a-host-of-many-words", "a-host-of-many-words: data_serial: 'a-host-of-many-words-data' is 25 bytes, "
         "virtio keeps 20; write a shorter data_serial [ZT104]"),
        ("--host", "Docker_1", "Docker_1: host: 'Docker_1' is not a host name; use a-z, 0-9 and '-' inside, at most 63, "
         "for instance docker1 [ZT103]"),
        ("--ssh-key", "-----BEGIN OPENSSH PRIVATE KEY-----", "docker1: ssh_authorized_keys (from --ssh-key): "
         "'-----BEGIN OPENSSH P'… is no public key; give a .pub file (file:PATH), never the private key [ZT714]"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_the_line_of_an_inventory(tmp_path: Path, flag: str, value: str, line: str) -> None:
    done = run(tmp_path, {**RIGHT, flag: value})
    assert done.returncode == 1
    assert (done.stdout, done.stderr) == ("", line + "\n")
    assert "s3cret" not in done.stderr
    assert files(tmp_path) == {}


def test_a_bridge_and_a_network_contradict_each_other(tmp_path: Path) -> None:
    done = run(tmp_path, {**RIGHT, "--bridge": "br0", "--network": "lab"})
    assert done.stderr == (
        "docker1: vm_nics (from --bridge, --network): [0]: a card is on either a network or a bridge; "
        'write {"network": "default"} or {"bridge": "br0"} [ZT103]\n'
    )


@pytest.mark.parametrize("name", ["inventory/lab.py", "deploys/full.py"])
def test_nothing_is_overwritten(tmp_path: Path, name: str) -> None:
    mine = tmp_path / "lab" / name
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    done = run(tmp_path, RIGHT, "--directory", "lab")
    assert done.returncode == 1
    assert (done.stdout, done.stderr) == ("", f"lab/{name} exists, nothing was written: see --directory [ZT711]\n")
    assert files(tmp_path) == {f"lab/{name}": "mine"}


def test_a_dangling_link_counts_as_a_file(tmp_path: Path) -> None:
    for name in ("inventory/lab.py", "deploys/full.py"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).symlink_to(tmp_path / "elsewhere")
    done = run(tmp_path, RIGHT)
    assert done.stderr == "inventory/lab.py and deploys/full.py exist, nothing was written: see --directory [ZT711]\n"
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "deploys").write_text("a file where a folder has to be")
    declaration = Declaration.of(complete({flag[2:].replace("-", "_"): value for flag, value in RIGHT.items()}, None))
    with pytest.raises(LabError) as caught:
        write(declaration, tmp_path)
    assert str(caught.value) == f"{tmp_path}/deploys cannot be written (File exists), nothing was: see --directory"
    assert [*files(tmp_path)] == ["deploys"]


@pytest.mark.parametrize(
    ("before", "after"),
    [("*.pyc", "*.pyc\n.zerotoil/\n"), ("*.pyc\n", "*.pyc\n.zerotoil/\n"), (".zerotoil/\n", None), (".zerotoil\n", None)],
)
def test_a_gitignore_of_ones_own_gets_the_line_once(tmp_path: Path, before: str, after: str | None) -> None:
    (tmp_path / ".gitignore").write_text(before)
    done = run(tmp_path, RIGHT)
    assert ("written: .gitignore" in done.stdout) is (after is not None)
    assert files(tmp_path)[".gitignore"] == (after or before)


def test_another_directory_is_made_and_named(tmp_path: Path) -> None:
    done = run(tmp_path, RIGHT, "--directory", "my lab")
    assert done.stdout.endswith(f"\nNext:\n  cd 'my lab'{NEXT}")
    assert (tmp_path / "my lab/inventory/lab.py").exists()


def test_an_answer_is_judged_with_those_before_it() -> None:
    assert wrong({}, "nas_url") == ""
    assert wrong({"bridge": "br0", "address": "10.0.0.2"}, "vm_nics").startswith("[0].address: '10.0.0.2' has no prefix")
    assert wrong({"portal": "0.0.0.0"}, "iscsi_portal").startswith("iscsi_address is needed")
    assert wrong({"host": "a-host-of-many-words"}, "host").startswith("'a-host-of-many-words-data' is 25 bytes")
    assert all(wrong({}, question.key) == "" for question in QUESTIONS)


def test_a_terminal_is_asked_until_the_answer_is_right(tmp_path: Path) -> None:
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/id.pub").write_text("ssh-ed25519 A")
    given = ["--host", "docker1", "--nas-dataset", "tank/lab", "--portal", "192.168.1.10", "--initiator", RIGHT["--initiator"]]
    answers = {
        "Name of the la": ["attic"],
        "Address of the TrueNAS": ["ws://nas.lan", "wss://nas.lan"],
        "Bridge of the hypervisor": ["br0"],
        "Address with prefix": ["192.168.1.21", "192.168.1.21/24"],
        "Gateway of that": ["192.168.1.1"],
        "Size of the data": ["100", "50 GiB"],
    }  # everything else: return, for the default
    code, screen = converse(["init", *given], tmp_path, {"HOME": str(tmp_path)}, answers)
    assert code == 0, screen
    assert "Error: ws://nas.lan is plain text" in screen
    assert "Error: [0].address: '192.168.1.21' has no prefix length" in screen
    assert "Error: 100 has no unit" in screen
    assert "Name of the first host" not in screen
    assert "libvirt network [" not in screen
    assert not any(answers.values())
    assert read(tmp_path) == [
        "docker1 attic wss://nas.lan None file:~/.config/zerotoil/nas-api-key tank/lab ['192.168.1.10'] "
        "['iqn.1993-08.org.debian:01:hv1'] qemu:///system default 4 2 50 ['file:~/.ssh/id.pub'] "
        "br0 None 192.168.1.21/24 False 192.168.1.1 ['192.168.1.1']"
    ]
