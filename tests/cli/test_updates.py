"""`zerotoil updates` as a person runs it: a guest over SSH, a real registry over TLS, an inventory and an app's compose.yaml."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.guest_over_ssh import open_door
from tests.clients.registry.oci import Image, RealRegistry, real_registry
from tests.errors.sshd import declared
from tests.errors.world import World
from tests.resources.nas.conftest import KEY
from zerotoil.layers.updates.as_json import schema

ZEROTOIL = [sys.executable, "-c", "from zerotoil.cli import main; main()"]
ENGINE = """#!/bin/sh
case "$1 $2" in
  "ps --all") echo c1 ;;
  "container inspect") cat "{0}/containers" ;;
  "image inspect") cat "{0}/images" ;;
esac
"""
COMPOSE = """\
# The blog; the numbers matter.
x-zerotoil: {{updates: auto, tags: {{web: "~1.4"}}}}
services:
  web:
    image: {0}/me/blog:1.4.0   # see the release notes
  side:
    image: {0}/me/side:latest
"""
VERSION = "org.opencontainers.image.version"
LONG_AGO = "2024-01-01T00:00:00Z"


@dataclass
class Project:
    """A folder with one host, whose guest is another folder."""

    folder: Path
    registry: RealRegistry

    @property
    def compose(self) -> Path:
        return self.folder / "apps/blog/compose.yaml"

    def runs(self, *containers: tuple[str, str, str]) -> None:
        """What the engine of the guest says: (service, image, digest) each."""
        said, images = [], []
        for service, image, digest in containers:
            labels = {"com.docker.compose.project": "blog", "com.docker.compose.service": service}
            labels["com.centurylinklabs.watchtower.enable"] = "true"
            said.append({
                "Id": "c", "Name": f"/blog-{service}-1", "Image": f"sha256:{service}", "State": {"Status": "running"},
                "Config": {"Image": f"{self.registry.name}/{image}", "Labels": labels},
            })  # fmt: skip
            images.append({
                "Id": f"sha256:{service}", "RepoDigests": [f"x@{digest}"], "Created": LONG_AGO,
                "Config": {"Labels": {VERSION: "1.0"}},
            })  # fmt: skip
        (self.folder / "containers").write_text(json.dumps(said))
        (self.folder / "images").write_text(json.dumps(images))

    def updates(self, *line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*ZEROTOIL, "updates", *line], cwd=self.folder, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL
        )


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Project]:
    monkeypatch.setenv("ZEROTOIL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "300")
    with ExitStack() as stack:
        world = World(tmp_path, monkeypatch, request, stack)
        registry = stack.enter_context(real_registry(tmp_path / "registry", user="me", password="s3cret", tls=True))
        door, key = open_door(tmp_path)
        stack.callback(door.close)
        (tmp_path / "bin/docker").write_text(ENGINE.format(tmp_path))
        (tmp_path / "bin/docker").chmod(0o755)
        secret = world.file("registry-password", "s3cret\n")
        secret.chmod(0o600)
        data: dict[str, Any] = declared(world, door.getsockname()[1]) | {
            "ssh_key": str(key), "apps": ["blog"], "registry_ca": str(registry.ca), "os_stream_url": f"http://{world.web()}",
            "registry_logins": {registry.name: {"user": "me", "password": f"file:{secret}"}},
        }  # fmt: skip
        world.file(
            "lab.py",
            f'from zerotoil.model.secret import Secret\nvms = [("@vm/matrix", {data!r} | {{"nas_api_key": Secret({KEY!r})}})]\n',
        )
        stream(world, "44")
        world.file("apps/blog/compose.yaml", COMPOSE.format(registry.name))
        yield Project(tmp_path, registry)


def stream(world: World, release: str) -> None:
    disk = {"location": "http://127.0.0.1/x.qcow2.xz", "sha256": "0" * 64, "uncompressed-sha256": "0" * 64}
    qemu = {"release": release, "formats": {"qcow2.xz": {"disk": disk}}}
    world.file("stable.json", json.dumps({"architectures": {"x86_64": {"artifacts": {"qemu": qemu}}}}))


def test_nothing_is_outdated(project: Project) -> None:
    web = project.registry.push("me/blog:1.4.0", Image())
    side = project.registry.push("me/side:latest", Image())
    project.runs(("web", "me/blog:1.4.0", web), ("side", "me/side:latest", side))
    done = project.updates("matrix", "-i", "lab.py")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "0 of 3 outdated" in done.stdout
    assert done.stdout.count("the same") == 3


def test_what_is_outdated_is_told_with_the_version_behind_the_tag_and_written_on_demand(project: Project) -> None:
    registry = project.registry
    web, side = registry.push("me/blog:1.4.0", Image()), registry.push("me/side:latest", Image())
    project.runs(("web", "me/blog:1.4.0", web), ("side", "me/side:latest", side))
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    registry.push("me/blog:1.4.2", Image(LONG_AGO, content="2"))
    registry.push("me/blog:1.4.3", Image(yesterday, content="3"))
    registry.push("me/blog:1.5.0", Image(LONG_AGO, content="5"))
    registry.push("me/side:latest", Image(LONG_AGO, {VERSION: "2.7.1"}, content="x"))
    stream(World(project.folder, None, None, None), "45")  # type: ignore[arg-type]

    before = project.compose.read_text()
    done = project.updates("-i", "lab.py")
    assert (done.returncode, done.stderr) == (2, ""), done.stdout
    assert "3 of 3 outdated" in done.stdout
    row = {
        line.split("│")[2].strip(): [cell.strip() for cell in line.split("│")] for line in done.stdout.splitlines() if "│" in line
    }
    assert row["side"][3:8] == ["latest (1.0)", row["side"][4], "latest (2.7.1)", row["side"][6], "auto"]
    assert re.fullmatch(r"the next run of Watchtower is at \d{4}-\d\d-\d\d 03:30 UTC", row["side"][8])
    assert row["web"][5] == "1.4.2"
    assert "1.4.3 is younger than the cooldown until" in row["web"][8] and "zerotoil updates --write" in row["web"][8]
    assert row["OS"][5] == "45" and "zerotoil rebuild matrix" in row["OS"][8]
    assert project.compose.read_text() == before

    found = json.loads(project.updates("-i", "lab.py", "--json").stdout)
    jsonschema.validate(found, schema(), cls=jsonschema.Draft202012Validator)
    (host,) = found["hosts"]
    assert (found["version"], found["exit_code"], host["host"], host["problems"]) == (1, 2, "matrix", [])
    shown = {update["service"]: update for update in host["containers"]}
    assert shown["web"]["newer_tag"]["tag"] == "1.4.2" and shown["web"]["same_tag"] is None
    assert shown["side"]["same_tag"]["version"] == "2.7.1" and shown["side"]["outdated"] is True

    written = project.updates("matrix", "-i", "lab.py", "--write")
    assert written.returncode == 2
    assert [line for line in written.stdout.splitlines() if line[:1] in "+-" and line[1:2] == " "] == [
        f"-    image: {registry.name}/me/blog:1.4.0   # see the release notes",
        f"+    image: {registry.name}/me/blog:1.4.2   # see the release notes",
    ]
    assert project.compose.read_text() == before.replace("1.4.0", "1.4.2")
    again = project.updates("matrix", "-i", "lab.py", "--write")
    assert "declared and not deployed yet: zerotoil apply" in again.stdout
    assert "no newer tag is allowed: nothing was written" in again.stdout


def test_what_cannot_be_read_makes_exit_1_and_the_rest_is_shown(project: Project) -> None:
    web = project.registry.push("me/blog:1.4.0", Image())
    project.runs(("web", "me/blog:1.4.0", web), ("side", "me/side:latest", "sha256:x"))
    done = project.updates("-i", "lab.py")
    assert done.returncode == 1
    assert f"{project.registry.name} has no me/side:latest: check the image's name and tag [ZT633]" in done.stdout
    assert "0 of 3 outdated, 1 could not be read" in done.stdout

    inventory = project.folder / "lab.py"
    inventory.write_text(inventory.read_text().replace(str(project.registry.ca), "/none/ca.crt"))
    done = project.updates("-i", "lab.py")
    assert done.returncode == 1 and "registry_ca /none/ca.crt cannot be read" in done.stdout
    assert "s3cret" not in done.stdout + done.stderr


def test_a_file_that_cannot_be_changed_is_told_and_left(project: Project) -> None:
    registry = project.registry
    web = registry.push("me/blog:1.4.0", Image())
    registry.push("me/blog:1.4.2", Image(LONG_AGO, content="2"))
    side = registry.push("me/side:latest", Image())
    project.runs(("web", "me/blog:1.4.0", web), ("side", "me/side:latest", side))
    text = COMPOSE.format(registry.name).replace("image: ", "image: &web ", 1)
    project.compose.write_text(text)
    done = project.updates("matrix", "-i", "lab.py", "--write")
    assert done.returncode == 1
    assert "the image of web cannot be set: it does not stand on its line as plain text" in done.stderr
    assert "[ZT153]" in done.stderr
    assert project.compose.read_text() == text


def test_without_an_inventory_one_line_says_so(tmp_path: Path) -> None:
    done = subprocess.run([*ZEROTOIL, "updates"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (1, "there is no inventory: name one: zerotoil updates -i FILE [ZT113]\n")
