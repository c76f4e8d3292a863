"""What an OS that looks after itself is told, whole texts: its declaration, the timer of its turn, Zincati's configuration."""

import json
import shutil
import subprocess
import tomllib
from typing import Any

import pytest

from tests.conftest import RIGHT, make_spec
from zerotoil.model.inventory import declare
from zerotoil.model.spec import HostSpec
from zerotoil.render import os_updates as render

IMAGE = "reg.lan:5000/os/base:v1"


def hosts(**keys: Any) -> dict[str, HostSpec]:
    """Three hosts that are declared alike."""
    found = declare({name: [("host data", {**RIGHT, **keys})] for name in ("a", "b", "c")})
    assert not found.problems
    return found.specs


def test_the_declaration_of_an_image() -> None:
    spec = make_spec(
        os_source=IMAGE, os_window=["Sat 03:00-05:00", "Mon-Wed 23:30-00:30"], os_timezone="Europe/Berlin", os_backend="bootc",
        os_signature_key="cosign.pub", os_fleet_lock="http://lock.lan:3333/", apps=["web", "mail"],
    )  # fmt: skip
    assert json.loads(render.declared(spec)) == {
        "source": IMAGE,
        "reference": f"ostree-image-signed:docker://{IMAGE}",
        "backend": "bootc",
        "strategy": "window",
        "windows": [
            {"days": ["Sat"], "start": "03:00", "minutes": 120},
            {"days": ["Mon", "Tue", "Wed"], "start": "23:30", "minutes": 60},
        ],
        "timezone": "Europe/Berlin",
        "offset": 0,
        "fleet_lock": "http://lock.lan:3333",
        "apply_live": False,
        "packages": [],
        "signed": True,
        "grace": 600,
        "stale_after": 1209600,
        "engine": "docker",
        "k3s": False,
        "apps": ["web", "mail"],
    }


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"container_backend": "podman"}, {"engine": "podman"}),
        ({"k3s_role": "server"}, {"engine": "none", "k3s": True}),
        ({"docker_enabled": False, "watchtower_enabled": False}, {"engine": "none"}),
        ({"os_packages": ["htop", "age"]}, {"strategy": None, "reference": None, "packages": ["age", "htop"]}),
    ],
)
def test_what_runs_the_apps_is_told(keys: dict[str, Any], told: dict[str, Any]) -> None:
    found = json.loads(render.declared(make_spec(**keys)))
    assert {key: found[key] for key in told} == told


def test_the_offset_is_the_hosts_turn() -> None:
    found = hosts(os_source=IMAGE, os_window=["03:00-04:00"])
    told = {name: json.loads(render.declared(spec))["offset"] for name, spec in found.items()}
    assert told == {"a": 0, "b": 1200, "c": 2400}


def test_the_timer_of_a_host_alone() -> None:
    spec = make_spec(os_source=IMAGE, os_window=["Sat 03:00-05:00"], os_timezone="Europe/Berlin")
    assert render.restart_timer(spec) == (
        "[Unit]\nDescription=Restart into a newer OS in the window\n[Timer]\n"
        "OnCalendar=Sat *-*-* 03,04:00,10,20,30,40,50:00 Europe/Berlin\nAccuracySec=10s\n"
        "[Install]\nWantedBy=timers.target\n"
    )


def test_the_timers_of_hosts_that_share_a_window_never_meet() -> None:
    specs = hosts(os_source=IMAGE, os_window=["Sat 23:30-01:00"])
    found = {name: (render.restart_timer(spec) or "").splitlines() for name, spec in specs.items()}
    times = {name: [line for line in lines if line.startswith("On")] for name, lines in found.items()}
    assert times == {
        "a": ["OnCalendar=Sat *-*-* 23:30,40:00 UTC"],
        "b": ["OnCalendar=Sat *-*-* 23:50:00 UTC", "OnCalendar=Sun *-*-* 00:00:00 UTC"],
        "c": ["OnCalendar=Sun *-*-* 00:10,20:00 UTC"],
    }


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
@pytest.mark.parametrize("window", ["Sat 03:00-05:00", "23:30-01:00", "Fri-Mon 00:05-23:59"])
def test_systemd_understands_every_time(window: str) -> None:
    text = render.restart_timer(make_spec(os_source=IMAGE, os_window=[window], os_timezone="Europe/Berlin")) or ""
    times = [line.removeprefix("OnCalendar=") for line in text.splitlines() if line.startswith("OnCalendar=")]
    subprocess.run(["systemd-analyze", "calendar", *times], check=True, capture_output=True, timeout=20)
    assert times


@pytest.mark.parametrize("keys", [{"os_source": IMAGE}, {"os_strategy": "window", "os_window": ["03:00-04:00"]}, {}])
def test_no_timer_of_ours_where_there_is_no_window_of_ours(keys: dict[str, Any]) -> None:
    assert render.restart_timer(make_spec(**keys)) is None


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"os_strategy": "immediate"}, '# Written by zerotoil.\n[updates]\nstrategy = "immediate"\n'),
        ({"os_strategy": "off"}, "# Written by zerotoil.\n[updates]\nenabled = false\n"),
        (
            {"os_strategy": "fleet-lock", "os_fleet_lock": "http://lock.lan:3333"},
            '# Written by zerotoil.\n[updates]\nstrategy = "fleet_lock"\n[updates.fleet_lock]\nbase_url = "http://lock.lan:3333/"\n',
        ),
        (
            {"os_strategy": "window", "os_window": ["Sat 03:00-05:00"], "os_timezone": "Europe/Berlin"},
            '# Written by zerotoil.\n[updates]\nstrategy = "periodic"\n[updates.periodic]\ntime_zone = "Europe/Berlin"\n'
            '[[updates.periodic.window]]\ndays = [ "Sat" ]\nstart_time = "03:00"\nlength_minutes = 120\n',
        ),
        ({}, None),
        ({"os_packages": ["htop"]}, None),
        ({"os_source": IMAGE}, None),
    ],
)  # fmt: skip
def test_zincatis_configuration(keys: dict[str, Any], text: str | None) -> None:
    assert render.zincati(make_spec(**keys)) == text


def test_zincati_restarts_each_host_in_its_own_part_of_the_window() -> None:
    found = hosts(os_strategy="window", os_window=["Sat 23:30-01:00", "Sun,Mon 03:00-04:00"])
    windows = {name: tomllib.loads(render.zincati(spec) or "")["updates"]["periodic"]["window"] for name, spec in found.items()}
    assert windows["a"][0] == {"days": ["Sat"], "start_time": "23:30", "length_minutes": 20}
    assert windows["b"][0] == {"days": ["Sat"], "start_time": "23:50", "length_minutes": 20}
    assert windows["c"] == [
        {"days": ["Sun"], "start_time": "00:10", "length_minutes": 20},
        {"days": ["Mon", "Sun"], "start_time": "03:40", "length_minutes": 20},
    ]
