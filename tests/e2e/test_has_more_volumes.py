"""More volumes than one on the real VM: made, mounted, looked at beside, left alone by an undo. Then the VM goes,
two volumes are deleted by name, and the host comes back with its data.
"""

import re
import shlex
import subprocess

import pytest

from tests.e2e.deployed import assert_unchanged
from tests.e2e.guide_plan_and_drift import HOST, LAB, in_guest, virsh
from tests.e2e.project import ZEROTOIL, Project

pytestmark = [pytest.mark.lab, pytest.mark.e2e, pytest.mark.long, pytest.mark.usefixtures("lab")]
INVENTORY = ("-i", "inventory/lab.py", HOST)
MORE = {"media": {"size": "512 MiB", "filesystem": "xfs"}, "db": {"size": "256 MiB"}}
PLACES = ["/var/mnt/data", "/var/mnt/db", "/var/mnt/media"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, lab: None) -> Project:
    return Project(tmp_path_factory.mktemp("volumes"))


def mounted() -> list[str]:
    found = in_guest("findmnt --real --noheadings --list --output TARGET").split()
    return sorted(place for place in found if place.startswith("/var/mnt/"))


def test_a_new_os_disk_mounts_what_was_declared_more(project: Project) -> None:
    project.declare(data_more=MORE)
    in_guest("echo kept | sudo tee /var/mnt/data/kept")
    before = virsh("domid", HOST)
    said = project.deploy()
    assert "deferred: disk demo2-media" in said and "reprovision needed" in said, said
    assert (virsh("domid", HOST), mounted()) == (before, ["/var/mnt/data"]), "nothing is formatted under a running VM"
    project.run(ZEROTOIL, "rebuild", *INVENTORY, "--yes")
    assert mounted() == PLACES
    project.deploy()
    assert_unchanged(project.deploy())
    project.plan(code=0)
    in_guest("for place in db media; do echo $place | sudo tee /var/mnt/$place/name; done")


def test_a_snapshot_of_one_of_them_is_looked_at_beside(project: Project) -> None:
    project.run(ZEROTOIL, "snapshot", *INVENTORY)
    in_guest("echo later | sudo tee /var/mnt/media/name")
    project.run(ZEROTOIL, "restore", *INVENTORY, "latest", "--beside", "--volume", "media", "--as", "old")
    assert in_guest("cat /var/mnt/restore/old/name /var/mnt/media/name") == "media\nlater\n"
    project.run(ZEROTOIL, "restore", *INVENTORY, "--drop", "old")


def test_an_undo_takes_back_the_data_and_leaves_the_others_alone(project: Project) -> None:
    in_guest("echo lost | sudo tee /var/mnt/data/kept")
    in_guest("sudo systemd-run --unit=writer sh -c 'while date +%s >> /var/mnt/media/ticks; do sleep 1; done'")
    said = project.run(ZEROTOIL, "undo", *INVENTORY, "--to", "latest", "--yes")
    assert "shutting the VM down" in said, "the others are LUNs of the same target: no session may stay while one is changed"
    assert in_guest("cat /var/mnt/data/kept /var/mnt/media/name /var/mnt/db/name") == "kept\nlater\ndb\n"
    assert in_guest("grep -vc '^[0-9]*$' /var/mnt/media/ticks || true") == "0\n", "what was written meanwhile is whole"
    assert mounted() == PLACES
    project.run(ZEROTOIL, "undo", *INVENTORY, "--return", "--yes")
    assert in_guest("cat /var/mnt/data/kept") == "lost\n"


def delete_data(project: Project, volume: str, typed: str) -> str:
    """`zerotoil delete-data` at a terminal, where a person types a name."""
    command = shlex.join([ZEROTOIL, "delete-data", *INVENTORY, volume])
    done = subprocess.run(
        ["script", "--quiet", "--return", "--command", command, "/dev/null"],
        cwd=project.folder, env=LAB, input=f"{typed}\n", capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return done.stdout


def test_the_vm_goes_two_volumes_are_deleted_and_the_host_comes_back(project: Project) -> None:
    assert "nothing was deleted" in delete_data(project, "tank1/lab/demo2/media", "tank1/lab/demo2/media"), "it is in use"
    said = project.run(ZEROTOIL, "destroy", *INVENTORY, "--yes")
    assert "the volume tank1/lab/demo2/data stays" in said and "tank1/lab/demo2/media" in said, said
    assert HOST not in virsh("list", "--all", "--name").split()
    assert "nothing was deleted" in delete_data(project, "tank1/lab/demo2/media", "media")
    for name in MORE:
        volume = f"tank1/lab/demo2/{name}"
        assert re.search(rf"{volume} is deleted", delete_data(project, volume, volume))
    project.declare()
    project.deploy()
    assert in_guest("cat /var/mnt/data/kept") == "lost\n"
    assert mounted() == ["/var/mnt/data"]
    project.plan(code=0)
