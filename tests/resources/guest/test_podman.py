"""What a guest with podman is given, and every drift of its apps, on JSON in the form of podman 5.4's own."""

import copy
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import make_spec
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.render.quadlet import Refusals, quadlets
from zerotoil.resources.guest.podman import guest_files, update_service, update_timer
from zerotoil.resources.guest.podman_drift import Seen, drift, left_over
from zerotoil.resources.resource import Action, Change, Risk

OWNER = "home/matrix"
COMPOSE = {
    "services": {
        "web": {"image": "docker.io/library/nginx:1", "restart": "always", "depends_on": ["db"]},
        "db": {"image": "docker.io/library/postgres:16"},
    }
}
FILES = quadlets("app", COMPOSE, OWNER, {"web": "auto"})


def made_from(file: str) -> str:
    return FILES[file].split("zerotoil.unit=")[1].split("\n")[0]


def container(service: str, image: str, **changes: Any) -> dict[str, Any]:
    """One entry of `podman ps --all --format json` (ListContainer), as `podman.sh observe` keeps it."""
    labels = {
        "PODMAN_SYSTEMD_UNIT": f"app-{service}.service",
        "zerotoil.app": "app",
        "zerotoil.owner": OWNER,
        "zerotoil.unit": made_from(f"app-{service}.container"),
    }
    return {
        "Id": "4f6c1a" * 10 + "abcd",
        "Names": [f"app-{service}-1"],
        "State": "running",
        "Status": "Up 2 hours",
        "Image": image,
        "ImageID": "0d17b5" * 10 + "abcd",
        "Created": 1795657000,
        "Labels": labels,
    } | changes


def unit(name: str, **changes: str) -> str:
    """One block of `systemctl show`."""
    block = {"Id": name, "LoadState": "loaded", "ActiveState": "active", "SubState": "running", "Result": "success"}
    return "".join(f"{key}={value}\n" for key, value in (block | {"NeedDaemonReload": "no"} | changes).items())


def observed() -> dict[str, Any]:
    """A guest where all is as declared."""
    return {
        "quadlets": {"app": dict(FILES)},
        "containers": [container("web", "docker.io/library/nginx:1"), container("db", "docker.io/library/postgres:16")],
        "units": "\n".join([unit("app-web.service"), unit("app-db.service"), unit("app-network.service", SubState="exited")]),
    }


def changes(seen: dict[str, Any]) -> list[Change]:
    return drift("app", FILES, Seen.of(seen), OWNER)


def lines(seen: dict[str, Any]) -> list[str]:
    return [str(change) for change in changes(seen)]


def without(name: str, **shown: str) -> dict[str, Any]:
    """web's container is not there, and systemd shows this of its unit."""
    seen = observed()
    seen["containers"] = [each for each in seen["containers"] if each["Names"] != [name]]
    seen["units"] = "\n".join([unit("app-web.service", **shown), unit("app-db.service")])
    return seen


def test_as_declared_is_no_change() -> None:
    assert changes(observed()) == []


def test_an_empty_guest_is_given_everything() -> None:
    found = changes({})
    assert {change.action for change in found} == {Action.CREATE}
    assert [str(change) for change in found if change.resource == "container app-web-1"] == [
        "container app-web-1: create image docker.io/library/nginx:1",
        f"container app-web-1: create made from unit {made_from('app-web.container')}",
        "container app-web-1: create state running",
    ]
    assert {change.resource for change in found if change.field == "file"} == {f"quadlet {file}" for file in FILES}


ABSENT = [
    ({"ActiveState": "inactive", "SubState": "dead"}, "state stopped -> running"),
    ({"ActiveState": "failed", "SubState": "failed", "Result": "timeout"}, "state failed (timeout) -> running"),
    ({"ActiveState": "activating", "SubState": "auto-restart", "Result": "exit-code"}, "state restarting (exit-code) -> running"),
    ({"ActiveState": "activating", "SubState": "start"}, "state starting -> running"),
    ({"ActiveState": "active"}, "state removed -> running"),
]


