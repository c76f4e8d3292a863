"""The same app with podman on a real VM: started, compared, updated by podman itself, rolled back by it, and undone."""

from collections.abc import Iterator

import pytest

from tests.e2e.deployed import deploy
from tests.e2e.guide_plan_and_drift import in_guest
from tests.e2e.guide_time_machine import INVENTORY
from tests.e2e.project import WEB, ZEROTOIL, Project, wait_for

pytestmark = [pytest.mark.lab, pytest.mark.e2e, pytest.mark.long, pytest.mark.usefixtures("lab")]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, lab: None) -> Iterator[Project]:
    made = Project(tmp_path_factory.mktemp("podman"))
    # One engine on a host: Docker leaves a firewall behind that drops what podman forwards. A new OS disk would have none.
    in_guest("sudo systemctl disable --now docker.service docker.socket && sudo iptables -P FORWARD ACCEPT")
    made.push("pod:1", "1")
    made.app("pod", WEB.format(updates="auto", image=f"{made.lab['registry']}/pod:1").replace("8080:8080", "8090:8080"))
    made.declare(apps=["pod"], container_backend="podman", docker_enabled=False, watchtower_enabled=False)
    yield made
    deploy()  # Docker again, as the demo declares it


def test_the_app_runs_as_quadlets_and_then_nothing_is_to_do(project: Project) -> None:
    assert "app pod" in project.plan() or "quadlet" in project.plan()
    project.deploy()
    wait_for(lambda: project.answers(8090) == "1")
    project.plan(code=0)


def test_a_container_removed_by_hand_comes_back(project: Project) -> None:
    in_guest("sudo systemctl stop pod-web.service")
    assert "stopped" in project.plan()
    project.deploy()
    wait_for(lambda: project.answers(8090) == "1")
    project.plan(code=0)


def test_podman_replaces_the_container_when_a_new_image_is_pushed(project: Project) -> None:
    project.push("pod:1", "2")
    in_guest("sudo systemctl start podman-auto-update.service")
    wait_for(lambda: project.answers(8090) == "2")
    project.plan(code=0)


def test_podman_rolls_a_broken_image_back(project: Project) -> None:
    project.push("pod:1", "3", "--broken")
    in_guest("sudo systemctl start --no-block podman-auto-update.service")  # a start that is not healthy in time is given up
    wait_for(lambda: project.answers(8090) == "3", seconds=120)
    wait_for(lambda: project.answers(8090) == "2", seconds=300)


def mine(text: str = "") -> str:
    """The app's data as a person sees it; with a text, written first."""
    file = "/var/mnt/data/apps/pod/data/mine"
    return in_guest(f"{f'echo {text} | sudo tee {file} >/dev/null && ' if text else ''}sudo cat {file}").strip()


def undo(project: Project, *more: str) -> str:
    return project.run(ZEROTOIL, "undo", *INVENTORY, *more, "--yes")


def shows(project: Project, version: str, data: str) -> None:
    wait_for(lambda: project.answers(8090) == version, seconds=300)
    assert mine() == data


def test_a_bad_update_is_undone_with_its_data(project: Project) -> None:
    mine("before")
    project.run(ZEROTOIL, "snapshot", *INVENTORY, "--note", "the night before")
    project.push("pod:1", "4")
    in_guest("sudo systemctl start podman-auto-update.service")
    wait_for(lambda: project.answers(8090) == "4")
    mine("after")
    assert "pod web is held at" in undo(project)
    shows(project, "2", "before")
    assert "held back: web stays at" in project.plan(code=0)
    in_guest("sudo systemctl start podman-auto-update.service")
    shows(project, "2", "before")  # podman's own updates leave it alone
    undo(project, "--return")
    shows(project, "4", "after")
    assert "held back" not in project.plan(code=0)


def test_what_is_held_is_released(project: Project) -> None:
    undo(project, "--return")
    shows(project, "2", "before")
    in_guest("sudo systemctl stop pod-web.service && sudo podman image prune --force")
    project.deploy()  # by its digest, wherever the image is
    shows(project, "2", "before")
    assert "was held at" in project.run(ZEROTOIL, "release", *INVENTORY, "pod")
    shows(project, "4", "before")
    assert "held back" not in project.plan(code=0)
    undo(project, "--return")
    shows(project, "4", "after")


def test_one_app_is_undone_and_returns(project: Project) -> None:
    undo(project, "--app", "pod")
    shows(project, "2", "before")
    project.plan(code=0)
    undo(project, "--app", "pod", "--return")
    shows(project, "4", "after")
    project.plan(code=0)


def test_an_app_taken_off_is_stopped_and_keeps_its_data(project: Project) -> None:
    project.declare(container_backend="podman", docker_enabled=False, watchtower_enabled=False)
    project.deploy()
    assert project.answers(8090) == ""
    assert in_guest("sudo cat /var/mnt/data/apps/pod/data/starts")
    project.run(ZEROTOIL, "plan", "inventory/lab.py")
