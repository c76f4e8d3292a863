"""Apps on a real VM: added, broken, updated, put back, told of, taken off, and back by themselves on a new OS disk.

The guides are written by the same walk; each test takes one page's steps, in the order in which they stand.
"""

import json

import pytest

from tests.e2e import guide_apps as guide
from tests.e2e.deployed import assert_unchanged, deploy, writes, zerotoil
from tests.e2e.guide_plan_and_drift import HOST, ROOT, in_guest
from tests.e2e.project import ZEROTOIL, Project, wait_for

pytestmark = [pytest.mark.lab, pytest.mark.e2e, pytest.mark.usefixtures("lab")]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, lab: None) -> Project:
    return Project(tmp_path_factory.mktemp("apps"))


@pytest.mark.parametrize("page", guide.PAGES)
def test_the_guide_shows_what_really_happens(project: Project, page: str) -> None:
    assert guide.PAGES[page](project) == (ROOT / "docs/guides" / page).read_text()


def test_a_second_run_changes_nothing(project: Project) -> None:
    before, started = writes(), in_guest("sudo docker inspect --format '{{.State.StartedAt}}' web-web-1 watchtower")
    assert_unchanged(project.deploy())
    assert writes() == before
    assert in_guest("sudo docker inspect --format '{{.State.StartedAt}}' web-web-1 watchtower") == started


def test_a_snapshot_now_freezes_the_filesystem_and_thaws_it(project: Project) -> None:
    said = project.run(ZEROTOIL, "snapshot", "-i", "inventory/lab.py", HOST, "--note", "before the new OS")
    assert "frozen" in said
    in_guest("sudo touch /var/mnt/data/written-again")
    (listed,) = json.loads(project.run(ZEROTOIL, "snapshots", "-i", "inventory/lab.py", HOST, "--json"))["snapshots"]
    assert (listed["note"], listed["name"].partition("-")[0]) == ("before the new OS", "manual")
    story = project.run(ZEROTOIL, "timeline", "-i", "inventory/lab.py", HOST)
    assert listed["name"] in story and "web" in story


def test_data_and_apps_are_back_on_a_new_os_disk(project: Project) -> None:
    in_guest("echo precious | sudo tee /var/mnt/data/proof && sudo touch /etc/only-on-the-os-disk && sync")
    before = in_guest("cat /etc/ssh/ssh_host_ed25519_key.pub")
    zerotoil("rebuild", "-i", "inventory/demo.py", HOST, "--yes", seconds=900)
    assert in_guest("cat /var/mnt/data/proof") == "precious\n"
    assert in_guest("test -e /etc/only-on-the-os-disk || echo gone") == "gone\n"
    assert in_guest("cat /etc/ssh/ssh_host_ed25519_key.pub") == before
    wait_for(lambda: project.answers() == "5", seconds=300)  # no deploy has run yet


def test_an_app_taken_off_is_stopped_and_keeps_its_data(project: Project) -> None:
    project.declare(notify_sinks=["file:secrets/signal"])
    assert "app web" in project.plan() and "its data stays in /var/mnt/data/apps/web" in project.plan()
    project.deploy()
    assert project.answers() == ""
    assert "5" in in_guest("sudo cat /var/mnt/data/apps/web/data/starts")
    project.plan(code=0)
    assert "container watchtower" in deploy()  # as the demo declares it: without a sink
    assert_unchanged(deploy())
