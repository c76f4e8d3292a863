"""Every rendered Butane against the real butane and ignition-validate."""

import json
from pathlib import Path

import pytest

from tests.conftest import make_spec
from zerotoil.clients import butane
from zerotoil.errors import LabError
from zerotoil.layers import project

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"data_filesystem": "xfs", "docker_enabled": False},
        {
            "vm_nics": [
                {"bridge": "br0", "address": "192.0.2.2/24", "gateway": "192.0.2.1", "dns": ["192.0.2.1"]},
                {"network": "x"},
            ]
        },
        {"vm_nics": [{"bridge": "br0", "address": "2001:db8::2/64"}]},
        {"os_butane": ["storage: {files: [{path: /etc/motd, mode: 0644, contents: {inline: hi}}]}"]},
    ],
)
def test_the_real_tools_accept_it(keys: dict[str, object]) -> None:
    ignition = butane.transpile(project.butane(make_spec(**keys), ROOT), ROOT)
    butane.validate(ignition)
    config = json.loads(ignition)
    assert config["ignition"]["version"] == "3.5.0"
    assert config["storage"]["filesystems"][0]["wipeFilesystem"] is False


def test_rendering_is_deterministic() -> None:
    first, second = (butane.transpile(project.butane(make_spec(), ROOT), ROOT) for _ in range(2))
    assert first == second


def test_butane_refuses_with_its_own_words() -> None:
    spec = make_spec(os_butane=["storage: {files: [{path: relative, contents: {inline: x}}]}"])
    with pytest.raises(LabError, match=r"Butane refuses the config \(.*path not absolute.*mend os_butane"):
        butane.transpile(project.butane(spec, ROOT), ROOT)


def test_an_unknown_key_is_an_error() -> None:
    spec = make_spec(os_butane=["storage: {files: [{path: /etc/x, contents: {inline: x}, mdoe: 0644}]}"])
    with pytest.raises(LabError, match="mdoe"):
        butane.transpile(project.butane(spec, ROOT), ROOT)


def test_every_problem_is_one_line_with_its_place() -> None:
    config = """variant: fcos
version: 1.6.0
storage:
  filesystems:
  - {device: /dev/vdb, path: /mnt/x, format: ext4, with_mount_unit: true}
  files:
  - {path: /etc/x, mode: 0644, foo: 1}
"""
    with pytest.raises(LabError) as caught:
        butane.transpile(config)
    path = "error at $.storage.filesystems.0.path, line 5 col 30: path must be under /etc or /var if with_mount_unit is true"
    assert caught.value.what.count("line ") == 2
    assert path in caught.value.what
    assert "warning at $.storage.files.0.foo, line 7 col 32: unused key foo" in caught.value.what
    with pytest.raises(LabError, match=r"\(Error translating config: .*yaml: line 2: mapping values are not allowed"):
        butane.transpile("variant: fcos\n bad: [")


def test_ignition_validate_refuses() -> None:
    with pytest.raises(LabError, match=r"ignition-validate refuses the config \(.*unsupported config version"):
        butane.validate('{"ignition": {"version": "9.9.9"}}')


def test_a_missing_butane(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(LabError, match="butane is not installed: run make setup"):
        butane.transpile("variant: fcos")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"os_butane": ["nosuch.bu"]}, "matrix: os_butane fragment .*nosuch.bu cannot be read"),
        ({"ssh_authorized_keys": ["file:/nosuch.pub"]}, "matrix: public key /nosuch.pub cannot be read"),
        ({"ssh_authorized_keys": ["-----BEGIN OPENSSH PRIVATE KEY-----"]}, "ssh_authorized_keys holds no public key"),
    ],
)
def test_files_that_are_wrong(keys: dict[str, object], message: str) -> None:
    with pytest.raises(LabError, match=message):
        project.butane(make_spec(**keys), ROOT)