@pytest.mark.parametrize(("shown", "line"), ABSENT, ids=[line for _, line in ABSENT])
def test_a_container_that_is_not_there(shown: dict[str, str], line: str) -> None:
    assert lines(without("app-web-1", **shown)) == [f"container app-web-1: {line}"]


def test_a_unit_that_systemd_does_not_know() -> None:
    seen = observed()
    seen["units"] = "\n".join([unit("app-web.service", LoadState="not-found", ActiveState="inactive"), unit("app-db.service")])
    assert lines(seen) == [
        "container app-web-1: state running outside its unit -> running",
        "container app-web-1: unit unknown to systemd -> loaded",
    ]


DRIFT: list[tuple[dict[str, Any], str, Risk]] = [
    ({"State": "exited", "Status": "Exited (0) 2 minutes ago"}, "state exited -> running", Risk.SAFE),
    ({"State": "paused"}, "state paused -> running", Risk.SAFE),
    ({"Image": "docker.io/library/nginx:2"}, "image docker.io/library/nginx:2 -> docker.io/library/nginx:1", Risk.RESTART),
    (
        {"Labels": {"zerotoil.owner": OWNER, "zerotoil.unit": "0"}},
        f"made from unit 0 -> {made_from('app-web.container')}",
        Risk.RESTART,
    ),
]


@pytest.mark.parametrize(("part", "line", "risk"), DRIFT, ids=[line[:40] for _, line, _ in DRIFT])
def test_each_drift_of_a_container_is_seen_alone(part: dict[str, Any], line: str, risk: Risk) -> None:
    seen = observed()
    seen["containers"][0] |= part
    (change,) = changes(seen)
    assert (str(change), change.risk) == (f"container app-web-1: {line}", risk)


def test_a_container_started_by_hand_is_not_the_units() -> None:
    seen = observed()
    seen["units"] = "\n".join([unit("app-web.service", ActiveState="inactive", SubState="dead"), unit("app-db.service")])
    assert lines(seen) == ["container app-web-1: state running outside its unit -> running"]


@pytest.mark.parametrize(
    ("shown", "line"),
    [({"NeedDaemonReload": "yes"}, "changed, not loaded again"), ({"LoadState": "masked"}, "masked")],
)
def test_a_unit_that_is_not_as_its_file(shown: dict[str, str], line: str) -> None:
    seen = observed()
    seen["units"] = "\n".join([unit("app-web.service", **shown), unit("app-db.service")])
    assert lines(seen) == [f"container app-web-1: unit {line} -> loaded"]


def test_a_quadlet_edited_by_hand_is_shown_as_a_diff() -> None:
    seen = observed()
    seen["quadlets"]["app"]["app-web.container"] = FILES["app-web.container"].replace("nginx:1", "nginx:2")
    (change,) = changes(seen)
    assert (change.resource, change.action, change.risk) == ("quadlet app-web.container", Action.UPDATE, Risk.RESTART)
    assert [line for line in change.text_diff() if line[0] in "+-"] == [
        "-Image=docker.io/library/nginx:2",
        "+Image=docker.io/library/nginx:1",
    ]


def test_what_is_declared_no_more_goes() -> None:
    seen = observed()
    seen["quadlets"]["app"]["app-old.container"] = "[Container]\n"
    old = container("web", "docker.io/library/redis:7", Names=["app-old-1"])
    seen["containers"].append(old)
    seen["containers"].append(
        container("web", "x", Names=["other-1"]) | {"Labels": {"zerotoil.app": "other", "zerotoil.owner": OWNER}}
    )
    assert [(change.resource, change.action) for change in changes(seen)] == [
        ("quadlet app-old.container", Action.DELETE),
        ("container app-old-1", Action.DELETE),
    ]


