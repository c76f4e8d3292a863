"""What k3s reads, as whole files."""

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import make_spec
from tests.resources.guest.test_k3s import cluster
from zerotoil.model.secret import Secret
from zerotoil.model.spec import HostSpec
from zerotoil.render import k3s

GOLDEN = Path(__file__).parent / "golden"
MIRRORS = {"docker.io": "mirror.lan:5000/hub", "ghcr.io": "mirror.lan:5000"}
LOGINS = {"docker.io": {"user": "me", "password": Secret("p4ss")}, "mirror.lan:5000": {"user": "lab", "password": Secret("w0rd")}}


def three(name: str, **more: Any) -> HostSpec:
    return cluster("server", "server", "server", "agent", **more)[name]


CONFIGS = {
    "single": lambda: make_spec(k3s_role="server"),
    "single-etcd": lambda: make_spec(k3s_role="server", k3s_datastore="etcd", k3s_config={"disable": ["traefik", "servicelb"]}),
    "first": lambda: three("matrix"),
    "joins": lambda: three("host1", registry_mirrors=MIRRORS, registry_airgapped=True),
    "agent": lambda: three("host3", k3s_config={"node-label": ["disk=fast"], "debug": True}),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_config_yaml(name: str) -> None:
    assert k3s.config(CONFIGS[name]()) == (GOLDEN / f"k3s-{name}.yaml").read_text()


@pytest.mark.parametrize(
    ("name", "keys"),
    [("mirrors", {"registry_mirrors": MIRRORS}), ("logins", {"registry_mirrors": MIRRORS, "registry_logins": LOGINS})],
)
def test_registries_yaml(name: str, keys: dict[str, Any]) -> None:
    assert k3s.registries(make_spec(k3s_role="server", **keys).registry) == (GOLDEN / f"k3s-registries-{name}.yaml").read_text()


def test_without_mirrors_and_logins_there_is_no_registries_yaml() -> None:
    assert k3s.registries(make_spec(registry_mirrors={"own.lan:5000": "own.lan:5000"}).registry) is None
