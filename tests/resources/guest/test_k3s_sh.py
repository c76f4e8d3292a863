"""k3s.sh by the real shell: which binary runs, what outlives an OS disk, what ends with the data disk."""

import hashlib
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.resources.guest.k3s_machine import NEW, OLD, Machine

UNITS = ["k3s-pods.service", "k3s.service", "var-lib-rancher.mount"]


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    made.put(made.spec())
    yield made
    made.end()


def upgrade(machine: Machine, version: str = NEW) -> None:
    """As the upgrade controller does: the binary in /usr/local/bin is another one."""
    machine.binary.write_bytes((machine.web / f"k3s/{version}/k3s").read_bytes())


def test_units_are_installed_once_and_the_service_is_enabled_and_started(machine: Machine) -> None:
    assert machine.right("install") == ["systemctl daemon-reload", "systemctl enable k3s.service",
                                        "systemctl start --no-block k3s.service", *STARTED]  # fmt: skip
    system = machine.root / "etc/systemd/system"
    assert sorted(path.name for path in system.iterdir()) == UNITS
    assert all(path.read_text().startswith("# Installed by zerotoil from the data disk.\n") for path in system.iterdir())
    assert machine.right("install") == []
    assert machine.right("up") == []


STARTED = ["curl http://lab.lan/k3s/v1.36.3%2Bk3s1/sha256sum-amd64.txt", "curl http://lab.lan/k3s/v1.36.3%2Bk3s1/k3s"]


def test_the_first_start_fetches_the_declared_release_and_proves_it(machine: Machine) -> None:
    assert machine.right("prepare") == STARTED
    assert machine.version() == OLD
    assert (machine.own / "bin/k3s").read_bytes() == machine.binary.read_bytes()
    assert (machine.own / "bin/version").read_text().split()[1] == OLD
    for name in ("k3s/config.yaml", "node/password"):
        assert (machine.etc / name).stat().st_mode & 0o777 == 0o600
    assert len((machine.etc / "node/password").read_text().strip()) == 32
    assert machine.right("prepare") == []


@pytest.mark.parametrize("pinned", [True, False])
def test_what_is_not_proven_is_not_put_anywhere(machine: Machine, pinned: bool) -> None:
    if pinned:
        machine.put(machine.spec(k3s_sha256="0" * 64))
    else:
        (machine.web / f"k3s/{OLD}/k3s").write_text("#!/bin/sh\n")
    assert "has the SHA-256" in machine.wrong("prepare")
    assert not machine.binary.exists() and list((machine.own / "bin").iterdir()) == []


def test_a_pinned_checksum_needs_no_list(machine: Machine) -> None:
    sha256 = (machine.web / f"k3s/{OLD}/sha256sum-amd64.txt").read_text().split()[0]
    machine.put(machine.spec(k3s_sha256=sha256))
    assert machine.right("prepare") == STARTED[1:]


def test_a_release_that_does_not_exist_is_named(machine: Machine) -> None:
    machine.put(machine.spec(), release="v1.99.0+k3s1")
    assert "http://lab.lan/k3s/v1.99.0%2Bk3s1/sha256sum-amd64.txt cannot be fetched" in machine.wrong("prepare")


def test_a_new_os_disk_brings_back_the_binary_of_the_data_disk_and_the_node_that_the_cluster_knows(machine: Machine) -> None:
    machine.right("prepare")
    upgrade(machine)
    machine.right("prepare")
    password = (machine.etc / "node/password").read_text()
    machine.new_os_disk()
    assert machine.right("prepare") == []
    assert machine.version() == NEW
    assert (machine.etc / "node/password").read_text() == password


def test_a_binary_that_the_upgrade_controller_brought_is_kept_on_the_data_disk(machine: Machine) -> None:
    machine.right("prepare")
    (machine.root / "etc/systemd/system/zerotoil-ledger@.service").touch()
    upgrade(machine)
    proof = f"curl http://lab.lan/k3s/{NEW.replace('+', '%2B')}/sha256sum-amd64.txt"
    assert machine.right("prepare") == [proof, "systemctl start --no-block zerotoil-ledger@after-updates.service"]
    assert machine.version() == NEW
    assert NEW in (machine.own / "bin/k3s").read_text() and OLD in (machine.own / "bin/previous").read_text()
    assert (machine.own / "bin/version").read_text().split()[1] == NEW


@pytest.mark.parametrize("published", [True, False])
@pytest.mark.parametrize("says", [True, False])
def test_an_upgrade_that_a_power_cut_ended_is_not_taken(machine: Machine, published: bool, says: bool) -> None:
    """The upgrade controller's job copies over what is there. Without a word from its publisher the release's own must do."""
    machine.right("prepare")
    upgrade(machine)
    whole = machine.binary.read_bytes()
    machine.binary.write_bytes(whole + b"# one more\n" if says else whole[:60])
    if not published:
        (machine.web / f"k3s/{NEW}/sha256sum-amd64.txt").unlink()
    done = machine.run("prepare")
    assert done.returncode == 0
    if published or not says:
        assert done.stderr.strip().endswith(f"{machine.binary} is not whole: it is not taken")
        assert machine.version() == OLD and OLD in (machine.own / "bin/k3s").read_text()
        assert not (machine.own / "bin/previous").exists()
        upgrade(machine)
        machine.right("prepare")
    assert machine.version() == NEW


