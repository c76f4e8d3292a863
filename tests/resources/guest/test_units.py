"""Every unit that a guest may get, before any guest does: systemd reads it without a word."""

import shutil
import subprocess
from importlib import resources
from pathlib import Path

import pytest

from tests.conftest import make_spec
from tests.resources.guest.test_k3s import cluster
from zerotoil.model.secret import Secret
from zerotoil.model.spec import HostSpec
from zerotoil.resources.guest.k3s import guest_files as k3s_files
from zerotoil.resources.guest.notify import guest_files as notify_files
from zerotoil.resources.guest.os_updates import guest_files as os_files
from zerotoil.resources.guest.own_files import own_files
from zerotoil.resources.guest.tailnet import guest_files as tailnet_files

OWN_IMAGES = (
    {"os_source": "reg.lan:5000/os:1"},
    {"os_source": "reg.lan:5000/os:1", "os_window": ["Fri-Sun 23:30-01:00", "03:00-05:00"]},
)
SINK = Secret("signal://signal.lan:8080/+4915100000001/+4915100000002")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_has_no_word_against_them(tmp_path: Path) -> None:
    spec = make_spec(apps=["web"], notify_sinks=[SINK])
    nodes = [file for role in ("server", "agent") for file in k3s_files(_node(role))]
    tailnet = tailnet_files(make_spec(tailnet_enabled=True))
    updates = [file for wish in OWN_IMAGES for file in os_files(make_spec(**wish))]
    units = [file for file in [*own_files(spec), *nodes, *tailnet, *updates] if "/units/" in file.path and ".d/" not in file.path]
    for file in units:
        (tmp_path / Path(file.path).name).write_bytes(file.data)
    line = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *map(str, tmp_path.iterdir())]
    said = subprocess.run(line, capture_output=True, text=True, timeout=60).stderr.splitlines()
    assert [text for text in said if str(tmp_path) in text] == []
    assert len(units) >= 15


def _node(role: str) -> HostSpec:
    return cluster("server", "agent")["matrix" if role == "server" else "host1"]


def test_all_that_is_in_the_package_is_given_to_some_host() -> None:
    """A script or unit that no host gets is dead."""
    folder = resources.files("zerotoil.resources.guest")
    there = {path.name for kind in ("scripts", "units") for path in (folder / kind).iterdir() if path.is_file()}
    docker = own_files(make_spec(apps=["web"], notify_sinks=[SINK]))
    nodes = [file for role in ("server", "agent") for file in k3s_files(_node(role))]
    tells = notify_files(_node("server").model_copy(update={"notify": make_spec(notify_sinks=[SINK]).notify}))
    others = [*tailnet_files(make_spec(tailnet_enabled=True)), *os_files(make_spec(**OWN_IMAGES[0]))]
    given = {Path(file.path).name for file in [*docker, *nodes, *tells, *others]}
    parts = {"part-users.sh", "part-images.sh", "part-rollout.sh", "part-units.sh"}
    parts |= {f"part-os{name}.sh" for name in ("", "-state", "-boot", "-window", "-update", "-install")}
    sent = {
        "ledger-read.sh",
        "quiesce.sh",
        "beside.sh",
        "swap.sh",
        "undo-app.sh",
        "kubectl.sh",
        "keel.sh",
        *parts,
    }  # over SSH, and not kept there
    assert there - given == {"podman.sh", "images.sh"} | sent  # podman's
