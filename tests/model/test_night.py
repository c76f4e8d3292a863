"""The order of a night: every update has a restore point before it, and what follows the updates follows them."""

import shutil
import subprocess

import pytest

from tests.conftest import RIGHT, make_spec
from zerotoil.error_codes import Code
from zerotoil.model.inventory import declare
from zerotoil.model.night import after, every_day_at, fixed_times, without_restore_point
from zerotoil.model.units import Cron


@pytest.mark.parametrize(
    ("schedule", "times"),
    [
        ("0 30 3 * * *", [12600]),
        ("5 0 2,14 * * *", [7205, 50405]),
        ("0 0 1-3 * * *", [3600, 7200, 10800]),
        ("0 0 */12 * * *", [0, 43200]),
        ("0 0 22/1 * * *", [79200, 82800]),
        ("*/10 30 3 * * *", []),
        ("0 30 @x * * *", []),
    ],
)
def test_when_a_schedule_fires(schedule: str, times: list[int]) -> None:
    assert fixed_times(schedule) == times


def test_what_follows_the_updates() -> None:
    assert every_day_at(after("0 30 3 * * *", 3600), "Europe/London") == ["*-*-* 04:30:00 Europe/London"]
    assert every_day_at(after("0 30 23 * * 1", 3600), "UTC") == ["*-*-* 00:30:00 UTC"]
    assert every_day_at(after("0 10 * * * *", 1200), "UTC") == ["*-*-* *:30:00 UTC"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
@pytest.mark.parametrize("schedule", ["0 30 3 * * *", "0 10 * * * *", "30 0 2,14 * * 1"])
def test_systemd_reads_it(schedule: str) -> None:
    for text in every_day_at(after(schedule, 3600), "Europe/London"):
        done = subprocess.run(["systemd-analyze", "calendar", text], capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("snapshot", "updates", "said"),
    [
        ("0 2 * * *", "0 30 3 * * *", ""),
        ("0 */6 * * *", "0 30 3 * * *", ""),
        ("0 2 * * 0", "0 30 3 * * 0", ""),
        ("0 2 * * *", "*/5 30 3 * * *", ""),
        ("0 2 * * *", "0 0 2 * * *", "the updates at 02:00 come less than 5 minutes after a snapshot has begun"),
        ("0 2 * * *", "0 30 1 * * *", "the updates at 01:30 find a restore point of 23 hours before"),
        ("0 2 * * *", "0 0 3,20 * * *", "the updates at 20:00 find a restore point of 18 hours before"),
        ("0 2 * * 0", "0 30 3 * * *", "the NAS does not snapshot on every day of the updates"),
    ],
)
def test_every_update_has_a_fresh_restore_point(snapshot: str, updates: str, said: str) -> None:
    assert without_restore_point([Cron.parse(snapshot)], updates) == said


def lacking(updates: str, *snapshots: str) -> str:
    return without_restore_point([Cron.parse(snapshot) for snapshot in snapshots], updates)


def test_any_tier_is_a_restore_point() -> None:
    late = "the updates at 14:30 find a restore point of 12 hours before"
    assert lacking("0 30 14 * * *", "0 2 * * *") == late
    assert lacking("0 30 14 * * *", "0 2 * * *", "0 * * * *") == ""
    assert lacking("0 30 3,14 * * *", "0 2 * * *", "0 13 * * *") == "", "one covers the night, the other the day"
    assert lacking("0 30 14 * * *", "0 2 * * *", "0 13 * * 0") == late, "not on every day of the updates"
    assert lacking("0 30 14 * * 0", "0 2 * * *", "0 13 * * 0") == ""
    assert lacking("0 2 14 * * *", "0 2 * * *", "0 * * * *") == "the updates at 14:02 find a restore point of 12 hours before"


def test_a_tier_of_the_host_counts() -> None:
    wrong = {"watchtower_schedule": "0 30 15 * * *", "apps": ["web"]}
    weekly = {"weekly": {"schedule": "0 3 * * 0", "keep": "3 months"}}
    (problem,) = declare({"matrix": [("host data", {**RIGHT, **wrong, "data_snapshot_tiers": weekly})]}).problems
    assert problem.what.endswith("let it come 10 minutes to 12 hours after data_snapshot_schedule or one of data_snapshot_tiers")
    make_spec(**wrong, data_snapshot_tiers={**weekly, "hourly": {"schedule": "0 * * * *", "keep": "2 days"}})


def test_a_wrong_order_is_refused_with_its_key_once_apps_are_declared() -> None:
    wrong = {"watchtower_schedule": "0 30 1 * * *"}
    make_spec(**wrong)
    (problem,) = declare({"matrix": [("host data", {**RIGHT, **wrong, "apps": ["web"]})]}).problems
    assert (problem.key, problem.code) == ("watchtower_schedule", Code.KEYS_CONTRADICT)
    assert problem.what == (
        "the updates at 01:30 find a restore point of 23 hours before; "
        "let it come 10 minutes to 12 hours after data_snapshot_schedule"
    )


def test_podman_updates_at_the_same_hour() -> None:
    keys = {"watchtower_schedule": "0 30 1 * * *", "container_backend": "podman", "apps": ["web"]}
    (problem,) = declare({"matrix": [("host data", {**RIGHT, **keys})]}).problems
    assert problem.key == "watchtower_schedule" and "a restore point of 23 hours before" in problem.what


@pytest.mark.parametrize("key", ["watchtower_enabled", "docker_enabled"])
def test_one_updater_on_a_host(key: str) -> None:
    (problem,) = declare({"matrix": [("host data", {**RIGHT, "container_backend": "podman", key: True})]}).problems
    assert problem.key == key
    assert "podman runs the containers and updates them itself" in problem.what
    spec = make_spec(container_backend="podman")
    assert not spec.docker.enabled and not spec.watchtower.enabled
