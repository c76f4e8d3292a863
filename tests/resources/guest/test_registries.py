"""The files of a guest's registries, and the script that brings them to /etc: run for real, with a Docker of a few lines."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import make_spec
from zerotoil.errors import LabError
from zerotoil.model.secret import Secret
from zerotoil.resources.guest import Guest, guest_resources
from zerotoil.resources.guest.registries import SCRIPT, guest_files
from zerotoil.resources.guest.watchtower import Watchtower, declared

SOURCE = Path(__file__).parents[3] / "src/zerotoil/resources/guest/scripts/registries.sh"
MIRRORS = {"docker.io": "mirror.lan:5000", "ghcr.io": "mirror.lan:5000/ghcr"}
LOGINS = {"ghcr.io": {"user": "me", "password": Secret("t0ken")}}

# systemctl and docker as far as the script needs them; the engine reads daemon.json only when it is told to reload.
TOOLS = {
    "systemctl": """#!/bin/sh
echo "systemctl $*" >>"$LOG"
case $1 in
  is-active) [ -e "$ENGINE/active" ] ;;
  reload) [ -e "$ENGINE/deaf" ] || cp "$ZEROTOIL_ETC/docker/daemon.json" "$ENGINE/loaded" ;;
esac
""",
    "docker": """#!/bin/sh
echo "docker $1" >>"$LOG"
[ -e "$ENGINE/loaded" ] || { echo null; exit 0; }
jq -c '.["registry-mirrors"] // [] | map(. + "/")' "$ENGINE/loaded"
""",
    "sleep": "#!/bin/sh\n",
}


def test_nothing_declared_is_only_the_script() -> None:
    assert [file.path for file in guest_files(make_spec())] == [SCRIPT]


@pytest.mark.parametrize("backend", ["docker", "podman"])
def test_each_engine_gets_its_own(backend: Any) -> None:
    files = {file.path: file for file in guest_files(make_spec(registry_mirrors=MIRRORS, registry_logins=LOGINS), backend)}
    want = {
        "docker": {"docker/config.json": (0o600, True), "etc/docker/daemon.json": (0o644, False)},
        "podman": {"containers/auth.json": (0o600, True), "etc/containers/registries.conf.d/50-zerotoil.conf": (0o644, False)},
    }[backend]
    assert {path.removeprefix("/var/mnt/data/zerotoil/"): (file.mode, file.secret) for path, file in files.items()} == {
        "bin/registries.sh": (0o755, False),
        **want,
    }
    assert not any("t0ken" in str(file.content) for file in files.values() if not file.secret)


def test_a_container_that_asks_registries_itself_gets_the_folder_of_the_logins() -> None:
    plain, with_logins = (declared(make_spec().watchtower, "home/matrix", logins) for logins in (False, True))
    assert set(with_logins["mounts"]) - set(plain["mounts"]) == {"/var/mnt/data/zerotoil/docker:/docker:ro"}
    assert with_logins["environment"] == {**plain["environment"], "DOCKER_CONFIG": "/docker"}
    found = guest_resources(make_spec(registry_logins=LOGINS), Guest("matrix", str))
    (container,) = (item for item in found if item.key == "container watchtower")
    assert container.logins  # type: ignore[attr-defined]


def test_watchtower_trusts_the_owners_ca_and_another_one_makes_another_container(tmp_path: Path) -> None:
    """Only certificates travel: a key in the same file stays here."""
    ca, first = tmp_path / "ca.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    ca.write_text(f"my CA\n{first}-----BEGIN PRIVATE KEY-----\nBBBB\n-----END PRIVATE KEY-----\n")
    spec = make_spec(registry_ca=str(ca))
    (file,) = (file for file in guest_files(spec) if file.path.endswith("/ca.pem"))
    assert (file.mode, file.content) == (0o644, first)
    container = guest_resources(spec, Guest("matrix", str))[-1]
    assert isinstance(container, Watchtower)
    want, plain = container._declared(), declared(spec.watchtower, spec.owner)
    folder = file.path.removesuffix("/ca.pem")
    assert set(want["mounts"]) - set(plain["mounts"]) == {f"{folder}:/registry-ca:ro"}
    assert want["environment"] == {**plain["environment"], "SSL_CERT_DIR": "/registry-ca"}
    ca.write_text(first.replace("AAAA", "CCCC"))
    assert folder not in "".join(guest_resources(spec, Guest("matrix", str))[-1]._declared()["mounts"])  # type: ignore[attr-defined]
    assert not any("ca.pem" in file.path for file in guest_files(spec, "podman"))


@pytest.mark.parametrize(("text", "why"), [(None, r"cannot be read \(No such file.*\)"), ("no\n", "holds no certificate")])
def test_a_ca_that_is_none_is_said_before_anything_is_made(tmp_path: Path, text: str | None, why: str) -> None:
    if text:
        (tmp_path / "ca.pem").write_text(text)
    with pytest.raises(LabError, match=f"^registry_ca {tmp_path}/ca.pem {why}: write the path of a PEM file$"):
        guest_resources(make_spec(registry_ca=f"{tmp_path}/ca.pem"), Guest("matrix", str))


@pytest.mark.parametrize(("airgapped", "image"), [(True, "mirror.lan:5000/nickfedor"), (False, "nickfedor")])
def test_watchtower_itself_comes_from_the_mirror(airgapped: bool, image: str) -> None:
    spec = make_spec(registry_mirrors=MIRRORS, registry_airgapped=airgapped)
    watchtower = guest_resources(spec, Guest("matrix", lambda _script: "{}"))[-1]
    assert isinstance(watchtower, Watchtower)
    assert declared(watchtower.spec, "x")["image"] == f"{image}/watchtower:1.21.0"


@dataclass
class Machine:
    """A guest's /etc and data disk, in a folder."""

    root: Path

    @property
    def daemon(self) -> Path:
        return self.root / "etc/docker/daemon.json"

    @property
    def ours(self) -> Path:
        return self.root / "data/etc/docker/daemon.json"

    def put(self, **keys: Any) -> None:
        """Write what is declared, as the core does; what is declared no more is gone."""
        for path in (self.root / "data").rglob("*"):
            path.is_file() and path.unlink()
        for backend in ("docker", "podman"):
            for file in guest_files(make_spec(**keys), backend):  # type: ignore[arg-type]
                path = self.root / "data" / file.path.removeprefix("/var/mnt/data/zerotoil/")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(str(file.content))

    def run(self, code: int = 0) -> list[str]:
        """Run the script; the changes it made to the engine and what it complained of."""
        log = self.root / "log"
        log.write_text("")
        done = subprocess.run(
            ["sh", "-s"], input=SOURCE.read_text(), capture_output=True, text=True, timeout=30,
            env={
                "PATH": f"{self.root}/bin:/usr/bin:/bin", "LOG": str(log), "ENGINE": f"{self.root}/engine",
                "ZEROTOIL_DATA": f"{self.root}/data", "ZEROTOIL_ETC": f"{self.root}/etc",
            },
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        assert not [path for path in self.root.rglob("*.new")]
        return [line for line in log.read_text().splitlines() if "reload" in line] + done.stderr.splitlines()


RELOAD = "systemctl reload docker.service"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    for name in ("bin", "etc", "data", "engine"):
        (tmp_path / name).mkdir()
    for name, text in TOOLS.items():
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "engine/active").touch()
    return Machine(tmp_path)


