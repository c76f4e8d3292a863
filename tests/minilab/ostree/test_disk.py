"""The guest with ostree: what is on its disk (read with debugfs, not booted)."""

import json
import os
import shutil
import subprocess
import tarfile

import pytest

from tests.mounts import own_mounts
from zerotoil.minilab import ostree

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mmdebstrap"), reason="needs root and mmdebstrap"),
]


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    """A function that runs one debugfs request on a partition of the image."""
    own_mounts()  # it is built in one of its own
    raw = tmp_path_factory.mktemp("guest") / "disk.raw"
    subprocess.run(["qemu-img", "convert", "-O", "raw", ostree.build().disk, raw], timeout=600, check=True)
    said = subprocess.run(["sfdisk", "--json", raw], capture_output=True, timeout=60, check=True).stdout
    table = json.loads(said)["partitiontable"]["partitions"]

    def ask(partition: int, request: str) -> str:
        command = ["debugfs", "-R", request, f"{raw}?offset={table[partition - 1]['start'] * 512}"]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout

    yield ask
    raw.unlink()


def test_the_layer_of_the_tree_is_known_from_the_start(disk):
    assert f"sha256_3A_{ostree.build().digest[7:]}" in disk(3, "ls /ostree/repo/refs/heads/ostree/container/blob")


def test_grub_boots_the_deployment_and_counts(disk):
    menu = disk(2, "cat /loader/grub.cfg") or disk(2, "cat /loader.0/grub.cfg") or disk(2, "cat /loader.1/grub.cfg")
    assert menu.count("menuentry") == 1 and "ostree=/ostree/boot" in menu
    for argument in ("$ignition_firstboot", "panic=5", "rd.shell=0", "rd.emergency=reboot"):
        assert f" {argument}" in menu
    assert "boot_counter" in disk(2, "cat /grub/grub.cfg")
    assert "ignition.firstboot" in disk(2, "ls /")


def test_the_layer_is_a_tree_that_ostree_takes():
    own_mounts()
    with tarfile.open(ostree.build().layer) as tar:
        names = {entry.name.removeprefix("./"): entry for entry in tar}
    assert names["mnt"].linkname == "var/mnt" and names["ostree"].linkname == "sysroot/ostree"
    assert {"etc/fstab", "usr/bin/rpm-ostree", "usr/lib/tmpfiles.d/standin-var.conf"} <= set(names)
    assert not {name for name in names if name.startswith(("var/", "boot/", "usr/etc/"))}
    assert "etc/selinux/config" not in names and "usr/bin/python3" not in names
