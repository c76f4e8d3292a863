"""`zerotoil timeline` as a person runs it: a guest over SSH whose ledger the real script wrote, and a NAS with snapshots."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.guest_over_ssh import open_door
from tests.errors.sshd import declared
from tests.errors.world import World
from tests.resources.nas.conftest import KEY
from zerotoil.clients.truenas import Nas
from zerotoil.layers.timeline.as_json import schema
from zerotoil.model.secret import Secret

ZEROTOIL = [sys.executable, "-c", "from zerotoil.cli import main; main()"]
SCRIPTS = resources.files("zerotoil.resources.guest") / "scripts"
ZVOL = "tank/lab/matrix/data"
DOCKER = """#!/bin/sh
for url; do :; done
case $url in
  http://docker/containers/json*) echo '[{{"Id": "c1"}}]' ;;
  http://docker/containers/*) cat "{0}/containers" ;;
  http://docker/images/*) cat "{0}/images" ;;
esac
"""


@dataclass
class Project:
    """A folder with one host, whose guest is another folder."""

    folder: Path
    nas: dict[str, Any]

    def runs(self, image: str, digest: str) -> None:
        """What runs now, written down by the guest's own script."""
        labels = {"com.docker.compose.project": "blog", "com.docker.compose.service": "web"}
        said = {"Name": "/blog-web-1", "Image": f"sha256:{digest}", "Config": {"Image": image, "Labels": labels}}
        (self.folder / "containers").write_text(json.dumps(said))
        (self.folder / "images").write_text(json.dumps({"Id": f"sha256:{digest}", "RepoDigests": [f"x@sha256:{digest}"]}))
        env = {**os.environ, "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}
        line = ["sh", str(SCRIPTS / "ledger.sh"), "after-updates"]
        subprocess.run(line, env=env, check=True, capture_output=True, timeout=60)

    def snapshot(self, name: str) -> None:
        nas = Nas.connect(self.nas["nas_url"], "zerotoil", Secret(KEY), fingerprint=self.nas["nas_fingerprint"], timeout=10)
        nas.write(f"{nas.capabilities.snapshots}.create", {"dataset": ZVOL, "name": name})
        nas.write(f"{nas.capabilities.snapshots}.create", {"dataset": "tank", "name": f"{name}-of-another"})
        nas.close()

    def timeline(self, *line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*ZEROTOIL, "timeline", "matrix", "-i", "lab.py", *line], cwd=self.folder, capture_output=True, text=True,
            timeout=120, stdin=subprocess.DEVNULL, env={**os.environ, "TZ": "Asia/Kolkata"},
        )  # fmt: skip


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Project]:
    monkeypatch.setenv("ZEROTOIL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ZEROTOIL_DATA", str(tmp_path / "disk"))
    (tmp_path / "disk/zerotoil").mkdir(parents=True)
    with ExitStack() as stack:
        world = World(tmp_path, monkeypatch, request, stack)
        door, key = open_door(tmp_path)
        stack.callback(door.close)
        (tmp_path / "bin/curl").write_text(DOCKER.format(tmp_path))
        (tmp_path / "bin/curl").chmod(0o755)
        data: dict[str, Any] = declared(world, door.getsockname()[1]) | {"ssh_key": str(key)}
        world.file(
            "lab.py",
            f'from zerotoil.model.secret import Secret\nvms = [("@vm/matrix", {data!r} | {{"nas_api_key": Secret({KEY!r})}})]\n',
        )
        yield Project(tmp_path, data)


def test_one_story_of_ledger_and_snapshots(project: Project) -> None:
    project.runs("registry.lan/blog:1", "aaaa")
    project.runs("registry.lan/blog:1", "bbbb")
    project.snapshot("auto-2026-11-26_02-00")
    project.snapshot("by-hand")
    done = project.timeline()
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "web: registry.lan/blog:1 aaaa -> bbbb" in done.stdout
    assert "by-hand (not of the schedule)" in done.stdout and "of-another" not in done.stdout
    assert done.stdout.splitlines()[-1] == "4 events, 2 snapshots among them"
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d \+05:30", done.stdout)

    as_json = project.timeline("--json")
    content = json.loads(as_json.stdout)
    jsonschema.validate(content, schema())
    assert as_json.returncode == content["exit_code"] == 0
    by_kind = {event["kind"]: event for event in content["events"]}
    assert set(by_kind) == {"snapshot", "update", "begin"}
    assert by_kind["update"]["new"] == {"name": "registry.lan/blog:1", "digest": "sha256:bbbb"}
    assert {event["origin"] for event in content["events"] if event["kind"] == "snapshot"} == {"schedule", "other"}
    times = [event["time"] for event in content["events"]]
    assert times == sorted(times, reverse=True)


def test_what_cannot_be_read_makes_exit_1_and_the_rest_is_shown(project: Project) -> None:
    project.snapshot("auto-2026-11-26_02-00")
    project.runs("registry.lan/blog:1", "aaaa")
    ledger = project.folder / "disk/zerotoil/ledger"
    (ledger / "2026-01-01T00-00-00Z.json").write_text('{"time": "2026')
    (ledger / "2026-01-01T00-00-01Z.json").write_text('{"time": "2026-01-01T00-00-01Z"}')
    (ledger / "2026-01-01T00-00-02Z.json").write_text("")
    done = project.timeline()
    assert done.returncode == 1
    for name in ("00Z.json", "01Z", "02Z.json"):
        assert f"matrix: the entry 2026-01-01T00-00-{name} of the ledger is broken and left out" in done.stdout
    assert "auto-2026-11-26_02-00" in done.stdout and "[ZT407]" in done.stdout and "nothing is known from before" in done.stdout

    (project.folder / "bin/sudo").write_text("#!/bin/sh\necho no >&2\nexit 1\n")
    done = project.timeline()
    assert done.returncode == 1 and "auto-2026-11-26_02-00" in done.stdout and "nothing is known" not in done.stdout
    assert done.stdout.splitlines()[-1] == "1 event, 1 snapshot among them, 1 could not be read"


def test_the_ledger_is_shown_without_the_nas(project: Project) -> None:
    project.runs("registry.lan/blog:1", "aaaa")
    inventory = project.folder / "lab.py"
    inventory.write_text(inventory.read_text().replace(project.nas["nas_url"], "wss://127.0.0.1:1"))
    done = project.timeline()
    assert done.returncode == 1 and "nothing is known from before" in done.stdout
    assert done.stdout.splitlines()[-1] == "1 event, 0 snapshots among them, 1 could not be read"


def test_a_guest_without_a_ledger_has_its_snapshots(project: Project) -> None:
    project.snapshot("auto-2026-11-26_02-00")
    done = project.timeline()
    assert done.returncode == 0 and done.stdout.splitlines()[-1] == "1 event, 1 snapshot among them"


def test_an_unknown_host_is_one_line(project: Project) -> None:
    done = subprocess.run(
        [*ZEROTOIL, "timeline", "nobody", "-i", "lab.py"], cwd=project.folder, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (1, "") and "no inventory has a host nobody" in done.stderr
