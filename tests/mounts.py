"""Mounts of a test's own, which nobody else sees."""

import os
import subprocess
from pathlib import Path

import pytest


def in_chroot() -> bool:
    """Is / no mount point? Then its propagation cannot be changed (mount(2): EINVAL), which unshare and buildah both do."""
    return not any(line.split()[4] == "/" for line in Path("/proc/self/mountinfo").read_text().splitlines())


def own_mounts() -> None:
    """Skip where no mount namespace of one's own can be made."""
    if os.geteuid():
        pytest.skip("mounts need root")
    if in_chroot():
        pytest.skip("a chroot: no mounts of one's own are made there, since / is no mount point")
    made = subprocess.run(["unshare", "--mount", "true"], capture_output=True, text=True, timeout=20)
    assert made.returncode == 0, made.stderr
