"""The stand-in for rpm-ostree without a VM: what it says of recorded deployments, and what it asks of ostree."""

import fcntl
import json
import shutil
import subprocess

import pytest

from tests.minilab.ostree import machine as pretended
from tests.minilab.ostree.machine import DIGEST, FIRST_BOOT, NEW, OLD, PROGRAM, REFERENCE, STAGED, UPDATED, WENT_BACK
from zerotoil.minilab import ostree

pytestmark = pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")


@pytest.fixture
def machine(tmp_path):
    return pretended.machine(tmp_path)


def deployments(machine, text):
    machine.status(text)
    done = machine.run("status", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)["deployments"]


def test_a_deployment_of_a_stream_has_upstreams_fields(machine):
    assert deployments(machine, FIRST_BOOT) == [
        {
            "id": f"standin-{OLD}.0", "osname": "standin", "checksum": OLD, "serial": 0,
            "version": ostree.RELEASE, "timestamp": 1787011200, "booted": True, "staged": False, "pinned": False,
            "unlocked": "none", "packages": [], "requested-packages": [], "requested-local-packages": [],
            "base-removals": [], "regenerate-initramfs": False, "base-commit-meta": {"version": ostree.RELEASE},
            "origin": "standin:standin/x86_64/ostree",
        }
    ]  # fmt: skip


def test_a_staged_image_has_its_reference_and_digest(machine):
    staged, booted = deployments(machine, STAGED)
    assert (staged["checksum"], staged["staged"], staged["booted"], staged["version"]) == (NEW, True, False, "2")
    assert (staged["container-image-reference"], staged["container-image-reference-digest"]) == (REFERENCE, DIGEST)
    assert staged["base-commit-meta"]["ostree.manifest-digest"] == DIGEST
    assert "origin" not in staged
    assert (booted["booted"], booted["staged"]) == (True, False)


def test_order_pins_and_what_is_booted(machine):
    assert [(one["checksum"], one["booted"], one["pinned"]) for one in deployments(machine, UPDATED)] == [
        (NEW, True, False),
        (OLD, False, True),
    ]
    assert [(one["checksum"], one["booted"]) for one in deployments(machine, WENT_BACK)] == [(OLD, False), (NEW, True)]


def test_status_for_people_says_what_it_is(machine):
    machine.status(STAGED)
    told = machine.run("status").stdout
    assert "stand-in" in told and f"  {REFERENCE}\n" in told and "* standin:standin/x86_64/ostree\n" in told


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (UPDATED, ["set-default 1"]),
        (WENT_BACK, ["set-default 1"]),  # nothing older: the booted one goes back on top
        (STAGED, ["set-default 1"]),
    ],
)
def test_rollback_takes_what_upstream_takes(machine, text, asked):
    machine.status(text)
    assert machine.run("rollback").returncode == 0
    assert machine.calls == asked


def test_rollback_with_nothing_to_go_back_to(machine):
    done = machine.run("rollback")
    assert (done.returncode, done.stderr) == (1, "error: No rollback deployment found\n")


def test_cleanup_drops_what_is_staged_and_nothing_else(machine):
    machine.status(STAGED)
    (machine.folder / "status.after").write_text(FIRST_BOOT)
    assert [machine.run("cleanup", "-p").returncode for _ in range(2)] == [0, 0]
    assert machine.calls == ["undeploy 0"]


@pytest.mark.parametrize(
    "words",
    [["install", "htop"], ["kargs"], ["apply-live"], ["upgrade", "--check"], ["rebase"], ["rebase", "--experimental", "x"],
     ["cleanup", "-m"], []],
)  # fmt: skip
def test_what_it_does_not_play_is_refused_by_name(machine, words):
    done = machine.run(*words)
    assert done.returncode == 1
    assert done.stderr.startswith(" ".join(["error: rpm-ostree", *words]).rstrip()) or "error: rebase" in done.stderr
    assert "stand-in" in done.stderr and machine.calls == []


def test_a_stream_is_not_upgraded(machine):
    assert "stand-in" in machine.run("upgrade").stderr


@pytest.mark.parametrize(
    "reference", ["fedora:fedora/x86_64/coreos/stable", "ostree-remote-image:fedora:docker://x/y:z", "x/y:z"]
)
def test_a_reference_that_it_cannot_read(machine, reference):
    done = machine.run("rebase", reference)
    assert (done.returncode, done.stderr) == (1, f"error: the stand-in for rpm-ostree knows no reference like {reference}\n")


def test_a_signed_image_wants_a_policy_that_can_refuse(machine):
    """As ostree-rs-ext: Debian's and Fedora's own policy accepts anything."""
    policy = machine.folder / "etc/containers/policy.json"
    policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    done = machine.run("rebase", "ostree-image-signed:docker://127.0.0.1:1/os/base:v1")
    assert (done.returncode, "insecureAcceptAnything`; refusing usage" in done.stderr) == (1, True)
    assert machine.calls == []


def test_two_at_once_are_told_so(machine):
    with (machine.folder / "run/rpm-ostree-standin.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = machine.run("rollback")
    assert (done.returncode, "Transaction in progress" in done.stderr) == (1, True)


def test_shellcheck_finds_nothing():
    if not shutil.which("shellcheck"):
        pytest.skip("shellcheck is not installed")
    folder = PROGRAM.parents[3]
    scripts = [PROGRAM, folder / "files/usr/sbin/grub-mkconfig", *folder.glob("*.sh")]
    scripts += (folder / "files/usr/lib/dracut/modules.d/35ignition-ostree").glob("*[rh]")
    assert subprocess.run(["shellcheck", *scripts], timeout=60, check=False).returncode == 0
