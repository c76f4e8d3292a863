"""The whole way: what is declared, written by the controller, and done by the real os.sh of the guest on stand-ins for ostree."""

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import make_spec
from tests.resources.guest.os_machine import REFERENCE, REGISTRY, Machine, deployment, image
from zerotoil.resources.guest import os_wait
from zerotoil.resources.guest.guest import Guest
from zerotoil.resources.guest.os_updates import GoneOsUpdates, OsUpdates

STREAM = "ostree-image-signed:docker://quay.io/fedora/fedora-coreos:stable"
IMAGE = f"{REGISTRY}:stable"
QUIET = {"docker_enabled": False, "watchtower_enabled": False}
FINDMNT = '#!/bin/sh\necho \'{"filesystems": [{"source": "/dev/vdb", "fstype": "ext4", "label": "data", "uuid": "1"}]}\'\n'
ZINCATI = "etc/zincati/config.d/90-zerotoil.toml"


class Whole:
    """A guest that was made from a stream, and has nothing of ours yet."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.machine = Machine(folder)
        findmnt = self.machine.programs / "findmnt"
        findmnt.write_text(FINDMNT)
        findmnt.chmod(0o755)
        for file in (self.machine.data / "zerotoil/os").rglob("*"):
            if file.is_file():
                file.unlink()
        self.machine.change(
            deployments=[{**deployment("0.9", STREAM, booted=True)}], registry={IMAGE: image("1.0"), "other:1": image("0.9")}
        )
        self.guest = Guest("matrix", self.shell)
        patch.setattr(os_wait, "until_rebooted", lambda guest, *_: (self.machine.boot(), guest.forget()))

    def shell(self, script: str) -> str:
        answer = self.machine.shell(script)
        if "start --no-block zerotoil-os-rebase.service" in script:
            self.machine.os("rebase")  # as systemd does
        return answer

    def updates(self, **keys: Any) -> OsUpdates:
        self.guest.forget()
        return OsUpdates(self.guest, make_spec(**{**QUIET, **keys}))


@pytest.fixture
def whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Whole:
    return Whole(tmp_path, monkeypatch)


def test_a_new_machine_from_a_stream_to_its_image_and_to_itself_again(whole: Whole) -> None:
    made = whole.updates(os_source=IMAGE, os_window=["Sat 03:00-05:00"])
    assert f"OS updates: source {STREAM} -> {REFERENCE}" in [str(change) for change in made.plan()]
    made.apply()
    assert whole.machine.versions[0] == "1.0*"
    whole.guest.forget()
    assert made.plan() == [] and made.apply() == []
    timer = (whole.machine.root / "etc/systemd/system/zerotoil-os-reboot.timer").read_text()
    assert "OnCalendar=Sat *-*-* 03,04:00,10,20,30,40,50:00 UTC" in timer
    other = whole.updates(os_source=IMAGE, os_window=["Sun 01:00-02:00"])
    assert [change.field for change in other.plan()] == ["file declared.json", "file units/zerotoil-os-reboot.timer"]
    other.apply()
    gone = GoneOsUpdates(whole.guest)
    gone.apply()
    assert gone.plan() == [] and not (whole.machine.root / "etc/systemd/system/zerotoil-os-reboot.timer").exists()


def test_a_stream_gets_zincatis_configuration_and_loses_it(whole: Whole) -> None:
    made = whole.updates(os_strategy="window", os_window=["Sat 03:00-05:00"])
    made.apply()
    file = whole.machine.root / ZINCATI
    assert 'strategy = "periodic"' in file.read_text()
    whole.guest.forget()
    assert made.plan() == []
    file.write_text("[updates]\nenabled = false\n")
    whole.guest.forget()
    assert [change.field for change in made.plan()] == ["Zincati's configuration"]
    made.apply()
    assert 'strategy = "periodic"' in file.read_text()
    GoneOsUpdates(whole.guest).apply()
    assert not file.exists()
