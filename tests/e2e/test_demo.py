"""The whole product on a real VM, from NAS to Watchtower. The tests run in the order in which they stand."""

import json
import re
import subprocess

import pytest

from tests.e2e import guide_plan_and_drift as guide
from tests.e2e.deployed import assert_unchanged, deploy, plan, writes, zerotoil
from tests.e2e.guide_plan_and_drift import HOST, NIGHTLY, ROOT, URI, in_guest, on_the_nas, virsh

pytestmark = [pytest.mark.lab, pytest.mark.e2e, pytest.mark.usefixtures("lab")]


def test_watchtower_runs_as_declared() -> None:
    container = json.loads(in_guest("sudo docker inspect watchtower"))[0]
    assert container["State"]["Status"] == "running"
    assert container["HostConfig"]["SecurityOpt"] == ["label=disable"]
    binds = {bind.partition(":")[2] for bind in container["HostConfig"]["Binds"]}
    assert binds == {"/var/run/docker.sock", "/registry-ca:ro"}, "the lab's registries are of a CA of its own"
    assert "WATCHTOWER_SCHEDULE=0 30 3 * * *" in container["Config"]["Env"]


def test_the_data_disk_is_the_volume_of_the_nas() -> None:
    assert "/var/mnt/data" in in_guest("findmnt -n -o TARGET /var/mnt/data")
    assert in_guest("readlink /mnt").strip().endswith("var/mnt")
    assert "running" in zerotoil("status", "inventory/demo.py")


def test_a_second_run_changes_nothing() -> None:
    before, started = writes(), virsh("domid", HOST)
    watching = subprocess.Popen(
        ["virsh", "-c", URI, "event", "--domain", HOST, "--event", "lifecycle", "--loop", "--timeout", "60"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    output = deploy()
    watching.terminate()
    assert_unchanged(output)
    assert writes() == before
    assert virsh("domid", HOST) == started
    assert watching.communicate(timeout=10)[0].count("event 'lifecycle'") == 0


def test_only_what_was_changed_by_hand_is_mended() -> None:
    """One change on each of the four layers; pyinfra's table counts exactly those four operations as changed."""
    on_the_nas("pool.snapshottask", {"schedule": {**NIGHTLY, "hour": "5"}})
    on_the_nas("iscsi.extent", {"comment": "changed by hand"})
    virsh("setmaxmem", HOST, "1G", "--config")
    in_guest("sudo docker update --restart=no watchtower")
    before = writes()
    planned = plan(exit_code=2)
    assert planned == {
        ("snapshot task tank1/lab/demo2", "schedule"),
        ("extent demo2", "comment"),
        ("VM demo2", "memory"),
        ("container watchtower", "restart policy"),
    }
    assert writes() == before
    output = deploy()
    assert "snapshot task tank1/lab/demo2: schedule 0 5 * * * -> 0 2 * * *" in output
    assert "extent demo2: comment changed by hand -> zerotoil demo/demo2" in output
    assert "VM demo2: memory 1 GiB -> 2 GiB" in output
    assert "container watchtower: restart policy no -> always" in output
    assert re.search(r"Grand total +\d+ +4 +- +\d+", output), output
    assert writes() == before + 2
    assert plan(exit_code=0) == set()
    before = writes()
    assert_unchanged(deploy())
    assert writes() == before


def test_a_container_deleted_by_hand_comes_back_by_apply() -> None:
    in_guest("sudo docker rm --force watchtower")
    assert {resource for resource, _field in plan(exit_code=2)} == {"container watchtower"}
    output = zerotoil("apply", "inventory/demo.py", "--yes")
    assert "+ container watchtower" in output
    assert re.search(r"What happened:\n +demo2: 1 created, \d+ as declared", output), output
    assert plan(exit_code=0) == set()


def test_the_guide_shows_what_really_happens() -> None:
    assert guide.page() == (ROOT / "docs/guides/plan-and-drift.md").read_text()