def test_a_binary_of_the_data_disk_that_is_not_whole_is_made_again(machine: Machine) -> None:
    machine.right("prepare")
    upgrade(machine)
    machine.right("prepare")
    whole = machine.binary.read_bytes()
    (machine.own / "bin/k3s").write_bytes(whole[:60])
    assert not json.loads(machine.run("observe").stdout)["binary"]
    machine.right("prepare")  # out of /usr/local/bin
    assert (machine.own / "bin/k3s").read_bytes() == whole
    (machine.own / "bin/k3s").write_bytes(whole[:60])
    machine.new_os_disk()
    machine.right("prepare")  # fetched: the release that was noted, not the one that is declared
    assert (machine.own / "bin/k3s").read_bytes() == machine.binary.read_bytes() == whole


def test_what_was_put_is_on_the_disk_before_it_has_its_name(machine: Machine) -> None:
    """Also the folder: else a power cut may lose the name."""
    sync = machine.root.parent / "bin/sync"
    sync.write_text('#!/bin/sh\necho "sync $*" >>"$STATE/log"\n')
    calls = [call.removeprefix("sync ") for call in machine.right("prepare") if call.startswith("sync")]
    for file in (machine.own / "bin/k3s.part", machine.own / "bin", f"{machine.binary}.zerotoil-new", machine.binary.parent):
        assert str(file) in calls


def test_only_what_is_ours_is_removed(machine: Machine) -> None:
    machine.put(machine.spec(registry_mirrors={"docker.io": "mirror.lan:5000"}))
    machine.right("install")
    theirs = {
        machine.root / "etc/systemd/system/k3s-agent.service": "[Service]\n",
        machine.etc / "k3s/registries.yaml": "mirrors: {}\n",
        machine.binary: "#!/bin/sh\n",
    }
    for path, text in theirs.items():
        path.write_text(text)
    machine.right("remove")
    assert {path: path.read_text() for path in theirs} == theirs
    assert not (machine.etc / "k3s/config.yaml").exists()
    assert [path.name for path in (machine.root / "etc/systemd/system").iterdir()] == ["k3s-agent.service"]


def test_a_service_that_cannot_be_stopped_keeps_what_it_was_given(machine: Machine) -> None:
    machine.right("install")
    systemctl = machine.root.parent / "bin/systemctl"
    systemctl.write_text(systemctl.read_text().replace("  stop) stop", "  stop) : stop"))
    assert machine.wrong("remove") == "k3s.service cannot be stopped: what k3s was given stays"
    assert sorted(path.name for path in (machine.root / "etc/systemd/system").iterdir()) == UNITS
    assert (machine.etc / "k3s/config.yaml").exists()


@pytest.mark.parametrize("noted", [True, False])
def test_another_data_disk_brings_its_own_binary(machine: Machine, noted: bool) -> None:
    """Also where the upgrade controller's had not been started yet, once swap.sh has forgotten what was there."""
    machine.right("prepare")
    yesterday = (machine.own / "bin/k3s").read_bytes()
    upgrade(machine)
    if noted:
        machine.right("prepare")
    else:
        (machine.root / "var/lib/zerotoil/k3s-binary").unlink()
    (machine.own / "bin/k3s").write_bytes(yesterday)
    machine.right("prepare")
    assert machine.version() == OLD
    assert (machine.own / "bin/k3s").read_bytes() == yesterday
    assert (machine.own / "bin/version").read_text().split()[1] == OLD


def test_without_its_disk_it_does_not_start(machine: Machine) -> None:
    (machine.state / "mounted").unlink()
    assert machine.wrong("prepare") == "/var/lib/rancher is not on the data disk"


def test_selinux_needs_the_policy_and_labels_are_given_children_first(machine: Machine) -> None:
    machine.selinux()
    assert "package k3s-selinux is not in this OS" in machine.wrong("prepare")
    assert not machine.binary.exists() and not machine.etc.exists()
    (machine.state / "policy").touch()
    (machine.data / "k3s/k3s").mkdir()
    place = machine.root / "var/lib/rancher"
    calls = [call for call in machine.right("prepare") if "restorecon" in call]
    assert calls == [
        f"restorecon -nv {place}",
        f"restorecon -R {place}/k3s",
        f"restorecon {place}",
        f"restorecon {machine.binary}",
    ]
    (machine.state / "policy").unlink()
    machine.selinux(enforce=False)
    assert f"restorecon -nv {place}" in machine.right("prepare")
    (machine.state / "labelled").touch()
    assert [call for call in machine.right("prepare") if "-R" in call] == []


