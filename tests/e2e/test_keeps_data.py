"""An app and its data on a real VM: deployed, left alone, in a snapshot, and back by itself on a new OS disk.

The short walk that `make test` takes; the guides' own walks are in test_runs_apps and test_going_back.
"""

import json
from collections.abc import Iterator

import pytest

from tests.e2e.deployed import assert_unchanged, deploy, writes, zerotoil
from tests.e2e.guide_plan_and_drift import HOST, in_guest
from tests.e2e.project import WEB, ZEROTOIL, Project, wait_for

pytestmark = [pytest.mark.lab, pytest.mark.e2e, pytest.mark.usefixtures("lab")]
IN_LAB = ("-i", "inventory/lab.py", HOST)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, lab: None) -> Iterator[Project]:
    made = Project(tmp_path_factory.mktemp("keeps"))
    made.push("kept:1", "1")
    made.app("web", WEB.format(updates="auto", image=f"{made.lab['registry']}/kept:1"))
    made.declare(apps=["web"])
    made.deploy()
    yield made
    made.declare()
    made.deploy()
    deploy()  # as the demo declares it


def test_a_second_run_changes_nothing(project: Project) -> None:
    wait_for(lambda: project.answers() == "1")
    before, started = writes(), in_guest("sudo docker inspect --format '{{.State.StartedAt}}' web-web-1 watchtower")
    assert_unchanged(project.deploy())
    assert writes() == before
    assert in_guest("sudo docker inspect --format '{{.State.StartedAt}}' web-web-1 watchtower") == started


def test_a_snapshot_now_freezes_the_filesystem_and_thaws_it(project: Project) -> None:
    said = project.run(ZEROTOIL, "snapshot", *IN_LAB, "--note", "before the new OS")
    assert "frozen" in said
    in_guest("sudo touch /var/mnt/data/written-again")
    listed = json.loads(project.run(ZEROTOIL, "snapshots", *IN_LAB, "--json"))["snapshots"]
    (taken,) = [one for one in listed if one["note"] == "before the new OS"]
    assert taken["name"].partition("-")[0] == "manual"
    story = project.run(ZEROTOIL, "timeline", *IN_LAB)
    assert taken["name"] in story and "web" in story


def test_data_and_apps_are_back_on_a_new_os_disk(project: Project) -> None:
    in_guest("echo precious | sudo tee /var/mnt/data/proof && sudo touch /etc/only-on-the-os-disk && sync")
    before = in_guest("cat /etc/ssh/ssh_host_ed25519_key.pub")
    zerotoil("rebuild", "-i", "inventory/demo.py", HOST, "--yes", seconds=900)
    assert in_guest("cat /var/mnt/data/proof") == "precious\n"
    assert in_guest("test -e /etc/only-on-the-os-disk || echo gone") == "gone\n"
    assert in_guest("cat /etc/ssh/ssh_host_ed25519_key.pub") == before
    wait_for(lambda: project.answers() == "1", seconds=300)  # no deploy has run yet
