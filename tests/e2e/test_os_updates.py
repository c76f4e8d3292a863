"""An OS that is an image of the owner's, on a VM whose root is an ostree deployment: taken by the deploy, updated in its time,
left again by itself when it is bad. rpm-ostree is a stand-in there; ostree, GRUB, Ignition, the registry and the VM are real.
"""

import json
import os
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.e2e.deployed import assert_unchanged
from tests.e2e.guide_plan_and_drift import HOST, in_guest, run, virsh
from tests.e2e.project import WEB, ZEROTOIL, Project, wait_for
from tests.e2e.shown import shows

pytestmark = [pytest.mark.lab, pytest.mark.e2e, pytest.mark.long, pytest.mark.usefixtures("lab")]
INVENTORY = ("-i", "inventory/lab.py", HOST)
IMAGE = "os/home:stable"
WRONG = "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd --no-such-flag\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, lab: None) -> Project:
    """The host on an OS disk with ostree, from a stream, without an app."""
    project = Project(tmp_path_factory.mktemp("os"))
    run(ZEROTOIL, "lab", "ostree", seconds=1800)
    push(project, "1")
    project.declare(os_stream="ostree")
    project.run(ZEROTOIL, "migrate", *INVENTORY, "--yes")
    assert "ostree" in in_guest("cat /etc/os-release /proc/cmdline")
    return project


def declare(project: Project, **more: Any) -> None:
    data = {"os_stream": "ostree", "os_source": f"{project.lab['registry']}/{IMAGE}", "os_window": ["03:00-05:00"]}
    secret = project.folder / "secrets/signal"
    secret.parent.mkdir(exist_ok=True)
    secret.touch(mode=0o600)
    secret.write_text(f"signal://{project.lab['signal']}/+4915112345678/+4915187654321?disabletls=yes\n")
    project.declare(**data, os_grace="1 minute", notify_sinks=[f"file:{secret}"], **more)


def push(project: Project, version: str, files: Mapping[str, str | bytes] | None = None) -> None:
    """Another version of the image: the lab's OS with these files on top."""
    folder = project.folder / f"overlay-{version}"
    for name, content in {"usr/share/home-version": f"{version}\n", **(files or {})}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    project.run(ZEROTOIL, "lab", "image", "os", IMAGE, "--version", version, "--overlay", str(folder))


def status(project: Project) -> dict[str, Any]:
    """What `zerotoil os status` says; empty while the host does not answer."""
    try:
        said: dict[str, Any] = json.loads(project.run(ZEROTOIL, "os", "status", *INVENTORY, "--json", codes=(0, 2)))
    except AssertionError:
        return {}
    return said


def runs(project: Project, version: str) -> Callable[[], bool]:
    """Is it this version that runs, and is it judged to be well?"""

    def judged() -> bool:
        found = status(project)
        if not found or found["booted"]["version"] != version:
            return False
        return bool(found["state"]["good"] and found["state"]["good"]["checksum"] == found["booted"]["checksum"])

    return judged


def test_a_machine_without_apps_is_taken_to_the_image_by_the_deploy(project: Project) -> None:
    declare(project)
    project.deploy()
    wait_for(runs(project, "1"), seconds=900)
    assert in_guest("cat /usr/share/home-version") == "1\n"
    in_guest("echo edited | sudo tee /etc/edited.conf && echo kept | sudo tee /var/mnt/data/kept")
    assert_unchanged(project.deploy())
    assert len(deployments()) == 2, "the image, and the stream's to go back to"
    shows("os-image.md", "zerotoil os status demo2", project.run(ZEROTOIL, "os", "status", *INVENTORY))


def deployments() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(in_guest("sudo rpm-ostree status --json"))["deployments"]
    return found


def test_a_newer_image_is_staged_and_taken_in_its_time(project: Project) -> None:
    declare(project, apps=["web"])
    image = f"{project.lab['registry']}/web:1"
    project.push("web:1", "one")
    project.app("web", WEB.format(updates="off", image=image))
    project.deploy()
    wait_for(lambda: "one" in project.answers(), seconds=600)
    push(project, "2")
    before = in_guest("cat /proc/sys/kernel/random/boot_id")
    project.run(ZEROTOIL, "os", "update", *INVENTORY, "--dry-run")
    said = project.run(ZEROTOIL, "os", "update", *INVENTORY)
    assert "2 is staged" in said, said
    shows("os-image.md", "zerotoil os update demo2", said)
    assert in_guest("cat /proc/sys/kernel/random/boot_id") == before, "it waits for its window"
    shows("os-image.md", "zerotoil os status demo2", project.run(ZEROTOIL, "os", "status", *INVENTORY, codes=(0, 2)))
    said = project.run(ZEROTOIL, "os", "update", *INVENTORY, "--now", "--yes")
    shows("os-image.md", "zerotoil os update demo2 --now --yes", said)
    wait_for(runs(project, "2"), seconds=900)
    shows("os-image.md", "zerotoil os status demo2", project.run(ZEROTOIL, "os", "status", *INVENTORY))
    assert in_guest("cat /etc/edited.conf /var/mnt/data/kept /usr/share/home-version") == "edited\nkept\n2\n"
    wait_for(lambda: "one" in project.answers(), seconds=600)
    story = project.run(ZEROTOIL, "timeline", *INVENTORY)
    assert re.search(r"OS|deployment", story), story
    assert_unchanged(project.deploy())