def test_a_host_without_registries_is_left_alone(machine: Machine) -> None:
    machine.put()
    assert machine.run() == []
    assert list((machine.root / "etc").rglob("*")) == []


def test_a_mirror_comes_goes_and_comes_back_with_a_new_os_disk(machine: Machine) -> None:
    machine.put(registry_mirrors=MIRRORS)
    assert machine.run() == [RELOAD]
    assert json.loads(machine.daemon.read_text()) == {"registry-mirrors": ["https://mirror.lan:5000"]}
    drop_in = machine.root / "etc/containers/registries.conf.d/50-zerotoil.conf"
    assert 'prefix = "ghcr.io"' in drop_in.read_text()
    stamp = machine.daemon.stat().st_mtime_ns, drop_in.stat().st_mtime_ns
    assert machine.run() == []
    assert stamp == (machine.daemon.stat().st_mtime_ns, drop_in.stat().st_mtime_ns)

    subprocess.run(["rm", "-r", str(machine.root / "etc"), str(machine.root / "engine/loaded")], check=True)
    assert machine.run() == [RELOAD]
    assert machine.daemon.exists() and drop_in.exists()

    machine.put()
    assert machine.run() == [RELOAD]
    assert json.loads(machine.daemon.read_text()) == {}
    assert not drop_in.exists()
    assert machine.run() == []


def test_the_owners_daemon_json_keeps_all_else(machine: Machine) -> None:
    machine.daemon.parent.mkdir(parents=True)
    machine.daemon.write_text('{"log-driver": "journald", "registry-mirrors": ["https://old.lan"]}')
    machine.put()
    assert machine.run() == []
    assert "old.lan" in machine.daemon.read_text()
    machine.put(registry_mirrors=MIRRORS)
    assert machine.run() == [RELOAD]
    assert json.loads(machine.daemon.read_text()) == {"log-driver": "journald", "registry-mirrors": ["https://mirror.lan:5000"]}
    machine.put()
    assert machine.run() == [RELOAD]
    assert json.loads(machine.daemon.read_text()) == {"log-driver": "journald"}


def test_a_list_that_was_changed_by_hand_is_not_taken_back(machine: Machine) -> None:
    machine.put(registry_mirrors=MIRRORS)
    machine.run()
    machine.daemon.write_text('{"registry-mirrors": ["https://mine.lan"]}')
    machine.put()
    assert machine.run() == []
    assert "mine.lan" in machine.daemon.read_text()


def test_a_broken_daemon_json_is_not_touched(machine: Machine) -> None:
    machine.daemon.parent.mkdir(parents=True)
    machine.daemon.write_text("{,}")
    machine.put(registry_mirrors=MIRRORS)
    said = machine.run(1)
    assert "is no JSON object, so it was left as it is" in said[-1]
    assert machine.daemon.read_text() == "{,}"


def test_an_engine_that_does_not_take_it_over_is_told_of_and_asked_again(machine: Machine) -> None:
    (machine.root / "engine/deaf").touch()
    machine.put(registry_mirrors=MIRRORS)
    assert "docker did not take over registry-mirrors" in machine.run(1)[-1]
    assert RELOAD in machine.run(1)
    (machine.root / "engine/deaf").unlink()
    assert machine.run() == [RELOAD]


def test_an_engine_that_is_down_reads_it_when_it_starts(machine: Machine) -> None:
    (machine.root / "engine/active").unlink()
    machine.put(registry_mirrors=MIRRORS)
    assert machine.run() == []
    assert machine.daemon.exists()
