"""A change of the OS and an undo, killed after each of their steps on the real VM. The data is the same after all of it."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.e2e.guide_plan_and_drift import HOST, LAB, ROOT, in_guest, virsh
from tests.e2e.other_os import another_release
from tests.e2e.project import ZEROTOIL, Project
from zerotoil.workflows.migrate_steps import BACK, FORWARD
from zerotoil.workflows.swap import STEPS

pytestmark = [pytest.mark.lab, pytest.mark.e2e, pytest.mark.long, pytest.mark.usefixtures("lab")]
KILLED = -9
SUMS = "cd /var/mnt/data && sudo sha256sum --check --quiet precious.sha256 && echo intact"
INVENTORY = ("-i", "inventory/lab.py", HOST)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, lab: None) -> Project:
    project = Project(tmp_path_factory.mktemp("interrupted"))
    project.declare()
    project.deploy()
    in_guest(
        "cd /var/mnt/data && sudo dd if=/dev/urandom of=precious bs=1M count=32 status=none && "
        "sudo sha256sum precious | sudo tee precious.sha256 >/dev/null && sync"
    )
    return project


def cut_off(project: Project, *line: str) -> int:
    """Exit code of a change that may have killed itself."""
    environment = LAB | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, "-m", "tests.e2e.cut_off", *line],
        cwd=project.folder, env=environment, capture_output=True, text=True, timeout=900, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    print(line, done.returncode, done.stdout, done.stderr, sep="\n", flush=True)
    return done.returncode


def each_killed(project: Project, steps: Sequence[str], *what: str) -> None:
    """The same change again and again, each run killed after the next step, until one is killed after the last."""
    kind, *more = what
    for step in steps:
        assert cut_off(project, kind, step, *more) == KILLED, f"there was no step {step!r}"


def os_disk() -> str:
    """The generation of the OS disk that the VM is defined with."""
    found = re.search(r'<zerotoil:host [^>]*generation="(\d+)"', virsh("dumpxml", HOST, "--inactive"))
    assert found
    return found[1]


def test_a_migration_killed_after_each_step_gets_there(project: Project, tmp_path: Path) -> None:
    image, before = another_release(tmp_path), os_disk()
    each_killed(project, [step.name for step in FORWARD], "migrate", *image)
    assert cut_off(project, "migrate", "", *image) == 0
    assert in_guest(SUMS) == "intact\n"
    assert os_disk() != before


def test_a_migration_is_called_off_though_that_is_killed_after_each_step(project: Project) -> None:
    before = os_disk()
    assert cut_off(project, "migrate", "wait") == KILLED
    assert os_disk() != before
    each_killed(project, [step.name for step in BACK], "back")
    assert in_guest(SUMS) == "intact\n"
    assert os_disk() == before


def test_an_undo_killed_after_each_step_gets_there_and_so_does_the_return(project: Project) -> None:
    project.deploy()  # what runs in the guest, onto the new OS disk
    in_guest("echo yesterday | sudo tee /var/mnt/data/note")
    project.run(ZEROTOIL, "snapshot", *INVENTORY)
    in_guest("echo today | sudo tee /var/mnt/data/note")
    each_killed(project, STEPS, "undo", "latest")
    assert in_guest(f"cat /var/mnt/data/note; {SUMS}") == "yesterday\nintact\n"
    each_killed(project, [step for step in STEPS if step != "pinned"], "return")
    assert in_guest(f"cat /var/mnt/data/note; {SUMS}") == "today\nintact\n"
    project.deploy()
    project.plan(code=0)
