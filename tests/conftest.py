"""Shared specs: one right host, to be varied key by key."""

from __future__ import annotations

import copy
from typing import Any

import pytest

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


@pytest.fixture
def right() -> dict[str, Any]:
    """Flat data of a host that validates."""
    return copy.deepcopy(RIGHT)


def make_spec(name: str = "matrix", **data: Any) -> HostSpec:
    """A valid spec with some keys changed."""
    declared = declare({name: [("host data", {**RIGHT, **data})]})
    assert not declared.problems, [str(problem) for problem in declared.problems]
    return declared.specs[name]
