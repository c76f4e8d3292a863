"""os.sh install, remove and observe: what the OS disk is given, and how signatures are checked there."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.resources.guest.os_machine import REFERENCE, REGISTRY, Machine, deployment, image
from zerotoil.resources.guest.os_scripts import GATE_UNITS, IMAGE_UNITS, os_sent
from zerotoil.resources.guest.packaged import script_text

SIGNED = f"ostree-image-signed:docker://{REGISTRY}:stable"
ANY = [{"type": "insecureAcceptAnything"}]
# Of coreos/fedora-coreos-config, overlay.d/17fcos-container-signing/usr/lib/coreos/coreos-containers-policy.json.
FEDORA = [{"type": "signedBy", "keyType": "GPGKeys", "keyPaths": ["/usr/share/pki/rpm-gpg/RPM-GPG-KEY-fedora-44-primary"]}]
UPSTREAM = {"default": [{"type": "reject"}], "transports": {"docker": {"": ANY, "quay.io/fedora/fedora-coreos": FEDORA}}}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path, strategy="off")


def signed(machine: Machine, **more: str) -> Machine:
    machine.declare(reference=SIGNED, signed=True, **more)
    (machine.data / "zerotoil/os/cosign.pub").write_text("-----BEGIN PUBLIC KEY-----\nkey\n-----END PUBLIC KEY-----\n")
    return machine


def everything(machine: Machine) -> dict[str, tuple[bytes, float]]:
    places = [path for top in ("etc", "var/lib") for path in (machine.root / top).rglob("*") if path.is_file()]
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in places}


def test_a_second_install_writes_and_restarts_nothing(machine: Machine) -> None:
    signed(machine)
    machine.install()
    machine.health()
    log = machine.log()
    assert log[0] == "systemctl daemon-reload" and "systemctl enable zerotoil-os-health.service" in log
    assert "systemctl enable zerotoil-os-reboot.service" not in log, "it is its timer's"
    assert "systemctl start --no-block zerotoil-os-rebase.service" in log, "a new OS disk does not wait for its next boot"
    assert "systemctl try-restart rpm-ostreed.service" in log and "systemctl restart zerotoil-os-update.timer" in log
    before = everything(machine)
    machine.install()
    assert everything(machine) == before and machine.log() == []


def test_what_units_run_is_on_the_os_disk(machine: Machine) -> None:
    machine.install()
    system = machine.root / "etc/systemd/system"
    assert {path.name for path in system.iterdir()} == set(IMAGE_UNITS)
    for path in system.glob("*.service"):
        assert (
            "ExecStart=/bin/sh /var/lib/zerotoil/os/" in path.read_text()
            and "/var/mnt/data" not in path.read_text().split("[Service]")[1]
        )
    for path in machine.root.joinpath("var/mnt/data/zerotoil").iterdir():
        path.rename(path.with_name(f"gone-{path.name}"))
    (machine.state / "unmounted").touch()
    assert machine.os("update") == "waits the running deployment is not judged yet", "they run without the data disk"


def test_a_stream_is_given_the_gate_alone(tmp_path: Path) -> None:
    machine = Machine(tmp_path, source="stream", reference=None)
    machine.install()
    assert {path.name for path in (machine.root / "etc/systemd/system").iterdir()} == set(GATE_UNITS)


def test_a_unit_that_is_declared_no_more_goes(machine: Machine) -> None:
    machine.install()
    (machine.data / "zerotoil/os/units/zerotoil-os-reboot.timer").unlink()
    machine.install()
    assert not (machine.root / "etc/systemd/system/zerotoil-os-reboot.timer").exists()
    assert "systemctl disable zerotoil-os-reboot.timer" in machine.log()


class TestSignatures:
    def test_only_what_the_key_has_signed_is_taken(self, machine: Machine) -> None:
        (machine.root / "usr/lib/coreos").mkdir(parents=True)
        (machine.root / "usr/lib/coreos/coreos-containers-policy.json").write_text(json.dumps(UPSTREAM))
        signed(machine).install()
        policy = json.loads((machine.root / "etc/containers/policy.json").read_text())
        rule = {
            "type": "sigstoreSigned",
            "keyPath": "/etc/pki/containers/zerotoil-os.pub",
            "signedIdentity": {"type": "matchRepository"},
        }
        assert policy["default"] == [{"type": "reject"}]
        assert policy["transports"]["docker"] == {REGISTRY: [rule], "quay.io/fedora/fedora-coreos": FEDORA}
        registries = (machine.root / "etc/containers/registries.d/zerotoil-os.yaml").read_text()
        assert registries.endswith(f"docker:\n  {REGISTRY}:\n    use-sigstore-attachments: true\n")
        masked = machine.root / "etc/systemd/system/rpm-ostreed.service.d/coreos-containers-policy.conf"
        assert str(masked.readlink()) == "/dev/null"
        assert (machine.root / "etc/pki/containers/zerotoil-os.pub").read_text().startswith("-----BEGIN PUBLIC KEY-----")

    def test_podman_goes_on_to_run_apps_from_anywhere(self, machine: Machine) -> None:
        signed(machine, engine="podman").install()
        policy = json.loads((machine.root / "etc/containers/policy.json").read_text())
        assert policy["transports"]["docker"][""] == ANY and policy["default"] == [{"type": "reject"}]

    def test_the_real_skopeo_refuses_by_it(self, machine: Machine, tmp_path: Path) -> None:
        """The policy is read before the registry is asked for more than the manifest: an image of elsewhere is refused by it."""
        signed(machine).install()
        layout = tmp_path / "layout"
        layout.mkdir()
        line = [
            "/usr/bin/skopeo",
            "--policy",
            str(machine.root / "etc/containers/policy.json"),
            "copy",
            f"dir:{layout}",
            f"dir:{tmp_path / 'to'}",
        ]
        if not Path(line[0]).exists():
            pytest.skip("skopeo is not installed")
        (layout / "version").write_text("Directory Transport Version: 1.1\n")
        (layout / "manifest.json").write_text('{"schemaVersion":2,"config":{},"layers":[]}')
        said = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
        assert said.returncode != 0 and "rejected by policy" in said.stderr, said.stderr

    def test_without_a_key_it_is_as_before(self, machine: Machine) -> None:
        policy = machine.root / "etc/containers/policy.json"
        policy.parent.mkdir(parents=True)
        policy.write_text('{"default": []}\n')
        signed(machine).install()
        machine.declare(reference=REFERENCE, signed=False)
        machine.install()
        assert policy.read_text() == '{"default": []}\n'
        assert not list((machine.root / "etc").rglob("*zerotoil-os.pub")) and not list(
            (machine.root / "etc").rglob("zerotoil-os.yaml")
        )
        assert not (machine.root / "etc/systemd/system/rpm-ostreed.service.d").exists()

    def test_what_somebody_changes_is_seen_and_mended(self, machine: Machine) -> None:
        signed(machine).install()
        (machine.root / "etc/containers/policy.json").write_text('{"default": []}')
        (machine.root / "etc/systemd/system/zerotoil-os-health.service").write_text("# mine\n")
        assert seen(machine)["in_etc"] == ["zerotoil-os-health.service", "policy.json"]
        machine.install()
        assert seen(machine)["in_etc"] == []


def seen(machine: Machine) -> dict[str, object]:
    done = machine.ends(machine.data / "zerotoil/os/os.sh", "observe")
    assert done.returncode == 0 and done.stderr == "", done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_observe(machine: Machine) -> None:
    machine.ready()
    machine.change(deployments=[{**deployment("2.0"), "staged": True}, deployment("1.0", booted=True), deployment("0.9")])
    found = seen(machine)
    old = {"image": REFERENCE, "time": 1736192785}
    assert (
        found["booted"] == image("1.0") | old
        and found["staged"] == image("2.0") | old
        and found["rollback"] == image("0.9") | old
    )
    assert found["reference"] == REFERENCE and found["backend"] == "rpm-ostree" and found["program"] is True
    assert found["boot_counting"] is False and found["watchdog"] is False
    assert found["state"]["good"]["version"] == "1.0" and found["zincati"] == {"masked": False, "config": None}  # type: ignore[index]
    assert found["units"]["zerotoil-os-update.timer"] == {"ActiveState": "active", "UnitFileState": "enabled", "NRestarts": "0"}  # type: ignore[index]
    assert found["in_etc"] == [] and found["packages"] == []


def test_observe_before_anything_is_set_up(machine: Machine) -> None:
    found = json.loads(machine.shell(os_sent("observe")))
    assert found["booted"]["version"] == "1.0" and found["state"]["good"] is None
    assert set(found["in_etc"]) >= {"os.sh", "health.sh", "declared.json", "zerotoil-os-health.service"}
    (machine.programs / "rpm-ostree").unlink()
    found = json.loads(machine.shell(os_sent("observe")))
    assert found["program"] is False and found["booted"] is None
    done = machine.ends(machine.data / "zerotoil/os/os.sh", "install")
    assert done.returncode == 1 and done.stderr.strip() == "the program rpm-ostree is not in this OS"


def test_remove_takes_what_is_ours_and_remembers(machine: Machine) -> None:
    signed(machine).install()
    machine.health()
    machine.shell(os_sent("remove"))
    left = [path for path in (machine.root / "etc").rglob("*") if path.is_file() and path != machine.probe]
    assert [path.name for path in left] == ["machine-id"]
    assert sorted(path.name for path in machine.base.iterdir() if "lock" not in path.name) == ["state.json"]


class TestZincati:
    def test_an_image_of_ones_own_masks_it(self, machine: Machine) -> None:
        there(machine)
        machine.install()
        assert "systemctl mask --now zincati.service" in machine.log() and seen(machine)["zincati"] == {
            "masked": True,
            "config": None,
        }
        machine.shell(os_sent("remove"))
        assert "systemctl unmask zincati.service" in machine.log()

    def test_on_a_stream_a_pin_stops_it(self, tmp_path: Path) -> None:
        machine = Machine(tmp_path, source="stream", reference=None)
        there(machine)
        machine.install()
        machine.health()
        pinned = machine.root / "etc/zincati/config.d/95-zerotoil-pin.toml"
        machine.os("pin")
        assert (
            pinned.read_text().endswith("[updates]\nenabled = false\n")
            and "systemctl try-restart zincati.service" in machine.log()
        )
        machine.os("unpin")
        assert not pinned.exists()

    def test_its_configuration_comes_and_goes_with_the_declaration(self, tmp_path: Path) -> None:
        machine = Machine(tmp_path, source="stream", reference=None)
        there(machine)
        text, given = '# Written by zerotoil.\n[updates]\nstrategy = "periodic"\n', machine.data / "zerotoil/os/zincati.toml"
        given.write_text(text)
        machine.install()
        assert "systemctl try-restart zincati.service" in machine.log()
        assert seen(machine)["zincati"] == {"masked": False, "config": text} and seen(machine)["in_etc"] == []
        machine.install()
        assert machine.log() == ["systemctl start --no-block zerotoil-os-health.service"]
        given.unlink()
        assert seen(machine)["in_etc"] == ["zincati.toml"]
        machine.install()
        assert seen(machine)["zincati"] == {"masked": False, "config": None}


def there(machine: Machine) -> None:
    unit = machine.root / "usr/lib/systemd/system/zincati.service"
    unit.parent.mkdir(parents=True)
    unit.touch()


def test_a_watchdog_where_the_boots_are_counted(machine: Machine) -> None:
    (machine.root / "dev").mkdir()
    (machine.root / "dev/watchdog").touch()
    machine.install()
    assert seen(machine)["watchdog"] is False
    machine.counts()
    machine.install()
    assert seen(machine)["watchdog"] is True and seen(machine)["boot_counting"] is True


@pytest.mark.parametrize("before", ["", '{"auths": {"theirs": {}}}\n'])
def test_the_login_of_the_registry_comes_and_goes(machine: Machine, before: str) -> None:
    there, ours = machine.root / "etc/ostree/auth.json", machine.data / "zerotoil/os/auth.json"
    if before:
        there.parent.mkdir()
        there.write_text(before)
    for text in ('{"auths": {"registry.lan:5000": {"auth": "bTp0MA=="}}}\n', '{"auths": {}}\n'):
        ours.write_text(text)
        assert seen(machine)["in_etc"][-1:] == ["auth.json"]
        machine.install()
        assert there.read_text() == text and there.stat().st_mode & 0o777 == 0o600
        assert "auth.json" not in seen(machine)["in_etc"]
    ours.unlink()
    assert seen(machine)["in_etc"] == ["auth.json"]
    machine.install()
    assert (there.read_text() if before else there.exists()) == (before or False)
    assert seen(machine)["in_etc"] == []
    ours.write_text(text)
    machine.install()
    machine.ends(machine.data / "zerotoil/os/os.sh", "remove")
    assert (there.read_text() if before else there.exists()) == (before or False)


def test_a_state_that_no_program_reads_is_kept_and_counts_as_none(machine: Machine) -> None:
    machine.ready()
    (machine.base / "state.json").write_text("{")
    assert machine.os("update") == "waits the running deployment is not judged yet"
    assert (machine.base / "state.json.broken").read_text() == "{"


def test_every_boot_installs_it_and_a_look_sees_it() -> None:
    assert 'sh "$tree/os/os.sh" install' in script_text("install.sh")


class TestBootc:
    @pytest.fixture
    def bootc(self, tmp_path: Path) -> Machine:
        return Machine(tmp_path, strategy="off", backend="bootc").ready()

    def test_an_update_and_the_way_back(self, bootc: Machine) -> None:
        assert bootc.os("update") == "nothing new"
        bootc.offer("2.0")
        assert bootc.os("update").startswith("staged 2.0")
        assert bootc.changes() == ["bootc upgrade"]
        assert bootc.boot() == "2.0"
        bootc.sick("2.0")
        assert bootc.health() == 1 and bootc.changes() == ["bootc rollback"]
        assert bootc.boot() == "1.0" and bootc.health() == 0
        assert bootc.state_now["bad"][0]["version"] == "2.0" and bootc.changes() == []

    def test_another_reference(self, bootc: Machine) -> None:
        signed(bootc).install()
        assert bootc.os("rebase").startswith("staged 1.0")
        assert bootc.changes() == [f"bootc switch --enforce-container-sigpolicy {REGISTRY}:stable"]
        bootc.boot()
        assert bootc.os("rebase") == "ok"
        assert seen(bootc)["reference"] == SIGNED
