"""Which services of the apps are well, in Docker's and in podman's words."""

from typing import Any

import pytest

from zerotoil.resources.guest.health import healthy, others


def docker(name: str, status: str = "running", health: Any = None, **labels: str) -> dict[str, Any]:
    named = {f"com.docker.compose.{key}": value for key, value in labels.items()}
    return {"Name": f"/{name}", "State": {"Status": status, "Health": health}, "Config": {"Labels": named}}


@pytest.mark.parametrize(
    ("status", "health", "well"),
    [
        ("running", None, True), ("running", "healthy", True), ("running", {"Status": "healthy"}, True), ("running", "", True),
        ("running", "unhealthy", False), ("running", "starting", False), ("running", {"Status": "unhealthy"}, False),
        ("restarting", None, False), ("exited", None, False), ("created", "healthy", False),
    ],
)  # fmt: skip
def test_docker(status: str, health: Any, well: bool) -> None:
    facts = {"containers": [docker("web-db-1", status, health, project="web", service="db")]}
    assert healthy(facts, ["web"], "docker") == ({"web/db"} if well else set())
    assert healthy(facts, ["other"], "docker") == set()


@pytest.mark.parametrize(
    ("state", "status", "well"),
    [
        ("running", "Up 2 minutes", True), ("running", "Up 2 minutes (healthy)", True), ("exited", "Exited (1)", False),
        ("running", "Up 2 minutes (unhealthy)", False), ("running", "Up 2 seconds (starting)", False),
    ],
)  # fmt: skip
def test_podman(state: str, status: str, well: bool) -> None:
    labels = {"zerotoil.app": "web", "PODMAN_SYSTEMD_UNIT": "web-db.service"}
    item = {"Names": ["web-db-1"], "State": state, "Status": status, "Labels": labels}
    assert healthy({"containers": [], "podman": {"containers": [item]}}, ["web"], "podman") == ({"web/db"} if well else set())


def test_k3s_is_a_service_that_must_be_up_again_after_a_migration() -> None:
    units = {
        "k3s.service": {"ActiveState": "active"},
        "k3s-agent.service": {"ActiveState": "inactive"},
        "var-lib-rancher.mount": {},
    }
    assert healthy({"k3s": {"units": units}}, [], "docker") == {"k3s/k3s.service"}
    assert healthy({"k3s": {"units": {"k3s.service": {"ActiveState": "activating"}}}}, [], "docker") == set()
    assert healthy({"k3s": {}}, [], "docker") == set()


def test_docker_itself_where_it_is_what_runs_the_apps() -> None:
    facts = {"units": {"docker.service": {"active": "active"}}}
    assert healthy(facts, [], "docker") == {"docker.service"}
    assert healthy(facts, [], "podman") == set()
    assert healthy({"units": {"docker.service": {"active": "activating"}}}, [], "docker") == set()


def test_what_is_no_app() -> None:
    watchtower = {"Name": "/watchtower", "State": {"Status": "running"}, "Config": {}}
    facts = {"containers": [docker("byhand"), docker("x-y-1", project="x", service="y"), docker("old", "exited"), watchtower]}
    assert others(facts, ["x"]) == {"byhand"}
    assert healthy({}, ["x"], "docker") == others({"podman": {}}, []) == set()
