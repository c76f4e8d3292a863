"""What happens to apps after a night's updates: app.sh and reconcile.sh, on a stand-in for Docker."""

import json
import os
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from tests.resources.guest.conftest import LocalGuest

SCRIPTS = resources.files("zerotoil.resources.guest") / "scripts"
NOTIFY = 'printf \'%s|%s|%s\\n\' "$1" "$2" "$(cat)" >>"$ZEROTOIL_STATE/told"\n'
OLD = {"id": "sha256:1", "digest": "registry.lan/web@sha256:aaaa", "broken": False}
NEW = {"id": "sha256:2", "digest": "registry.lan/web@sha256:bbbb", "broken": False}


class Night:
    """One app, `web`, with the services `web` and `db`."""

    def __init__(self, local: LocalGuest) -> None:
        self.local, self.own = local, local.data / "apps/web/.zerotoil"
        self.docker = local.state / "docker.json"
        self.own.mkdir(parents=True)
        (self.own / "files").write_text("")
        (self.own / "override.yaml").write_text("{}\n")
        image = {"web": {"image": "registry.lan/web:1"}, "db": {"image": "registry.lan/db:1"}}
        (self.own.parent / "compose.yaml").write_text(json.dumps({"services": image}))
        db = {"id": "sha256:9", "digest": "registry.lan/db@sha256:dddd", "broken": False}
        registry = {"registry.lan/web:1": OLD, "registry.lan/db:1": db, OLD["digest"]: OLD}
        self.updater = {"watchtower": {"Name": "/watchtower", "State": {"Status": "running"}}}
        self.docker.write_text(json.dumps({"registry": registry, "containers": self.updater}))
        tools = local.data / "zerotoil/bin"
        tools.mkdir(parents=True)
        for name in ("app.sh", "reconcile.sh"):
            shutil.copy(str(SCRIPTS / name), tools / name)
        (tools / "notify.sh").write_text(NOTIFY)
        for program, first in (("docker", ""), ("curl", "curl ")):
            path = local.data.parent / "bin" / program
            path.write_text(f'#!/bin/sh\nexec {sys.executable} {Path(__file__).parent / "docker_standin.py"} {first}"$@"\n')
            path.chmod(0o755)
        self.env = local.env | {"ZEROTOIL_DATA": str(local.data), "ZEROTOIL_SETTLE_SECONDS": "0", "ZEROTOIL_HEALTH_SECONDS": "0"}

    def run(self, script: str, *arguments: str, code: int = 0) -> str:
        line = ["sh", str(self.local.data / "zerotoil/bin" / script), *arguments]
        done = subprocess.run(line, env=self.env, capture_output=True, text=True, timeout=60)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    @property
    def state(self) -> dict[str, Any]:
        return dict(json.loads(self.docker.read_text()))

    def change(self, **more: Any) -> None:
        self.docker.write_text(json.dumps(self.state | more))

    def updated(self, image: dict[str, Any]) -> None:
        """As the updater does it: the tag has moved, and the container of `web` was made again with the same labels."""
        state = self.state
        state["registry"] |= {"registry.lan/web:1": image, image["digest"]: image}
        health = {"Status": "unhealthy" if image["broken"] else "healthy"}
        state["containers"]["web-web-1"] |= {"Image": image["id"]}
        state["containers"]["web-web-1"]["State"]["Health"] = health
        self.docker.write_text(json.dumps(state))

    def told(self) -> list[str]:
        path = self.local.state / "told"
        found = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return found


@pytest.fixture
def night(local: LocalGuest) -> Night:
    made = Night(local)
    made.run("app.sh", "up", "web")
    return made


def test_up_notes_hashes_and_images(night: Night) -> None:
    assert (night.own / "images").read_text().splitlines() == [
        "db sha256:9 registry.lan/db@sha256:dddd",
        "web sha256:1 registry.lan/web@sha256:aaaa",
    ]
    assert [line.split()[0] for line in (night.own / "hashes").read_text().splitlines()] == ["db", "web"]


def test_a_quiet_night_says_and_changes_nothing(night: Night) -> None:
    before = night.state
    night.run("reconcile.sh")
    assert night.told() == [] and night.state == before


def test_what_disappeared_is_brought_back_and_told(night: Night) -> None:
    night.change(containers={k: v for k, v in night.state["containers"].items() if k != "web-web-1"})
    night.run("reconcile.sh")
    assert night.told() == ["missing|web|web had disappeared and runs again"]
    assert "web-web-1" in night.state["containers"]


def test_what_cannot_be_brought_back_is_told(night: Night) -> None:
    night.change(containers=night.updater, registry={})
    night.run("reconcile.sh")
    (said,) = night.told()
    assert said.startswith("missing|web|db web has disappeared and does not come up: Error: no such image")


def test_an_update_is_told_once(night: Night) -> None:
    night.updated(NEW)
    night.run("reconcile.sh")
    assert night.told() == ["updated|web|web: sha256:aaaa -> sha256:bbbb"]
    night.run("reconcile.sh")
    assert night.told() == []


def test_an_update_that_turns_health_red_is_told_and_left(night: Night) -> None:
    night.updated(NEW | {"broken": True})
    night.run("reconcile.sh")
    (said,) = night.told()
    assert said.startswith("update-failed|web|web is unhealthy after an update (web: sha256:aaaa -> sha256:bbbb)")
    assert night.state["containers"]["web-web-1"]["Image"] == "sha256:2"


