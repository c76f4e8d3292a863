"""A NAS in every version, and a host's resources on it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import make_spec
from zerotoil.clients.truenas import Nas
from zerotoil.minilab.nas import Simulator
from zerotoil.minilab.nas.memory import MemoryStorage
from zerotoil.minilab.nas.targets import NoTargets
from zerotoil.model.secret import Secret
from zerotoil.model.spec import HostSpec
from zerotoil.resources.nas import nas_resources
from zerotoil.resources.resource import Change

KEY = "1-abcdefghijklmnop"
VERSIONS = ("24.10", "25.04", "25.10", "26")


def simulator(version: str = "25.10", **more: Any) -> Simulator:
    storage = more.pop("storage", None) or MemoryStorage("tank", 1 << 40)
    return Simulator(version=version, storage=storage, targets=NoTargets(), users={"zerotoil": KEY}, address="127.0.0.1", **more)


def connect(sim: Simulator, key: str = KEY, **more: Any) -> Nas:
    return Nas.connect(sim.url, "zerotoil", Secret(key), **{"fingerprint": sim.fingerprint, "timeout": 10, **more})


def host(name: str = "matrix", **keys: Any) -> HostSpec:
    chap = {"iscsi_chap_user": "hv1", "iscsi_chap_secret": Secret("chap-s3cret-0")}
    return make_spec(name, **{"iscsi_portal": ["127.0.0.1"], **chap, **keys})


def apply(nas: Nas, spec: HostSpec) -> list[Change]:
    return [change for resource in nas_resources(spec, nas) for change in resource.apply()]


def plan(nas: Nas, spec: HostSpec) -> list[str]:
    return [str(change) for resource in nas_resources(spec, nas) for change in resource.plan()]


@pytest.fixture(params=VERSIONS)
def sim(request: pytest.FixtureRequest) -> Iterator[Simulator]:
    """Every version in turn."""
    with simulator(request.param) as made:
        yield made


@pytest.fixture
def nas(sim: Simulator) -> Iterator[Nas]:
    """Logged in."""
    made = connect(sim)
    yield made
    made.close()
