"""One app of a guest: what is to be made, every drift of files, unit and containers, and taking it off."""

from typing import Any

import pytest

from tests.resources.guest.conftest import LocalGuest
from zerotoil.errors import LabError
from zerotoil.resources.guest.app import App, GoneApps
from zerotoil.resources.guest.files import GuestFile
from zerotoil.resources.resource import Risk

ROOT = "/var/mnt/data/apps/web"
COMPOSE = GuestFile(f"{ROOT}/compose.yaml", 0o644, "services:\n  web:\n    image: registry.lan/web:1\n")
UNIT = "zerotoil-app@web.service"


def app(local: LocalGuest, *files: GuestFile) -> App:
    return App(local.guest, "web", files or (COMPOSE,), {"web": [f"{ROOT}/conf"], "once": []})


def container(service: str = "web", config_hash: str = "aaa", status: str = "running", **more: Any) -> dict[str, Any]:
    labels = {"project": "web", "service": service, "config-hash": config_hash}
    return {
        "Name": f"/web-{service}-1",
        "Image": "sha256:1",
        "State": {"Status": status, "ExitCode": 0},
        "HostConfig": {"RestartPolicy": {"Name": "always"}},
        "Config": {"Image": "registry.lan/web:1", "Labels": {f"com.docker.compose.{k}": v for k, v in labels.items()}},
    } | more


@pytest.fixture
def running(local: LocalGuest) -> LocalGuest:
    """The app as a deploy left it."""
    local.unit(UNIT)
    local.containers(container())
    app(local).apply()
    (local.data / "apps/web/.zerotoil/hashes").write_text("web aaa\n")
    local.guest.forget()
    return local


def fields(changes: list[Any]) -> list[tuple[str, Any, Any]]:
    return [(change.field, change.before, change.after) for change in changes]


def test_an_absent_app_shows_all_that_would_be_made(local: LocalGuest) -> None:
    assert fields(app(local).plan()) == [
        ("file compose.yaml", None, COMPOSE.content),
        ("container web", None, "running"),
        ("container once", None, "running"),
    ]


def test_as_declared_is_no_change(running: LocalGuest) -> None:
    assert app(running).plan() == []


def test_its_data_is_never_looked_at(running: LocalGuest) -> None:
    (running.data / "apps/web/data").mkdir()
    (running.data / "apps/web/data/file").write_text("1")
    assert app(running).plan() == []


@pytest.mark.parametrize(
    ("have", "said"),
    [
        ([], "removed"),
        ([container(config_hash="bbb")], "changed by hand"),
        ([container(status="exited")], "exited"),
        ([container(status="restarting")], "restarting"),
    ],
)
def test_each_drift_of_a_container_is_seen(running: LocalGuest, have: list[Any], said: str) -> None:
    running.containers(*have)
    running.guest.forget()
    assert fields(app(running).plan()) == [("container web", said, "running")]


def test_a_container_that_runs_once_may_be_done(running: LocalGuest) -> None:
    once = container(status="exited", HostConfig={"RestartPolicy": {"Name": "no"}})
    running.containers(once)
    running.guest.forget()
    assert app(running).plan() == []
    running.containers(once | {"State": {"Status": "exited", "ExitCode": 1}})
    running.guest.forget()
    assert fields(app(running).plan()) == [("container web", "exited", "running")]


def test_a_unit_switched_off_by_hand_is_seen(running: LocalGuest) -> None:
    running.unit(UNIT, active="inactive", enabled="disabled")
    running.guest.forget()
    assert fields(app(running).plan()) == [("unit", "disabled, inactive", "enabled, active")]


def test_a_changed_file_is_a_diff_and_the_unit_is_reloaded(running: LocalGuest) -> None:
    new = GuestFile(COMPOSE.path, 0o644, "services:\n  web:\n    image: registry.lan/web:2\n")
    (change,) = app(running, new).plan()
    assert change.is_text and "+    image: registry.lan/web:2" in change.text_diff()
    app(running, new).apply()
    assert f"reload-or-restart --no-block {UNIT}" in (running.state / "systemctl.log").read_text()
    assert (running.data / "apps/web/compose.yaml").read_text() == new.content


def test_whoever_mounts_a_changed_file_is_restarted(running: LocalGuest) -> None:
    """Compose makes a container again for another compose.yaml, and never looks into the files that it mounts."""
    conf, other = GuestFile(f"{ROOT}/conf/a.toml", 0o644, "a = 1\n"), GuestFile(f"{ROOT}/notes.txt", 0o644, "1\n")
    app(running, COMPOSE, conf, other).apply()
    (running.data / "apps/web/.zerotoil/restart").unlink()
    changed = [GuestFile(conf.path, 0o644, "a = 2\n"), GuestFile(other.path, 0o644, "2\n")]
    planned = {change.field: change.risk for change in app(running, COMPOSE, *changed).plan()}
    assert planned == {"file conf/a.toml": Risk.RESTART, "file notes.txt": Risk.SAFE}
    app(running, COMPOSE, *changed).apply()
    assert (running.data / "apps/web/.zerotoil/restart").read_text() == "web\n"


def test_an_app_that_does_not_come_up_says_why(running: LocalGuest) -> None:
    running.unit(UNIT, active="failed")
    with pytest.raises(LabError, match="matrix: app web did not come up .*its data is untouched"):
        app(running, GuestFile(COMPOSE.path, 0o644, "services: {}\n")).apply()


def test_an_app_taken_off_is_stopped_and_keeps_its_data(running: LocalGuest) -> None:
    tools = running.data / "zerotoil/bin"
    tools.mkdir(parents=True)
    (tools / "app.sh").write_text('echo "$@" >>"$ZEROTOIL_STATE/app.log"\n')
    (running.data / "apps/web/data").mkdir()
    gone = GoneApps(running.guest, [])
    assert [str(change) for change in gone.plan()] == [f"app web: runs yes -> no; its data stays in {ROOT}"]
    gone.apply()
    assert (running.state / "app.log").read_text() == "down web\n"
    assert f"disable --now {UNIT}" in (running.state / "systemctl.log").read_text()
    assert (running.data / "apps/web/data").exists() and (running.data / "apps/web/compose.yaml").exists()
    assert gone.plan() == []
    assert [field for field, _, _ in fields(app(running).plan())] == ["container web", "container once"]  # declared again
    assert GoneApps(running.guest, ["web"]).plan() == []


def test_an_app_that_only_podman_ran_has_nothing_to_take_down(running: LocalGuest) -> None:
    """After a change of the engine its folder is still there, and no file of Compose in it."""
    tools = running.data / "zerotoil/bin"
    tools.mkdir(parents=True)
    (tools / "app.sh").write_text('echo "$@" >>"$ZEROTOIL_STATE/app.log"\n')
    (running.data / "apps/web/.zerotoil/hashes").unlink()
    running.guest.forget()
    GoneApps(running.guest, []).apply()
    assert not (running.state / "app.log").exists()
    assert GoneApps(running.guest, []).plan() == []