@pytest.mark.parametrize(
    ("labels", "whose"), [({}, "not ours:"), ({"zerotoil.owner": "away/x"}, "not ours but away/x's:"), (None, ":")]
)
def test_a_container_that_is_not_ours_is_left_alone(labels: dict[str, str] | None, whose: str) -> None:
    seen = observed()
    seen["containers"][0]["Labels"] = labels
    with pytest.raises(LabError, match=rf"a container named app-web-1 is there that is .*{whose} remove or rename it") as caught:
        changes(seen)
    assert caught.value.code is Code.CONTAINER_NOT_OURS


def test_an_app_taken_off_the_host_is_stopped_and_keeps_its_data() -> None:
    assert [str(change) for change in left_over({}, Seen.of(observed()))] == [
        "app app: containers installed -> stopped, data kept"
    ]
    assert left_over({"app": {}}, Seen.of(observed())) == []


def test_drift_reads_only() -> None:
    seen = observed()
    before = copy.deepcopy(seen)
    changes(seen)
    assert seen == before


def test_the_files_of_a_host() -> None:
    spec = make_spec(watchtower_schedule="0 15 4 * * *", watchtower_timezone="Europe/London")
    files = {file.path.removeprefix("/var/mnt/data/zerotoil/"): file for file in guest_files(spec, {"app": FILES})}
    assert list(files) == [
        "bin/podman.sh",
        "units/zerotoil-podman.service",
        "units/podman-auto-update.timer.d/zerotoil.conf",
        "units/podman-auto-update.service.d/zerotoil.conf",
        *(f"quadlets/app/{name}" for name in sorted(FILES)),
    ]
    assert files["bin/podman.sh"].mode == 0o755
    assert not any(file.secret for file in files.values())
    assert "OnCalendar=\nOnCalendar=*-*-* 04:15:00 Europe/London\n" in str(
        files["units/podman-auto-update.timer.d/zerotoil.conf"].content
    )


def test_two_apps_that_clash_are_refused() -> None:
    with pytest.raises(Refusals, match="the app app makes app-network.service too"):
        guest_files(make_spec(), {"app": FILES, "other": FILES})


SHIPPED = {  # podman 5.4.2, contrib/systemd/system
    "timer": "[Unit]\nDescription=x\n\n[Timer]\nOnCalendar=daily\nRandomizedDelaySec=900\nPersistent=true\n\n"
    "[Install]\nWantedBy=timers.target\n",
    "service": "[Unit]\nDescription=x\nWants=network-online.target\nAfter=network-online.target\n\n[Service]\nType=oneshot\n"
    "ExecStart=/bin/true auto-update\nExecStartPost=/bin/true image prune -f\n\n[Install]\nWantedBy=default.target\n",
}


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_takes_our_settings_over_podmans_own_units(tmp_path: Path) -> None:
    drop_ins = {"timer": update_timer("0 30 3 * * *", "Europe/London"), "service": update_service()}
    for kind, text in drop_ins.items():
        name = f"podman-auto-update.{kind}"
        (tmp_path / f"{name}.d").mkdir()
        (tmp_path / name).write_text(SHIPPED[kind])
        (tmp_path / f"{name}.d" / "zerotoil.conf").write_text(text)
    command = [
        "systemd-analyze",
        "verify",
        "--man=no",
        "--recursive-errors=no",
        *(str(tmp_path / f"podman-auto-update.{k}") for k in SHIPPED),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "podman-auto-update" not in done.stderr, done.stderr


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_takes_the_unit_that_brings_the_apps_back(tmp_path: Path) -> None:
    unit_file = next(file for file in guest_files(make_spec(), {}) if file.path.endswith("/zerotoil-podman.service"))
    (tmp_path / "zerotoil-podman.service").write_text(str(unit_file.content))
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(tmp_path / "zerotoil-podman.service")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "zerotoil-podman" not in done.stderr, done.stderr
