"""Doctor's checks of this machine: distributions, versions, what is missing, and the command for each."""

import importlib
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import make_spec
from zerotoil.clients import butane as butane_client
from zerotoil.doctor import files, here, hypervisor, packages
from zerotoil.doctor.check import Check, State, attempt, failure, ok, warning
from zerotoil.doctor.packages import Family, family, install
from zerotoil.error_codes import Code
from zerotoil.errors import LabError

DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\n'
UBUNTU = 'NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\n'


@pytest.fixture(autouse=True)
def as_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands are shown as a user without rights has to type them."""
    monkeypatch.setattr(packages.os, "geteuid", lambda: 1000)
    monkeypatch.setenv("USER", "ada")


def program(folder: Path, name: str, script: str) -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (DEBIAN, Family.DEBIAN),
        (UBUNTU, Family.DEBIAN),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"\n', Family.DEBIAN),
        ("ID=fedora\n", Family.FEDORA),
        ('ID=nobara\nID_LIKE="fedora"\n', Family.FEDORA),
        ('ID="rhel"\nID_LIKE="fedora"\n', Family.RED_HAT),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', Family.RED_HAT),
        ("ID=arch\n", Family.UNKNOWN),
        ("# ID=debian\n\nnonsense", Family.UNKNOWN),
    ],
)
def test_the_family_is_told_by_id_then_by_what_it_is_like(text: str, expected: Family) -> None:
    assert family(text) is expected


def test_this_machine_is_looked_up_where_distributions_keep_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "_OS_RELEASE", (tmp_path / "none", tmp_path / "os-release"))
    assert packages.this_family() is Family.UNKNOWN
    (tmp_path / "os-release").write_text("ID=fedora\n")
    assert packages.this_family() is Family.FEDORA


@pytest.mark.parametrize(
    ("what", "where", "command"),
    [
        ("iscsiadm", Family.DEBIAN, "sudo apt-get install open-iscsi"),
        ("iscsiadm", Family.FEDORA, "sudo dnf install iscsi-initiator-utils"),
        (
            "iscsiadm",
            Family.UNKNOWN,
            "Debian, Ubuntu: sudo apt-get install open-iscsi; Fedora: sudo dnf install iscsi-initiator-utils",
        ),
        ("QEMU's iSCSI driver", Family.DEBIAN, "sudo apt-get install qemu-block-extra"),
        ("QEMU's iSCSI driver", Family.FEDORA, "sudo dnf install qemu-block-iscsi"),
        ("QEMU's iSCSI driver", Family.RED_HAT, 'no package has it (Red Hat dropped it): declare data_attach = "block"'),
        ("ssh", Family.DEBIAN, "sudo apt-get install openssh-client"),
        ("ssh", Family.RED_HAT, "sudo dnf install openssh-clients"),
        ("virsh", Family.DEBIAN, "sudo apt-get install libvirt-clients"),
        ("qemu-img", Family.FEDORA, "sudo dnf install qemu-img"),
        ("butane", Family.FEDORA, "sudo dnf install butane"),
        (
            "butane",
            Family.DEBIAN,
            "run `make setup` in a checkout (Debian), or put the release binary of github.com/coreos/butane on the PATH",
        ),
    ],
)
def test_the_command_is_the_one_of_the_distribution(what: str, where: Family, command: str) -> None:
    assert install(what, where) == command


def test_root_needs_no_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages.os, "geteuid", lambda: 0)
    assert install("ssh", Family.DEBIAN) == "apt-get install openssh-client"


def test_python() -> None:
    old = failure("python", "3.10.12, needed is 3.11", "sudo apt-get install python3.11 python3.11-venv")
    assert here.python((3, 10, 12), Family.DEBIAN) == old
    assert here.python((3, 11, 0), Family.DEBIAN) == ok("python", "3.11.0")


def test_a_library_that_is_not_installed_and_one_that_does_not_load(monkeypatch: pytest.MonkeyPatch) -> None:
    def importing(error: Exception) -> Any:
        def fail(_name: str) -> None:
            raise error

        return fail

    monkeypatch.setattr(importlib, "import_module", importing(ModuleNotFoundError("No module named 'libvirt'")))
    check = here.library(Family.DEBIAN)
    assert (check.state, check.found) == (State.FAILURE, "the Python module libvirt is not installed")
    assert check.fix.startswith("sudo apt-get install gcc libvirt-dev pkg-config python3-dev, then ")
    assert check.fix.endswith(" -m pip install libvirt-python")
    lost = "libvirt.so.0: cannot open shared object file"
    monkeypatch.setattr(importlib, "import_module", importing(ImportError(lost)))
    found = f"the Python module libvirt cannot be loaded ({lost})"
    assert here.library(Family.FEDORA) == failure("libvirt library", found, "sudo dnf install libvirt-libs")


def test_the_version_of_libvirt_is_readable() -> None:
    assert here.dotted(9000000) == "9.0.0"
    assert here.dotted(11004012) == "11.4.12"
    assert here.library(Family.DEBIAN).state is State.OK


@pytest.mark.parametrize(
    ("said", "state", "found"),
    [
        ("Butane v0.29.0", State.OK, "0.29.0 in {}"),
        ("Butane 0.23.0", State.OK, "0.23.0 in {}"),
        ("Butane 0.22.0", State.FAILURE, "0.22.0 in {}, needed is 0.23.0"),
        ("Butane was not built properly", State.WARNING, "{} says 'Butane was not built properly' for its version"),
    ],
)
def test_butane(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, state: State, found: str) -> None:
    path = program(tmp_path, "butane", f'[ "$1" = --version ] && echo "{said}"')
    monkeypatch.setattr(butane_client, "find", lambda _tool: path)
    fix = "" if state is State.OK else "sudo dnf install butane"
    assert here.butane(Family.FEDORA) == Check("butane", state, found.format(path), fix)


def test_tools_that_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(butane_client, "find", lambda _tool: None)
    monkeypatch.setenv("PATH", "/nowhere")
    where = Family.FEDORA
    assert here.butane(where) == failure("butane", "not installed", "sudo dnf install butane")
    name = "ignition-validate"
    assert here.ignition_validate(where) == warning(name, "not installed: only Butane checks configs", f"sudo dnf install {name}")
    assert here.ssh(where) == failure("ssh", "not installed", "sudo dnf install openssh-clients")
    assert here.virsh(where) == warning("virsh", "not installed; only people need it", "sudo dnf install libvirt-client")


def test_a_tool_that_cannot_be_run_fails_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "butane").write_text("not a program")
    monkeypatch.setattr(butane_client, "find", lambda tool: str(tmp_path / "butane") if tool == "butane" else None)
    found = {check.name: check for check in here.checks(Family.DEBIAN)}
    assert found["butane"] == failure("butane", f"{tmp_path}/butane cannot be run (Permission denied)", "install it anew")
    assert found["python"].state is State.OK
    assert [*found] == ["python", "libvirt library", "butane", "ignition-validate", "ssh", "virsh"]


@pytest.mark.parametrize(
    ("said", "where", "fix"),
    [
        ("Failed to connect socket to '/run/libvirt/libvirt-sock': Permission denied", Family.DEBIAN,
         "sudo usermod -aG libvirt ada, then log in again"),
        ("authentication unavailable: no polkit agent available", Family.FEDORA,
         "sudo usermod -aG libvirt ada, then log in again"),
        ("Failed to connect socket to '/run/libvirt/libvirt-sock': No such file or directory", Family.DEBIAN,
         "sudo apt-get install libvirt-daemon-system, then sudo systemctl enable --now libvirtd"),
        ("Failed to connect socket to '/run/libvirt/virtqemud-sock': No such file or directory", Family.FEDORA,
         "sudo dnf install libvirt-daemon-kvm, then sudo systemctl enable --now virtqemud.socket virtstoraged.socket "
         "virtnetworkd.socket virtsecretd.socket virtnodedevd.socket"),
        ("something else", Family.DEBIAN, "see what it says: virsh -c qemu:///system version"),
    ],
)  # fmt: skip
def test_what_helps_against_a_local_libvirt(said: str, where: Family, fix: str) -> None:
    assert here.daemon_fix(said, where) == fix


def test_without_an_inventory_a_missing_daemon_is_only_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    from zerotoil.clients.hypervisor import Hypervisor, HypervisorError

    def refuse(_uri: str, _timeout: float) -> None:
        raise HypervisorError("hypervisor qemu:///system: connect: Permission denied", "…", code=Code.HYPERVISOR_UNREACHABLE)

    monkeypatch.setattr(Hypervisor, "connect", refuse)
    found = "hypervisor qemu:///system: connect: Permission denied (not needed when the hypervisor is another machine)"
    assert here.daemon(Family.DEBIAN) == warning("qemu:///system", found, "sudo usermod -aG libvirt ada, then log in again")


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("qemu:///system", True),
        ("qemu+unix:///system?socket=/x", True),
        ("qemu+ssh://root@hv1/system", False),
        ("qemu+ssh://localhost/system", False),
        ("qemu+tcp://hv1/system", False),
    ],
)
def test_which_hypervisor_is_this_machine(uri: str, expected: bool) -> None:
    assert hypervisor.is_local(uri) is expected


@pytest.mark.parametrize("said", ["Unknown driver 'iscsi'", "Unknown protocol 'iscsi'"])
def test_qemu_without_its_iscsi_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    program(tmp_path, "qemu-img", f'echo "qemu-img: {said}" >&2; exit 1')
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    expected = failure(
        "QEMU's iSCSI driver", 'not installed, and data_attach = "network" needs it', "sudo apt-get install qemu-block-extra"
    )
    assert hypervisor.iscsi_driver(Family.DEBIAN) == expected


def test_qemu_with_its_iscsi_driver_fails_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = program(tmp_path, "qemu-img", "echo 'qemu-img: iSCSI: Failed to connect to LUN' >&2; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    assert hypervisor.iscsi_driver(Family.DEBIAN) == ok("QEMU's iSCSI driver", f"there, with {path}")


def test_tools_are_only_asked_for_where_a_host_needs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hypervisor, "_which", lambda _tool: None)
    block, network = make_spec(data_attach="block"), make_spec(data_attach="network")
    iscsiadm = failure("iscsiadm", 'not installed, and data_attach = "block" needs it', "sudo dnf install iscsi-initiator-utils")
    qemu_img = failure("QEMU's iSCSI driver", "qemu-img is not installed", "sudo dnf install qemu-img")
    assert hypervisor.local_tools([block], Family.FEDORA) == [iscsiadm]
    assert hypervisor.local_tools([network], Family.FEDORA) == [qemu_img]
    assert hypervisor.local_tools([block, network], Family.FEDORA) == [iscsiadm, qemu_img]


def test_secret_files_are_there_and_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("CHAP", raising=False)
    key = tmp_path / "nas-api-key"
    spec = make_spec(
        nas_api_key="file:~/nas-api-key",
        iscsi_chap_user="hv1",
        iscsi_chap_secret="env:CHAP",
        ssh_authorized_keys=["file:~/id.pub"],
    )
    missing = files.checks([spec, spec])
    assert missing == [
        failure("secret file:~/nas-api-key", f"there is no file {key}", f"install -D -m 600 /dev/stdin {key} (then paste it)"),
        failure("secret env:CHAP", "the secret env:CHAP is empty or missing", "put the secret there"),
        failure(
            "public key file:~/id.pub",
            f"there is no file {tmp_path}/id.pub",
            "ssh-keygen -t ed25519, or name another in ssh_authorized_keys",
        ),
    ]
    key.write_text("s3cret-key")
    key.chmod(0o644)
    (tmp_path / "id.pub").write_text("ssh-ed25519 A")
    monkeypatch.setenv("CHAP", "s3cret-chap")
    open_to_all = failure("secret file:~/nas-api-key", f"the secret file {key} is readable by others", f"chmod 600 {key}")
    assert files.checks([spec]) == [
        open_to_all,
        ok("secret env:CHAP", "there"),
        ok("public key file:~/id.pub", "there"),
    ]
    key.chmod(0o600)
    found = files.checks([spec])
    assert found[0] == ok("secret file:~/nas-api-key", "there, and private")
    assert "s3cret" not in repr(found)


def test_an_error_is_one_failure_whatever_it_is() -> None:
    def refuse() -> Check:
        raise LabError("it is broken", "mend it", code=Code.INTERNAL)

    def surprise() -> Check:
        raise KeyError("name")

    assert attempt("x", refuse) == failure("x", "it is broken", "mend it")
    assert attempt("x", surprise) == failure("x", "unexpected KeyError: 'name'", "report this, with the versions above")


def test_the_secrets_of_a_list_are_looked_at_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SINK", "ntfy://ntfy.lan/home")
    found = files.checks([make_spec(notify_sinks=["env:SINK", f"file:{tmp_path}/none"])])
    assert [(check.name, check.state.value) for check in found] == [
        ("secret env:SINK", "ok"),
        (f"secret file:{tmp_path}/none", "failure"),
    ]
