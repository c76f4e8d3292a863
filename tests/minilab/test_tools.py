"""The Go tools: pinned, built, and doing what their names say; the Watchtower stand-in and its image."""

import hashlib
import json
import os
import subprocess
import sys
import tarfile

import pytest

from zerotoil.errors import LabError
from zerotoil.minilab import tools
from zerotoil.minilab.tools import tool
from zerotoil.minilab.watchtower_image import oci_layout


def run(*command, stdin="", env=None):
    return subprocess.run(list(map(str, command)), input=stdin, env=env, capture_output=True, text=True, timeout=60, check=False)


def test_butane_is_the_pinned_release_and_its_output_is_valid_ignition(tmp_path):
    assert "0.29.0" in run(tool("butane"), "--version").stdout
    made = run(tool("butane"), "--strict", stdin="variant: fcos\nversion: 1.6.0\n")
    assert json.loads(made.stdout)["ignition"]["version"] == "3.5.0"
    (tmp_path / "config.ign").write_text(made.stdout)
    assert run(tool("ignition-validate"), tmp_path / "config.ign").returncode == 0
    (tmp_path / "config.ign").write_text('{"ignition": {"version": "3.99.0"}}')
    assert run(tool("ignition-validate"), tmp_path / "config.ign").returncode != 0


def test_link_puts_the_tool_into_the_environment(tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert tools.link("butane") == tools.link("butane") == tmp_path / "bin" / "butane"
    assert (tmp_path / "bin" / "butane").readlink() == tool("butane")


def test_an_unknown_tool_is_named_with_the_known_ones():
    with pytest.raises(LabError, match=r"no tool named buttane.*butane"):
        tool("buttane")


def test_a_build_failure_tells_the_compilers_reason(tmp_path, monkeypatch):
    source = tmp_path / "watchtower-standin"
    source.mkdir()
    (source / "go.mod").write_text("module broken\n\ngo 1.24.0\n")
    (source / "main.go").write_text("package main\nfunc main() { nonsense }\n")
    monkeypatch.setattr(tools, "SOURCES", tmp_path)
    with pytest.raises(LabError, match=r"(?s)cannot build watchtower-standin.*undefined: nonsense"):
        tool("watchtower-standin")


STANDIN_CASES = [
    ({"WATCHTOWER_CLENUP": "true"}, "unknown variable WATCHTOWER_CLENUP"),
    ({"WATCHTOWER_SCHEDULE": "30 4 * * *"}, "has 5 fields, not 6"),
    ({"WATCHTOWER_SCHEDULE": "0 30 4 * * *", "WATCHTOWER_POLL_INTERVAL": "60"}, "not both"),
    ({"WATCHTOWER_CLEANUP": "maybe"}, "neither true nor false"),
    ({"WATCHTOWER_COOLDOWN_DELAY": "soon"}, "not a duration"),
    ({"TZ": "Europe/Londn"}, "unknown TZ Europe/Londn"),
    ({"WATCHTOWER_NOTIFICATION_URL": "/no/such/file"}, "/no/such/file: no such file"),
]


@pytest.mark.parametrize(("environment", "complaint"), STANDIN_CASES)
def test_the_watchtower_standin_refuses(environment, complaint):
    answer = run(tool("watchtower-standin"), env=environment)
    assert answer.returncode == 1 and complaint in answer.stderr.replace('\\"', '"')


def test_the_watchtower_standin_takes_good_settings_as_far_as_docker(tmp_path):
    (tmp_path / "notify").write_text("generic://127.0.0.1:9/\n")
    good = {
        "TZ": "Europe/London",
        "WATCHTOWER_SCHEDULE": "0 30 3 * * *",
        "WATCHTOWER_COOLDOWN_DELAY": "3d",
        "WATCHTOWER_LABEL_ENABLE": "true",
        "WATCHTOWER_NOTIFICATION_URL": str(tmp_path / "notify"),
        "WATCHTOWER_RUN_ONCE": "true",
    }
    answer = run(tool("watchtower-standin"), "--cleanup", env=good)
    assert "Docker does not answer" in answer.stderr or "STAND-IN" in answer.stderr


def test_the_image_layout_is_whole_and_always_the_same(tmp_path):
    layouts = [oci_layout(tmp_path / name, "1.21.0") for name in ("a", "b")]
    assert (layouts[0] / "index.json").read_bytes() == (layouts[1] / "index.json").read_bytes()
    blobs = layouts[0] / "blobs" / "sha256"
    for blob in blobs.iterdir():
        assert hashlib.sha256(blob.read_bytes()).hexdigest() == blob.name
    manifest = json.loads((blobs / entry(layouts[0] / "index.json", "manifests")).read_text())
    config = json.loads((blobs / manifest["config"]["digest"].removeprefix("sha256:")).read_text())
    assert config["config"]["Labels"]["zerotoil.standin"] == "true"
    program = tmp_path / "program"
    with tarfile.open(blobs / manifest["layers"][0]["digest"].removeprefix("sha256:")) as layer:
        member = layer.getmember(config["config"]["Entrypoint"][0].lstrip("/"))
        program.write_bytes(layer.extractfile(member).read())
    program.chmod(member.mode)
    assert os.access(program, os.X_OK) and "stand-in" in run(program, "--version").stdout


def entry(path, field):
    return json.loads(path.read_text())[field][0]["digest"].removeprefix("sha256:")