def test_auto_revert_puts_the_image_back_and_holds_it(night: Night) -> None:
    (night.own / "revert").write_text("")
    night.updated(NEW | {"broken": True})
    night.run("reconcile.sh")
    (said,) = night.told()
    assert said.startswith("rolled-back|web|web is unhealthy after an update. web back to sha256:aaaa, from sha256:bbbb.")
    assert said.endswith(f"It stays there until: zerotoil release {os.uname().nodename} web")
    assert (night.own / "pins").read_text() == "web registry.lan/web@sha256:aaaa\n"
    assert night.state["containers"]["web-web-1"]["Config"]["Image"] == "registry.lan/web@sha256:aaaa"
    pins = json.loads((night.own / "pins.json").read_text())["services"]["web"]["labels"]
    assert pins == {"com.centurylinklabs.watchtower.enable": "false"}
    night.run("reconcile.sh")  # and no loop
    assert night.told() == []


def test_an_image_without_a_digest_cannot_be_put_back_and_that_is_told(night: Night) -> None:
    """An image that was built or loaded here is in no registry."""
    (night.own / "revert").write_text("")
    noted = night.own / "images"
    noted.write_text(noted.read_text().replace(OLD["digest"], "-"))
    night.updated(NEW | {"broken": True})
    night.run("reconcile.sh")
    (said,) = night.told()
    assert said.startswith("update-failed|web|web is unhealthy after an update (web: - -> sha256:bbbb)")
    assert not (night.own / "pins").exists()


def test_a_revert_that_does_not_help_says_so(night: Night) -> None:
    (night.own / "revert").write_text("")
    night.updated(NEW | {"broken": True})
    night.change(registry=night.state["registry"] | {OLD["digest"]: OLD | {"broken": True}})
    night.run("reconcile.sh")
    (said,) = night.told()
    assert said.startswith("update-failed|web|web is unhealthy after an update. web back to sha256:aaaa")
    assert "that does not help: web is unhealthy" in said


def test_unhealthy_without_an_update(night: Night) -> None:
    night.updated(OLD | {"broken": True})
    night.run("reconcile.sh")
    assert night.told() == ["unhealthy|web|web is unhealthy"]


def test_a_reboot_takes_no_new_image(night: Night) -> None:
    """An updater that only tells has pulled it, so the tag on this host has moved."""
    night.change(registry=night.state["registry"] | {"registry.lan/web:1": NEW})
    night.run("app.sh", "up", "web")
    assert night.state["containers"]["web-web-1"]["Image"] == "sha256:1"


def test_a_container_made_by_hand_is_made_again(night: Night) -> None:
    state = night.state
    state["containers"]["web-web-1"]["Config"]["Labels"]["com.docker.compose.config-hash"] = "other"
    night.change(**state)
    night.run("app.sh", "up", "web")
    labels = night.state["containers"]["web-web-1"]["Config"]["Labels"]
    assert f"web {labels['com.docker.compose.config-hash']}" in (night.own / "hashes").read_text().splitlines()


def test_a_registry_that_is_down_leaves_the_old_containers(night: Night) -> None:
    before = night.state["containers"]
    compose = night.own.parent / "compose.yaml"
    compose.write_text(compose.read_text().replace("web:1", "web:2"))
    said = night.run("app.sh", "up", "web", code=1)
    assert "no such image" in said
    assert night.state["containers"] == before


def test_an_app_that_was_taken_off_is_left_alone(night: Night) -> None:
    (night.own / "stopped").write_text("2026-11-26\n")
    night.change(containers=night.updater)
    night.run("reconcile.sh")
    assert night.told() == [] and night.state["containers"] == night.updater


def test_an_updater_that_is_gone_is_told(night: Night) -> None:
    night.change(containers={key: item for key, item in night.state["containers"].items() if key != "watchtower"})
    night.run("reconcile.sh")
    assert night.told() == ["stale|watchtower|Watchtower is not there: nothing is updated; the next deploy mends it"]


def test_what_runs_is_written_down_after_a_deploy_and_after_the_updates(night: Night) -> None:
    tools = night.local.data / "zerotoil/bin"
    shutil.copy(str(SCRIPTS / "ledger.sh"), tools / "ledger.sh")
    night.run("app.sh", "up", "web")
    night.updated(NEW)
    night.run("reconcile.sh")
    entries = [json.loads(path.read_text()) for path in sorted((night.local.data / "zerotoil/ledger").glob("*.json"))]
    assert [(entry["why"], [item["digest"] for item in entry["containers"]]) for entry in entries] == [
        ("deploy", ["registry.lan/db@sha256:dddd", "registry.lan/web@sha256:aaaa"]),
        ("after-updates", ["registry.lan/db@sha256:dddd", "registry.lan/web@sha256:bbbb"]),
    ]


def test_a_ledger_that_fails_stops_neither(night: Night) -> None:
    (night.local.data / "zerotoil/bin/ledger.sh").write_text('echo "$1" >>"$ZEROTOIL_STATE/ledger"; exit 1\n')
    night.run("app.sh", "up", "web")
    night.run("reconcile.sh")
    assert (night.local.state / "ledger").read_text() == "deploy\nafter-updates\n"