def bare_boot(project: Project) -> float:
    """Seconds from the start of the VM, after a shutdown, until its app serves."""
    virsh("shutdown", HOST)
    wait_for(lambda: HOST not in virsh("list", "--name").split(), seconds=300)
    began = time.monotonic()
    virsh("start", HOST)
    wait_for(lambda: "one" in project.answers(), seconds=600)
    return time.monotonic() - began


def test_an_image_whose_docker_does_not_start_is_left_by_itself(project: Project) -> None:
    bare = bare_boot(project)
    wait_for(runs(project, "2"), seconds=600)
    told = len(project.messages())
    push(project, "3", {"usr/lib/systemd/system/docker.service.d/10-wrong.conf": WRONG})
    project.run(ZEROTOIL, "os", "update", *INVENTORY, "--now", "--yes")
    wait_for(lambda: not project.answers(), seconds=600)
    wait_for(lambda: "one" in project.answers(), seconds=1200)
    serving = time.time()
    wait_for(runs(project, "2"), seconds=1200)
    red = serving - status(project)["state"]["pin"]["time"] + float(in_guest("date +%s.%N")) - time.time()
    print(f"red to serving: {red:.0f} s; a bare boot until the app serves: {bare:.0f} s; ratio {red / bare:.2f}")
    shows("os-failed.md", "zerotoil os status demo2", project.run(ZEROTOIL, "os", "status", *INVENTORY, codes=(2,)))
    planned = " ".join(project.plan(code=0).split())
    assert "it stays at 2" in planned, planned
    assert in_guest("cat /etc/edited.conf /var/mnt/data/kept /usr/share/home-version") == "edited\nkept\n2\n"
    wait_for(lambda: any("did not become healthy" in text for text in project.messages()[told:]), seconds=120)
    message = next(text for text in project.messages()[told:] if "did not become healthy" in text)
    assert "Docker does not answer" in message, message
    shows("os-failed.md", "", message)
    assert_unchanged(project.deploy())


def test_what_was_bad_is_refused_until_another_comes(project: Project) -> None:
    shows("os-failed.md", "zerotoil os unpin demo2", project.run(ZEROTOIL, "os", "unpin", *INVENTORY))
    refused = project.run(ZEROTOIL, "os", "update", *INVENTORY, codes=(0, 1))
    assert "which was bad here" in refused, refused
    shows("os-failed.md", "zerotoil os update demo2", refused)
    push(project, "4")
    project.run(ZEROTOIL, "os", "update", *INVENTORY, "--now", "--yes")
    wait_for(runs(project, "4"), seconds=900)


def test_one_that_does_not_boot_is_given_up_by_the_boot_counter(project: Project) -> None:
    kernel = in_guest("uname -r").strip()
    push(project, "5", {f"usr/lib/modules/{kernel}/initramfs.img": os.urandom(1 << 20)})
    project.run(ZEROTOIL, "os", "update", *INVENTORY, "--now", "--yes")
    wait_for(lambda: bool(status(project).get("state", {}).get("pin")), seconds=900)
    wait_for(runs(project, "4"), seconds=900)
    found = status(project)
    assert found["state"]["bad"][-1]["why"] == "it did not come up", found["state"]
    assert deployments()[0]["booted"], "and it stays so"
    wait_for(lambda: "one" in project.answers(), seconds=600)


def test_a_power_cut_while_an_image_is_fetched_loses_nothing(project: Project) -> None:
    project.run(ZEROTOIL, "os", "unpin", *INVENTORY)
    push(project, "6", {f"usr/share/home/{number}": os.urandom(1 << 20) for number in range(24)})
    in_guest("sudo systemctl start --no-block zerotoil-os-update.service")
    time.sleep(6)
    virsh("destroy", HOST)
    virsh("start", HOST)
    wait_for(runs(project, "4"), seconds=900)
    said = project.run(ZEROTOIL, "os", "update", *INVENTORY, "--now", "--yes")
    assert "the host restarts" in said, said
    wait_for(runs(project, "6"), seconds=900)
    assert in_guest("cat /var/mnt/data/kept") == "kept\n"
    assert len(deployments()) == 2


def test_the_owner_goes_back_and_stays_there(project: Project) -> None:
    project.run(ZEROTOIL, "os", "rollback", *INVENTORY, "--dry-run")
    project.run(ZEROTOIL, "os", "rollback", *INVENTORY, "--yes")
    wait_for(lambda: status(project).get("booted", {}).get("version") == "4", seconds=900)
    assert status(project)["state"]["pin"]["by"] == "owner"
    assert "it stays at 4" in project.run(ZEROTOIL, "os", "update", *INVENTORY, codes=(1,))
