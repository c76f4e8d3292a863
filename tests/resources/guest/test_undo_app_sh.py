"""undo-app.sh by the real shell and jq: the folder and its images go back together, and forth; today's is kept."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from zerotoil.resources.guest.packaged import sent

OLD, NEW = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"


DOCKER = r"""#!/bin/sh
case $1 in
  ps) echo c1 ;;
  inspect) printf '[{"Id": "c1", "Name": "/web-db-1", "Mounts": [], "State": {"Status": "running"},
    "Config": {"Labels": {"com.docker.compose.project": "web"}},
    "HostConfig": {"RestartPolicy": {"Name": "%s"}}}]' "$(cat "$POLICY")" ;;
  update) [ ! -e "$POLICY.gone" ] || exit 1
    [ -e "$POLICY.fixed" ] || { echo "${2#--restart=}" >"$POLICY" && echo "$2" >>"$LOG"; } ;;
esac
"""


class Machine:
    """A data disk with the app web, and yesterday's disk mounted beside it."""

    def __init__(self, folder: Path) -> None:
        self.data, self.source, self.log, self.fake = (folder / name for name in ("data", "beside", "log", "fake"))
        for disk, text, image in ((self.data, "today", NEW), (self.source, "yesterday", OLD)):
            (disk / "apps/web/.zerotoil").mkdir(parents=True)
            (disk / "apps/web/.zerotoil/files").touch()
            (disk / "apps/web/data").write_text(text)
            (disk / "zerotoil/ledger").mkdir(parents=True)
            item = {"app": "web", "service": "db", "id": image, "digest": f"r.lan/db@{image}"}
            other = {"app": "other", "service": "x", "id": image, "digest": "x"}
            (disk / "zerotoil/ledger/2026-11-25T02-00-00Z.json").write_text(json.dumps({"containers": [item, other]}))
        self.fake.mkdir()
        (self.fake / "systemctl").write_text('#!/bin/sh\necho "$* $(cat "$ZEROTOIL_DATA/apps/web/data" 2>&1)" >>"$LOG"\n')
        (self.fake / "docker").write_text(DOCKER)
        for name in ("systemctl", "docker"):
            (self.fake / name).chmod(0o755)
        (folder / "policy").write_text("always")

    def run(self, *arguments: str, code: int = 0) -> str:
        more = {"ZEROTOIL_DATA": self.data, "LOG": self.log, "POLICY": self.log.with_name("policy")}
        env = os.environ | {key: str(value) for key, value in more.items()} | {"PATH": f"{self.fake}:{os.environ['PATH']}"}
        script = sent("undo-app.sh", *arguments, parts=["part-images.sh"])
        done = subprocess.run(["sh", "-s"], input=script, env=env, capture_output=True, text=True, timeout=30)
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    @property
    def app(self) -> str:
        return (self.data / "apps/web/data").read_text()

    @property
    def policy(self) -> str:
        return self.log.with_name("policy").read_text().strip()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_folder_and_image_go_back_together(machine: Machine) -> None:
    assert machine.run("prepare", "web", str(machine.source)) == f"db r.lan/db@{OLD}\n"
    assert machine.app == "today", "the app runs on until its folder is ready"
    machine.run("exchange", "web", "1")
    assert machine.app == "yesterday"
    assert (machine.data / "apps/web/.zerotoil/pins").read_text() == f"db r.lan/db@{OLD}\n"
    unit = "zerotoil-app@web.service"
    assert machine.log.read_text() == f"stop {unit} today\n--restart=no\nstart --no-block {unit} yesterday\n"
    machine.run("settle", "web")
    assert machine.policy == "always"
    assert (machine.data / "zerotoil/undone/web.1/data").read_text() == "today"


def test_and_forth(machine: Machine) -> None:
    machine.run("prepare", "web", str(machine.source))
    machine.run("exchange", "web", "1")
    assert machine.run("back", "web", "2") == "web.1\n"
    assert (machine.app, (machine.data / "apps/web/.zerotoil/pins").exists()) == ("today", False)
    assert machine.run("back", "web", "3") == "web.2\n"
    assert machine.app == "yesterday"


def test_cut_off_between_the_two_renames(machine: Machine) -> None:
    machine.run("prepare", "web", str(machine.source))
    (machine.data / "apps/web").rename(machine.data / "zerotoil/undone/web.1")
    machine.run("prepare", "web", str(machine.source))
    machine.run("exchange", "web", "2")
    assert machine.app == "yesterday"
    assert (machine.data / "zerotoil/undone/web.1/data").read_text() == "today", "nothing is written over it"


def test_what_cannot_be_done_touches_nothing(machine: Machine) -> None:
    assert "the snapshot has no app blog" in machine.run("prepare", "blog", str(machine.source), code=1)
    assert "nothing is prepared for web" in machine.run("exchange", "web", "1", code=1)
    assert "no folder of web is kept" in machine.run("back", "web", "1", code=1)
    assert machine.app == "today"
    assert not machine.log.exists()


def test_no_room_for_the_copy(machine: Machine) -> None:
    (machine.fake / "df").write_text("#!/bin/sh\necho h; echo x 1 1 0 1% /\n")
    (machine.fake / "df").chmod(0o755)
    assert "has room for 0 KiB" in machine.run("prepare", "web", str(machine.source), code=1)
    assert machine.app == "today"


def test_a_container_that_would_start_by_itself_stops_it(machine: Machine) -> None:
    """Docker starts what has the policy `always` when it starts itself: today's image would meet yesterday's folder."""
    machine.run("prepare", "web", str(machine.source))
    machine.log.with_name("policy.fixed").touch()
    machine.run("exchange", "web", "1", code=1)
    assert machine.app == "today"


def test_a_container_that_was_made_again_is_no_failure(machine: Machine) -> None:
    machine.run("prepare", "web", str(machine.source))
    machine.run("exchange", "web", "1")
    machine.log.with_name("policy.gone").touch()
    machine.run("settle", "web")


def test_a_return_that_was_cut_off_goes_on(machine: Machine) -> None:
    machine.run("prepare", "web", str(machine.source))
    machine.run("exchange", "web", "1")
    aside = machine.data / "zerotoil/undone"
    (aside / "web.1").rename(aside / ".web.back.web.1")
    (machine.data / "apps/web").rename(aside / "web.2")  # between its two renames
    assert machine.run("back", "web", "3") == "web.1\n"
    assert (machine.app, (aside / "web.2/data").read_text()) == ("today", "yesterday")
