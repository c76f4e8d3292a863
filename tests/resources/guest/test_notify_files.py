"""The files a guest gets: where, with which mode, and which of them is a secret."""

import json

import pytest

from tests.conftest import make_spec
from zerotoil.errors import LabError
from zerotoil.model.secret import Secret
from zerotoil.resources.guest.files import GuestFile
from zerotoil.resources.guest.notify import guest_files

URL = "signal://me:hunter2@signal.lan/+4915112345678/+4915187654321/group.x="
HOME = "/var/mnt/data/zerotoil"


def files(*urls: str, **keys: object) -> dict[str, GuestFile]:
    spec = make_spec("docker1", notify_sinks=[Secret(url) for url in urls], **keys)
    return {file.path: file for file in guest_files(spec)}


def test_where_and_with_which_mode() -> None:
    assert {path.removeprefix(f"{HOME}/"): (oct(file.mode), file.secret) for path, file in files(URL).items()} == {
        "bin/notify.sh": ("0o755", False),
        "bin/notify.jq": ("0o644", False),
        "bin/notify-expiry.sh": ("0o755", False),
        "bin/notify-watch.sh": ("0o755", False),
        "units/zerotoil-notify@.service": ("0o644", False),
        "units/zerotoil-notify-flush.path": ("0o644", False),
        "units/zerotoil-notify-flush.timer": ("0o644", False),
        "units/zerotoil-notify-flush.service": ("0o644", False),
        "units/zerotoil-notify-watch.service": ("0o644", False),
        "units/zerotoil-notify-watch.timer": ("0o644", False),
        "notify/config.json": ("0o600", False),
        "notify/sinks.json": ("0o600", True),
    }


def test_the_secret_is_in_one_file_only() -> None:
    made = files(URL)
    assert [path for path, file in made.items() if "hunter2" in str(file.content)] == [f"{HOME}/notify/sinks.json"]
    assert all(not path.startswith("/etc") for path in made)


def test_settings_and_sinks() -> None:
    made = files(URL, "ntfy://ntfy.lan/home", notify_events=["missing"], notify_repeat="30 minutes", notify_burst=5)
    settings = json.loads(made[f"{HOME}/notify/config.json"].content)
    assert settings == {"host": "docker1", "events": ["missing"], "repeat": 1800, "burst": 5}
    rows = json.loads(made[f"{HOME}/notify/sinks.json"].content)
    assert [row["id"].split("-")[0] for row in rows] == ["signal", "signal", "ntfy"]
    assert all(set(row) == {"id", "curl", "filter"} for row in rows)
    assert "\n" not in "".join(row["filter"] for row in rows), "the script keeps one on a line"


def test_two_urls_of_one_sink_are_one() -> None:
    rows = json.loads(files("ntfy://ntfy.lan/home", "ntfy://ntfy.lan/home?")[f"{HOME}/notify/sinks.json"].content)
    assert len(rows) == 1


def test_only_what_enables_itself_is_enabled() -> None:
    """install.sh enables what has an [Install] section: the flush timer must not run at boot."""
    made = files(URL)
    units = {path.rpartition("/")[2] for path, file in made.items() if "[Install]" in str(file.content)}
    assert units == {"zerotoil-notify-flush.path", "zerotoil-notify-watch.timer"}


def test_a_sink_that_a_host_cannot_reach_is_named() -> None:
    with pytest.raises(LabError, match=r"docker1: notify_sinks\[1\]: a host cannot send to mailtos://"):
        files(URL, "mailtos://me:hunter2@home.lan")
