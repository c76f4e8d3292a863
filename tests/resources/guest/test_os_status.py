"""The OS of a host in words, and what of it is worth knowing in a plan."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import make_spec
from tests.resources.guest.os_guest import IMAGE, STATE, seen
from zerotoil.model.spec import HostSpec
from zerotoil.resources.guest.os_notices import notices
from zerotoil.resources.guest.os_status import as_data, is_well, lines
from zerotoil.resources.resource import Kind, Notice

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
REFERENCE = f"ostree-unverified-registry:{IMAGE}"
DIGEST = "sha256:" + "4" * 64


def epoch(**ago: int) -> int:
    return int((NOW - timedelta(**ago)).timestamp())


def deployment(version: str, **more: Any) -> dict[str, Any]:
    return {"checksum": version, "version": version, "digest": DIGEST, "image": REFERENCE, "time": epoch(days=3), **more}


def state(**more: Any) -> dict[str, Any]:
    return {**STATE, "checked": epoch(hours=2), "updated": epoch(days=3), **more}


def found(*, of: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A host on its image; `of` is what differs in its state."""
    return seen(reference=REFERENCE, booted=deployment("44"), state=state(**(of or {})), **more)


def host(**keys: Any) -> HostSpec:
    return make_spec(**{"os_source": IMAGE, **keys})


def said(what: dict[str, Any], **keys: Any) -> list[str]:
    return list(lines(host(**keys), what, NOW))


def told(what: dict[str, Any], **keys: Any) -> list[Notice]:
    return list(notices(host(**keys), what, NOW))


def test_a_host_that_is_well() -> None:
    window = {"os_window": ["Sat 03:00-05:00"], "os_timezone": "Europe/Berlin"}
    there = found(
        of={"gate": {"result": "green"}}, rollback=deployment("43.2", time=epoch(days=10)), boot_counting=True, watchdog=True
    )
    assert said(there, **window) == [
        f"matrix: follows {IMAGE} (rpm-ostree); an update comes in Sat 03:00-05:00 Europe/Berlin",
        "  44    sha256:444444444444  3 days old, runs",
        "  43.2  sha256:444444444444  10 days old, to go back to",
        "health: green",
        "last look: 2 hours ago",
        "last update: 3 days ago",
        "boot counting: yes",
        "watchdog: yes",
    ]
    assert is_well(host(**window), there, NOW) and told(there, **window) == []


def test_a_host_that_nobody_has_judged_yet() -> None:
    there = found(
        of={"checked": None, "updated": None, "gate": {"result": "waiting"}}, staged=deployment("45", digest=None, time=None)
    )
    assert said(there)[1:] == [
        "  44  sha256:444444444444  3 days old, runs",
        "  45  staged: runs after the next restart",
        "health: not judged yet",
        "last look: never",
        "last update: never",
        "boot counting: no: a kernel that hangs stays until somebody chooses the entry before at the boot menu",
        "watchdog: no: a guest that hangs stays so until somebody restarts it",
    ]
    assert is_well(host(), there, NOW)


@pytest.mark.parametrize(
    ("keys", "comes", "command"),
    [
        ({"os_window": ["Sat 03:00-05:00", "Sun 01:00-02:00"]}, "in Sat 03:00-05:00 or Sun 01:00-02:00 UTC", ""),
        ({}, "at once", ""),
        ({"os_strategy": "off"}, "when you restart it", ""),
        ({"os_strategy": "fleet-lock", "os_fleet_lock": "http://lock.lan"}, "when http://lock.lan lets it", ""),
        (
            {"os_source": "stream", "os_packages": ["htop"]},
            "when Zincati restarts it",
            "zerotoil ssh matrix -- sudo systemctl reboot",
        ),
    ],
)  # fmt: skip
def test_a_staged_update_says_when_it_comes(keys: dict[str, Any], comes: str, command: str) -> None:
    there = found(staged=deployment("45"))
    (notice,) = [notice for notice in told(there, **keys) if notice.kind is Kind.UPDATE]
    assert str(notice) == (
        f"OS of matrix: update available: 44 -> 45 is staged; it comes {comes} ({command or 'zerotoil os update matrix --now'})"
    )


def test_a_machine_on_its_way_to_its_image() -> None:
    units = {"zerotoil-os-rebase.service": {"ActiveState": "activating"}}
    (notice,) = told(seen(state=state(), units=units))
    assert str(notice) == (f"OS of matrix: deferred: {IMAGE} is being fetched; it comes at once (zerotoil os status matrix)")