def test_the_state_of_another_k3s_is_not_hidden(machine: Machine) -> None:
    (machine.state / "mounted").unlink()
    (machine.root / "var/lib/rancher").unlink()
    (machine.root / "var/lib/rancher/k3s").mkdir(parents=True)
    assert "the data disk would hide it" in machine.wrong("install")
    assert list((machine.root / "etc/systemd/system").iterdir()) == []


def test_the_tarball_is_fetched_once_and_its_predecessor_goes(machine: Machine) -> None:
    for name in ("one.tar.zst", "two.tar.zst"):
        (machine.web / name).write_text(name)
        sha256 = hashlib.sha256(name.encode()).hexdigest()
        machine.put(machine.spec(k3s_airgap_images=f"http://lab.lan/{name}", k3s_airgap_sha256=sha256))
        assert f"curl http://lab.lan/{name}" in machine.right("prepare")
        assert [path.name for path in (machine.data / "k3s/k3s/agent/images").iterdir()] == [f"zerotoil-{name}"]
        assert machine.right("prepare") == []


def test_registries_that_are_declared_no_more_go_and_what_a_person_wrote_stays(machine: Machine) -> None:
    machine.put(machine.spec(registry_mirrors={"docker.io": "mirror.lan:5000"}))
    machine.right("prepare")
    file = machine.etc / "k3s/registries.yaml"
    assert "mirror.lan:5000" in file.read_text()
    (machine.own / "registries.yaml").unlink()
    machine.right("prepare")
    assert not file.exists()
    file.write_text("mirrors: {}\n")
    machine.right("prepare")
    assert file.exists()


def test_pods_end_with_their_children_and_their_mounts_and_nothing_is_deleted_below(machine: Machine) -> None:
    shim = machine.data / "k3s/k3s/data/x/bin/containerd-shim-runc-v2"
    shim.parent.mkdir(parents=True)
    shim.write_bytes(Path("/bin/sh").resolve().read_bytes())
    shim.chmod(0o755)
    stubborn = "trap '' TERM; while :; do sleep 60; done"
    process = subprocess.Popen([shim, "-c", f'sleep 60 & sh -c "{stubborn}" & wait'], start_new_session=True)
    try:
        children = _children(process.pid, 2)
        for pid in (process.pid, *children):
            (machine.root / f"proc/{pid}").symlink_to(f"/proc/{pid}")
        mounts = "overlay /run/k3s/containerd/x/rootfs overlay rw 0 0\ntmpfs /var/lib/kubelet/pods/1/my\\040volume tmpfs rw 0 0\n"
        mounts += (
            "/dev/vdb /var/lib/rancher ext4 rw 0 0\n/dev/vdb /var/lib/rancher/k3s/vol ext4 rw 0 0\n/dev/vda /home ext4 rw 0 0\n"
        )
        (machine.root / "proc/self/mounts").write_text(mounts)
        calls = machine.right("end-pods")
        process.wait(10)
        assert not any(_lives(pid) for pid in children)
    finally:
        os.killpg(process.pid, 9) if process.poll() is None else None
    assert [call for call in calls if call.startswith("umount")] == [
        "umount /var/lib/rancher/k3s/vol", "umount /var/lib/kubelet/pods/1/my volume", "umount /run/k3s/containerd/x/rootfs",
    ]  # fmt: skip
    assert shim.exists()


def test_who_holds_a_pod_starts_nothing_in_the_place_of_what_ends(machine: Machine) -> None:
    shim = machine.data / "k3s/k3s/data/x/bin/containerd-shim-runc-v2"
    shim.parent.mkdir(parents=True)
    shim.write_bytes(Path("/bin/sh").resolve().read_bytes())
    shim.chmod(0o755)
    process = subprocess.Popen([shim, "-c", "while :; do sleep 60; done"], start_new_session=True)
    try:
        for pid in (process.pid, *_children(process.pid, 1)):
            (machine.root / f"proc/{pid}").symlink_to(f"/proc/{pid}")
        (machine.root / "proc/self/mounts").write_text("")
        machine.right("end-pods")
        process.wait(10)
        left = subprocess.run(["pgrep", "-g", str(process.pid)], capture_output=True, text=True, check=False).stdout.split()
        assert not any(_lives(int(pid)) for pid in left)
    finally:
        subprocess.run(["pkill", "-KILL", "-g", str(process.pid)], check=False)


def _children(pid: int, number: int) -> list[int]:
    for _ in range(100):
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        if len(found) == number:
            time.sleep(0.3)  # until the stubborn one has its trap
            return [int(child) for child in found]
        time.sleep(0.05)
    raise AssertionError("no children")


def _lives(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()
