"""tailscale.sh and its copy of the state: what outlives an OS disk, and what an undo of the data does not bring back."""

import json
import shutil
from pathlib import Path

import pytest

from tests.resources.guest.tailscale_machine import Machine
from zerotoil.resources.guest.own_files import own_files
from zerotoil.resources.guest.packaged import script_text


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(tmp_path)
    made.tailnet(tailnet_serve={"443": 8080}).apply()
    (made.kept / "certs").mkdir()
    (made.kept / "certs/matrix.crt").write_text("certificate")
    made.run("keep")
    made.asked()
    made.log()
    return made


def copies(machine: Machine) -> list[str]:
    return sorted(path.name for path in machine.own.glob("state.*"))


def node(machine: Machine) -> str:
    found: str = machine.daemon()["node"]
    return found


def new_key(machine: Machine) -> str:
    """As a login by hand makes it."""
    state = machine.daemon()
    state["node"] = f"{state['node']}+"
    (machine.kept / "tailscaled.state").write_text(json.dumps(state))
    return node(machine)


def test_the_state_is_for_root_alone(machine: Machine) -> None:
    (copy,) = machine.own.glob("state.*")
    for path in (copy, copy / "tailscaled.state", copy / "certs/matrix.crt", machine.kept):
        assert path.stat().st_mode & 0o077 == 0, path


def test_it_survives_a_new_os_disk_without_joining_anew(machine: Machine) -> None:
    before = node(machine)
    machine.os_disk()
    machine.run("install")
    assert node(machine) == before and machine.joined() == 1
    assert (machine.kept / "certs/matrix.crt").read_text() == "certificate"
    assert "systemctl start --no-block tailscaled.service" in machine.log()
    machine.asked()
    made = machine.tailnet(tailnet_serve={"443": 8080})
    assert made.plan() == []
    assert machine.asked() == []


def test_a_daemon_that_the_image_has_started_is_given_the_state(machine: Machine) -> None:
    before = node(machine)
    machine.os_disk()
    (machine.root / "var/lib/tailscale").mkdir()
    (machine.kept / "tailscaled.state").write_text(json.dumps({"node": "", "tags": [], "prefs": {}, "serve": {}}))
    for name in ("enabled", "active"):
        (machine.state / f"{name}-tailscaled.service").touch()
    (machine.state / "selinux").touch()
    machine.run("install")
    assert node(machine) == before
    log = machine.log()
    assert log.index("systemctl stop tailscaled.service") < log.index(f"restorecon -R {machine.kept}")
    assert log.index(f"restorecon -R {machine.kept}") < log.index("systemctl start tailscaled.service")


def test_a_copy_is_made_when_the_state_changes_and_else_nothing(machine: Machine) -> None:
    first = copies(machine)
    machine.run("keep")
    machine.run("install")
    assert copies(machine) == first and machine.log() == []
    key = new_key(machine)
    machine.run("keep")
    (copy,) = machine.own.glob("state.*")
    assert copy.name != first[0] and json.loads((copy / "tailscaled.state").read_text())["node"] == key


def test_a_state_that_was_not_copied_is_shown(machine: Machine) -> None:
    new_key(machine)
    made = machine.tailnet(tailnet_serve={"443": 8080})
    assert [str(change) for change in made.plan()] == ["tailnet: copy of its state older -> as it is"]
    made.apply()
    assert made.plan() == []


def test_an_undo_of_the_data_brings_no_older_key_back(machine: Machine, tmp_path: Path) -> None:
    """As swap.sh ends: another disk is there, and install.sh runs."""
    shutil.copytree(machine.own, tmp_path / "yesterday")
    key = new_key(machine)
    machine.run("keep")
    shutil.rmtree(machine.own)
    shutil.copytree(tmp_path / "yesterday", machine.own)
    machine.log()
    machine.run("install")
    assert node(machine) == key, "the machine stays who it is"
    assert not [line for line in machine.log() if "tailscaled.service" in line], "and connected"
    (copy,) = machine.own.glob("state.*")
    assert json.loads((copy / "tailscaled.state").read_text())["node"] == key
    machine.os_disk()
    machine.run("install")
    assert node(machine) == key


def test_an_os_disk_of_before_takes_the_newer_state(machine: Machine, tmp_path: Path) -> None:
    machine.os_disk(keep_as=tmp_path / "before")
    machine.run("install")
    key = new_key(machine)
    machine.run("keep")
    shutil.rmtree(machine.root / "var/lib")
    shutil.copytree(tmp_path / "before", machine.root / "var/lib")
    made = machine.tailnet(tailnet_serve={"443": 8080})
    assert "tailnet: its state this OS disk's, which is older -> the data disk's" in [str(change) for change in made.plan()]
    machine.run("keep")  # whatever runs first
    assert node(machine) == key
    machine.guest.forget()
    assert made.plan() == []


def test_a_copy_that_was_cut_off_is_made_again(machine: Machine) -> None:
    key = new_key(machine)
    (machine.programs / "cp").write_text("#!/bin/sh\nexit 1\n")
    (machine.programs / "cp").chmod(0o755)
    before = copies(machine)
    machine.wrong("keep")
    assert [name for name in copies(machine) if name != "state.new"] == before
    (machine.programs / "cp").unlink()
    machine.run("keep")
    (copy,) = machine.own.glob("state.*")
    assert json.loads((copy / "tailscaled.state").read_text())["node"] == key


def test_a_restore_that_was_cut_off_is_made_again(machine: Machine) -> None:
    before = node(machine)
    machine.os_disk()
    (machine.programs / "sync").write_text("#!/bin/sh\nexit 1\n")
    machine.wrong("install")
    (machine.programs / "sync").write_text("#!/bin/sh\n")
    machine.run("install")
    assert node(machine) == before and len(copies(machine)) == 1


def test_without_the_program_a_boot_goes_on_and_says_so(machine: Machine) -> None:
    (machine.programs / "tailscale").unlink()
    machine.env["PATH"] = f"{machine.programs}:/usr/bin:/bin"
    assert machine.wrong("install") == "the program tailscale is not in this OS"
    assert machine.wrong("nonsense").startswith("usage: tailscale.sh install|up|keep")


def test_every_boot_runs_it(machine: Machine) -> None:
    (install,) = [
        file for file in own_files(machine.spec(docker_enabled=False, watchtower_enabled=False)) if "install" in file.path
    ]
    assert 'sh "$tree/tailscale/tailscale.sh" install' in str(install.content)
    machine.os_disk()
    tree, system = machine.data / "zerotoil", machine.root / "etc/systemd/system"
    (tree / ".zerotoil").mkdir(exist_ok=True)
    machine.env |= {"ZEROTOIL_TREE": str(tree), "ZEROTOIL_SYSTEM": str(system)}
    for _ in range(2):  # and does not take away its units as some that are declared no more
        machine.shell(str(install.content))
        assert sorted(path.name for path in system.iterdir()) == ["zerotoil-tailscale.path", "zerotoil-tailscale.service"]
    assert node(machine) and machine.joined() == 1


def test_an_undo_stops_what_copies_the_state_and_not_tailscaled() -> None:
    """The unit that copies needs the data disk's mount, and so is among the dependents that swap.sh stops anyway."""
    swap = script_text("swap.sh")
    assert "active 'zerotoil-*.timer' 'zerotoil-*.path'" in swap and "tailscaled" not in swap