def test_what_was_red_and_went_back() -> None:
    bad = [{"checksum": "45", "version": "45", "digest": DIGEST, "why": "docker is not active", "time": epoch(days=1)}]
    there = found(of={"bad": bad, "pin": {"by": "gate", "time": epoch(days=1), "digest": DIGEST}})
    assert said(there)[-3:] == [
        "refused: 45, since 2026-11-25: docker is not active",
        "! it stays at 44: 45 was red (docker is not active)",
        "  take updates again: zerotoil os unpin matrix",
    ]
    assert list(map(str, told(there))) == [
        "OS of matrix: held back: it stays at 44: 45 was red (docker is not active) (zerotoil os unpin matrix)"
    ]
    assert not is_well(host(), there, NOW)


def test_what_the_owner_has_pinned() -> None:
    there = found(of={"pin": {"by": "owner", "time": 1, "digest": DIGEST}})
    assert list(map(str, told(there))) == ["OS of matrix: held back: it stays at 44, as asked (zerotoil os unpin matrix)"]


def test_a_boot_that_never_came_up_has_no_checks_to_name() -> None:
    bad = [{"checksum": "45", "version": None, "digest": DIGEST, "why": None, "time": None}]
    there = found(of={"bad": bad, "pin": {"by": "gate", "time": 1, "digest": DIGEST}})
    assert "! it stays at 44: sha256:444444444444 was red (it did not come up)" in said(there)


def test_red_checks_with_nothing_to_go_back_to() -> None:
    there = found(of={"gate": {"result": "red", "failing": ["no default route", "web is not running"]}})
    assert "! health: red: no default route; web is not running" in said(there)
    assert list(map(str, told(there))) == [
        "OS of matrix: not ready: health checks are red, and there is nothing to go back to: "
        "no default route; web is not running (zerotoil os status matrix)"
    ]


@pytest.mark.parametrize(
    ("of", "words"),
    [
        ({"checked": epoch(days=20)}, "last looked for an update 20 days ago (os_stale_after is 2 weeks)"),
        ({"updated": epoch(days=30)}, "last updated 30 days ago (os_stale_after is 2 weeks)"),
        (
            {"checked": epoch(days=20), "updated": epoch(days=30), "problem": {"what": "the registry is silent", "since": 1}},
            "last looked for an update 20 days ago, last updated 30 days ago (os_stale_after is 2 weeks); the registry is silent",
        ),
        ({"checked": epoch(days=13), "updated": epoch(days=13)}, ""),
    ],
)
def test_silence_is_never_taken_for_health(of: dict[str, Any], words: str) -> None:
    there = found(of=of)
    stale = [str(notice) for notice in told(there) if notice.kind is Kind.STALE]
    assert stale == ([f"OS of matrix: stale: {words} (zerotoil os update matrix)"] if words else [])
    assert (f"! {words}" in said(there)) is bool(words)


def test_what_was_never_looked_for_counts_from_the_os_disk() -> None:
    old = deployment("43", time="2026-10-01T00:00:00Z")
    there = seen(reference=REFERENCE, booted=old, state=STATE)
    (notice,) = told(there, os_stale_after="1 week")
    assert notice.what == "never looked for an update, never updated (os_stale_after is 1 week)"
    assert told(seen(booted={**old, "time": epoch(days=1)}, reference=REFERENCE, state=STATE)) == []


def test_of_a_stream_only_its_updates_are_judged() -> None:
    there = seen(booted=deployment("43"), state=state(checked=None, updated=epoch(days=40)))
    (notice,) = told(there, os_source="stream", os_strategy="immediate")
    assert str(notice) == (
        "OS of matrix: stale: last updated 40 days ago (os_stale_after is 2 weeks) (zerotoil os status matrix)"
    )


def test_a_problem_that_goes_on() -> None:
    there = found(of={"problem": {"what": "the registry does not answer", "since": epoch(hours=5)}})
    assert said(there)[-1] == "! the registry does not answer, for 5 hours; it is tried again"


def test_an_image_where_a_stream_is_declared() -> None:
    (notice,) = told(found(), os_source="stream", os_strategy="immediate")
    assert str(notice) == (
        f"OS of matrix: reprovision needed: it comes from {REFERENCE}, and os_source is a stream (zerotoil rebuild matrix)"
    )


def test_nothing_is_said_of_a_host_that_is_left_alone_or_was_not_read() -> None:
    assert list(notices(make_spec(), found(staged=deployment("45")), NOW)) == []
    assert told({}) == []


def test_for_programs() -> None:
    there = found(of={"pin": {"by": "owner", "time": 1, "digest": DIGEST}})
    data = as_data(host(os_window=["Sat 03:00-05:00"]), there, NOW)
    assert data["booted"] == there["booted"] and data["state"]["pin"]["by"] == "owner"
    shown = ("version", "host", "source", "strategy", "windows", "timezone", "offset", "well", "wrong")
    assert {key: data[key] for key in shown} == {
        "version": 1, "host": "matrix", "source": IMAGE, "strategy": "window", "windows": ["Sat 03:00-05:00"], "timezone": "UTC",
        "offset": 0, "well": False, "wrong": ["it stays at 44, as asked"],
    }  # fmt: skip
