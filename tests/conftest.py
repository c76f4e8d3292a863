"""Shared specs: one right host, to be varied key by key."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.sinks import FakeSink
from zerotoil.layers.servers import servers
from zerotoil.model.inventory import declare
from zerotoil.model.secret import Secret
from zerotoil.model.spec import HostSpec

RIGHT: dict[str, Any] = {
    "lab_name": "home",
    "nas_url": "wss://nas.lan",
    "nas_user": "zerotoil",
    "nas_api_key": Secret("key"),
    "nas_dataset": "tank/lab",
    "iscsi_portal": ["192.0.2.10"],
    "iscsi_initiators": ["iqn.1993-08.org.debian:01:hv1"],
    "data_size": "20 GiB",
    "ssh_authorized_keys": ["ssh-ed25519 AAAAC3Nza you@laptop"],
}


@pytest.fixture(autouse=True)
def _another_run() -> Iterator[None]:
    """A run knows its servers by address; the next test's NAS may have this one's port, and be another version."""
    yield
    servers._open.clear()


_BRING = "from zerotoil.minilab import daemons, libvirtd, preflight, state, zpool; preflight.extend_path(); state.ensure(); {}"


def _lab(step: str) -> None:
    """One step of the embedded lab, as a lab of its own (number 8): it knows how to bring real parts up on any machine."""
    env = os.environ | {"ZEROTOIL_LAB_NUMBER": "8"}
    done = subprocess.run([sys.executable, "-c", _BRING.format(step)], env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def real_libvirt() -> Iterator[None]:
    """qemu:///system answers: the system's own libvirt, else one that is stopped again afterwards."""
    _lab("libvirtd.up()")
    yield
    _lab("libvirtd.down(); state.remove()")


@pytest.fixture(scope="module")
def real_zfs() -> Iterator[None]:
    """ZFS answers: the system's, else a zfs-fuse that is stopped again afterwards."""
    _lab("zpool.zfs_answers() or daemons.start(zpool.ZFS_FUSE)")
    yield
    _lab("zpool.down(); state.remove()")


@pytest.fixture
def right() -> dict[str, Any]:
    """Flat data of a host that validates."""
    return copy.deepcopy(RIGHT)


def make_spec(name: str = "matrix", **data: Any) -> HostSpec:
    """A valid spec with some keys changed."""
    declared = declare({name: [("host data", {**RIGHT, **data})]})
    assert not declared.problems, [str(problem) for problem in declared.problems]
    return declared.specs[name]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Closes at the test's end what it is given."""
    with ExitStack() as made:
        yield made


@pytest.fixture
def sink(stack: ExitStack) -> FakeSink:
    """A service that takes messages, of several kinds."""
    return stack.enter_context(FakeSink())
