"""The Go tools: pinned, built, and doing what their names say; our own pass their own tests."""

import json
import os
import subprocess
import sys

import pytest

from zerotoil.errors import LabError
from zerotoil.minilab import tools
from zerotoil.minilab.tools import tool


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


@pytest.mark.parametrize("name", ["watchtower-standin", "lab-app"])
@pytest.mark.parametrize("command", [["vet", "./..."], ["test", "-count=1", "./..."]])
def test_our_go_programs_pass_their_own_tests(name, command):
    env = os.environ | tools.GO_SETTINGS
    done = subprocess.run([tools.go(), *command], cwd=tools.SOURCES / name, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


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


def test_files_are_taken_out_of_the_pinned_module():
    files = tools.module_files("system-upgrade-controller")
    assert "namespace: system-upgrade" in (files / "kustomization.yaml").read_text()
    assert (files / "pkg/crds/yaml/generated/upgrade.cattle.io_plans.yaml").read_text().count("kind: Plan\n") == 1
    assert tools.pinned("system-upgrade-controller", "github.com/rancher/system-upgrade-controller").startswith("v0.20.")


def test_what_go_mod_does_not_name_is_not_pinned():
    with pytest.raises(LabError, match=r"tools/butane/go\.mod does not require example\.org/nothing"):
        tools.pinned("butane", "example.org/nothing")


@pytest.mark.parametrize("name", [name for name, wanted in tools.TOOLS.items() if wanted.folder == "cluster"])
def test_the_stamped_version_is_the_pinned_one(name):
    modules = {"kubernetes": "k8s.io/kubernetes", "kwok": "sigs.k8s.io/kwok", "helm": "helm.sh/helm/v4"}
    module = modules.get(name, f"github.com/k3s-io/{name}")
    assert tools.TOOLS[name].version == tools.pinned("cluster", module)
