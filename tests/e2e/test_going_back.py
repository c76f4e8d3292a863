"""Going back on a real VM: an update that loses data undone with its image, yesterday's data beside today's."""

import json

import pytest

from tests.e2e import guide_time_machine as guide
from tests.e2e.deployed import deploy
from tests.e2e.guide_plan_and_drift import HOST, ROOT, in_guest
from tests.e2e.project import ZEROTOIL, Project

pytestmark = [pytest.mark.lab, pytest.mark.e2e, pytest.mark.long, pytest.mark.usefixtures("lab")]
INVENTORY = ("-i", "inventory/lab.py", HOST)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, lab: None) -> Project:
    return Project(tmp_path_factory.mktemp("back"))


@pytest.mark.parametrize("page", guide.PAGES)
def test_the_guide_shows_what_really_happens(project: Project, page: str) -> None:
    assert guide.PAGES[page](project) == (ROOT / "docs/guides" / page).read_text()


def test_yesterdays_data_beside_todays(project: Project) -> None:
    in_guest("echo today | sudo tee /var/mnt/data/note")
    links = "ls -l /dev/disk/by-label/data /dev/disk/by-uuid | grep vdb"
    before = in_guest(links)
    said = project.run(ZEROTOIL, "restore", *INVENTORY, "latest", "--beside", "--as", "before")
    assert "is at /var/mnt/restore/before, read-only" in said
    assert in_guest("sudo ls /var/mnt/restore/before/apps") == "notes\n"
    assert in_guest("sudo cat /var/mnt/restore/before/note 2>/dev/null || echo none") == "none\n", "it is of before"
    assert in_guest("sudo touch /var/mnt/restore/before/x 2>/dev/null || echo read-only") == "read-only\n"
    assert in_guest(links) == before, "the data disk keeps its links: both filesystems have one UUID and label"
    (one,) = json.loads(project.run(ZEROTOIL, "restore", *INVENTORY, "--list", "--json"))["restores"]
    assert (one["name"], one["mount"], one["lacks"]) == ("before", "ro", [])
    project.plan(code=0)
    project.run(ZEROTOIL, "restore", *INVENTORY, "--drop", "before")
    assert json.loads(project.run(ZEROTOIL, "restore", *INVENTORY, "--list", "--json"))["restores"] == []
    assert in_guest("cat /var/mnt/data/note; test -e /dev/vdc || echo gone") == "today\ngone\n"


def test_afterwards_all_is_as_the_demo_declares_it(project: Project) -> None:
    """The volume that was declared serves again, and the deploy has nothing to do."""
    project.declare()
    project.deploy()
    listed = json.loads(project.run(ZEROTOIL, "snapshots", *INVENTORY, "--json"))
    assert listed["volume"] == "tank1/lab/demo2/data"
    deploy()
    project.plan(code=0)
