"""The story that a ledger tells."""

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zerotoil.cli.timeline_view import age, show, words
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers.timeline import Event, HostTimeline, Kind, State
from zerotoil.layers.timeline.as_json import as_text, schema
from zerotoil.layers.timeline.events import changes, of_message, of_snapshot, story
from zerotoil.layers.timeline.found import AppState, Container, Entry, Same, read_entry

VALID = jsonschema.Draft202012Validator(schema())
NIGHTLY = "auto-%Y-%m-%d_%H-%M"
START = datetime(2026, 11, 26, 2, tzinfo=UTC)
WEB = Container("web", "front", "web-front-1", "nginx:1", "sha256:1", "nginx@sha256:aaaa")
NEW = replace(WEB, id="sha256:2", digest="nginx@sha256:bbbb")
DB = Container("web", "db", "web-db-1", "postgres:17", "sha256:3", "postgres@sha256:dddd")
APP = AppState({"compose.yaml": "c1", "override.yaml": "o1"}, {})


def entry(minute: int, *containers: Container, **more: Any) -> Entry:
    known: dict[str, Any] = {"boot": "b1", "os": State("fedora 44.1", "x"), "kernel": "6.1", "k3s": "", "apps": {"web": APP}}
    return Entry(
        **{"name": f"e{minute}", "time": START + timedelta(minutes=minute), "containers": containers or (WEB,), **known, **more}
    )


def told(*entries: Entry | Same) -> list[tuple[str, str, str]]:
    """Kind, app and subject of each event, but for the beginning."""
    return [(event.kind.value, event.app, event.subject) for event in list(changes(entries))[1:]]


def test_a_quiet_host_has_a_beginning_and_nothing_else() -> None:
    (begin,) = changes([entry(0), Same("s", START), entry(5)])
    assert (begin.kind, begin.time, begin.after, begin.ledger) == (Kind.BEGIN, START, None, "e0")


def test_an_update_tells_old_and_new_and_between_which_times() -> None:
    same = Same("s", START + timedelta(minutes=3))
    _, event = changes([entry(0), same, entry(9, NEW)])
    assert event == Event(
        START + timedelta(minutes=9), Kind.UPDATE, "web", "front", State("nginx:1", "sha256:aaaa"),
        State("nginx:1", "sha256:bbbb"), same.time, ledger="e9",
    )  # fmt: skip
    assert words(event) == "front: nginx:1 aaaa -> bbbb"
    tag = replace(NEW, image="nginx:2")
    assert words(list(changes([entry(0), entry(1, tag)]))[1]) == "front: nginx:1 aaaa -> nginx:2 bbbb"


def test_another_digest_of_the_same_image_is_no_update() -> None:
    assert told(entry(0), entry(1, replace(WEB, digest="nginx@sha256:of-the-platform"))) == []


def test_what_is_made_again_under_another_name_is_compared_with_the_old_one() -> None:
    assert told(entry(0), entry(1, replace(WEB, name="4f_web-front-1"))) == []
    assert told(entry(0), entry(1, replace(NEW, name="4f_web-front-1"))) == [("update", "web", "front")]


def test_a_second_container_of_a_service_is_no_new_service() -> None:
    assert told(entry(0), entry(1, WEB, replace(WEB, name="web-front-2"))) == []


def test_what_vanishes_and_comes_back_as_it_was_is_no_event() -> None:
    gone, unknown = entry(1, containers=()), entry(2, containers=None)
    assert told(entry(0), gone, unknown, entry(3)) == []
    assert told(entry(0), gone, unknown, entry(3, NEW)) == [("update", "web", "front")]


def test_services_and_apps_come_and_go() -> None:
    changed = {"web": AppState({"compose.yaml": "c2", "override.yaml": "o1"}, {})}
    assert told(entry(0), entry(1, WEB, DB)) == [("service-added", "web", "db")]
    assert told(entry(0, WEB, DB), entry(1, WEB, apps=changed)) == [
        ("declared", "web", "compose.yaml"), ("service-removed", "web", "db"),
    ]  # fmt: skip
    assert told(entry(0), entry(1, containers=(), apps={})) == [("app-removed", "web", "")]
    back = entry(2, NEW)
    assert told(entry(0, containers=(), apps={}), back) == [("app-added", "web", "")]
    assert told(entry(0), entry(1, containers=(), apps={}), back) == [("app-removed", "web", ""), ("app-added", "web", "")]


def test_what_is_held_and_released() -> None:
    held = entry(1, apps={"web": replace(APP, pins={"front": "nginx@sha256:aaaa"})})
    _, one, two = changes([entry(0), held, entry(2)])
    assert (one.kind, one.new, two.kind, two.old) == (
        Kind.HELD, State("nginx", "sha256:aaaa"), Kind.RELEASED, State("nginx", "sha256:aaaa")
    )  # fmt: skip
    assert words(one) == "front is held at nginx aaaa"


def test_a_reboot_into_another_os() -> None:
    new = {"boot": "b2", "os": State("fedora 44.2", "y"), "kernel": "6.2", "k3s": "v1"}
    assert told(entry(0), entry(1, **new)) == [("os", "", ""), ("k3s", "", ""), ("reboot", "", "")]
    assert told(entry(0), entry(1, kernel="6.2")) == [("os", "", "kernel")]
    assert told(entry(0), entry(1, os=State("fedora 44.1"))) == []  # rpm-ostree did not answer


def test_a_snapshot_is_told_with_the_entry_that_holds_for_it() -> None:
    at = (START + timedelta(minutes=5)).timestamp()
    item = {"id": "tank/lab/matrix/data@auto-2026-11-26_02-05", "properties": {"creation": {"rawvalue": str(int(at))}}}
    found = story([entry(9, NEW), entry(0)], [of_snapshot(item, [NIGHTLY]), of_message("unhealthy web", at + 60)])
    assert found[1].app == "web"
    assert [(event.kind.value, event.subject, event.origin, event.ledger) for event in found] == [
        ("update", "front", "", "e9"), ("told", "web", "", ""), ("snapshot", "auto-2026-11-26_02-05", "schedule", "e0"),
        ("begin", "", "", "e0"),
    ]  # fmt: skip
    early = replace(of_snapshot(item, []), time=START - timedelta(days=1))
    assert story([entry(0)], [early])[-1].ledger == ""


@pytest.mark.parametrize(
    ("naming", "name", "origin"),
    [
        ("auto-%Y-%m-%d_%H-%M", "auto-2026-11-26_02-00", "schedule"),
        ("auto-%Y-%m-%d_%H-%M", "before-upgrade", "other"),
        ("auto-%Y-%m-%d_%H-%M", "auto-2026-11-26_02-00-mine", "other"),
        ("a.%s", "a.1795694400", "schedule"),
        ("a.%s", "ab1795694400", "other"),
    ],
)
def test_the_origin_of_a_snapshot_is_told_by_its_name(naming: str, name: str, origin: str) -> None:
    item = {"id": f"tank/x@{name}", "properties": {"creation": {"rawvalue": "1"}}}
    assert of_snapshot(item, ["x-%s", naming]).origin == origin


def test_an_entry_as_the_guest_prints_it() -> None:
    item = {
        "name": "2026-11-26T02-00-00Z", "version": 1, "time": "2026-11-26T02-00-00Z", "why": "boot", "boot": "b1",
        "kernel": "6.1",
        "os": {"id": "fedora", "version": "44.1", "deployment": {"checksum": "x"}}, "k3s": None,
        "apps": {"web": {"compose": "c1", "override": "o1", "quadlets": None, "pins": {}}},
        "containers": [{
            "app": "web", "service": "front", "container": "web-front-1", "image": "nginx:1", "id": "sha256:1",
            "digest": "nginx@sha256:aaaa",
        }],
    }  # fmt: skip
    assert read_entry(item) == replace(entry(0), name="2026-11-26T02-00-00Z")
    assert read_entry({"name": "n", "time": item["time"], "same": "x"}) == Same("n", START)


@st.composite
def ledgers(draw: st.DrawFn) -> list[Entry | Same]:
    entries: list[Entry | Same] = []
    for minute in range(draw(st.integers(0, 8))):
        if draw(st.booleans()):
            entries.append(Same(f"e{minute}", START + timedelta(minutes=minute)))
            continue
        some = [
            Container(app, service, f"{app}-{service}-{number}", image, f"sha256:{image}", "")
            for app, service, number, image in draw(
                st.lists(st.tuples(*map(st.sampled_from, ("ab", "xy", "12", "pq"))), max_size=4, unique_by=lambda t: t[:3])
            )
        ]
        apps = {
            name: AppState({"compose.yaml": draw(st.sampled_from("12"))}, {}) for name in draw(st.sets(st.sampled_from("ab")))
        }
        containers = None if draw(st.booleans()) else tuple(some)
        entries.append(entry(minute, apps=apps, containers=containers, boot=draw(st.sampled_from("12"))))
    return entries


@settings(deadline=None)  # a slow machine is no failure
@given(ledgers())
def test_any_ledger_is_told(entries: list[Entry | Same]) -> None:
    found = story(entries, [])
    assert [event.time for event in found] == sorted((event.time for event in found), reverse=True)
    full = [each for each in entries if isinstance(each, Entry)]
    assert sum(event.kind is Kind.BEGIN for event in found) == bool(full)
    assert sum(event.kind is Kind.REBOOT for event in found) == sum(a.boot != b.boot for a, b in pairwise(full))
    for event in found:
        assert event.ledger in {each.name for each in full} and (event.after is None or event.after <= event.time)
        assert event.kind is not Kind.UPDATE or event.old != event.new
        assert isinstance(words(event), str)
    VALID.validate(json.loads(as_text(HostTimeline("matrix", found))))


@settings(deadline=None)  # a slow machine is no failure
@given(ledgers())
def test_saying_it_twice_adds_nothing(entries: list[Entry | Same]) -> None:
    twice = [again for each in entries for again in (each, each)]
    assert [(e.kind, e.app, e.subject, e.old, e.new) for e in changes(twice)] == [
        (e.kind, e.app, e.subject, e.old, e.new) for e in changes(entries)
    ]


def test_for_programs() -> None:
    problem = LabError("it is broken", "mend it", code=Code.GUEST_COMMAND_FAILED)
    content = json.loads(as_text(HostTimeline("matrix", story([entry(0), entry(1, NEW)], []), (problem,))))
    jsonschema.validate(content, schema())
    assert content["exit_code"] == 1 and content["problems"] == [{"what": "it is broken", "remedy": "mend it", "code": "ZT407"}]
    assert content["events"][0] == {
        "time": "2026-11-26T02:01:00+00:00", "after": "2026-11-26T02:00:00+00:00", "kind": "update", "app": "web",
        "subject": "front", "old": {"name": "nginx:1", "digest": "sha256:aaaa"},
        "new": {"name": "nginx:1", "digest": "sha256:bbbb"}, "origin": "", "ledger": "e1",
    }  # fmt: skip
    assert set(schema()["$defs"]["event"]["properties"]["kind"]["enum"]) == {kind.value for kind in Kind}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "now"), (59, "now"), (60, "1 minute"), (7200, "2 hours"), (86400, "1 day"), (40 * 86400, "1 month")],
)
def test_ages(seconds: int, text: str) -> None:
    assert age(START - timedelta(seconds=seconds), START) == text


def test_how_it_is_shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        show(
            HostTimeline("matrix", story([entry(0), entry(90, NEW), entry(92, NEW, boot="b2")], [])), START + timedelta(hours=26)
        )
    finally:
        monkeypatch.undo()
        time.tzset()
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in capsys.readouterr().out.splitlines() if "│" in line]
    assert rows == [
        ["2026-11-26 09:02 +05:30", "", "1 day", "reboot", "-", ""],
        ["2026-11-26 09:00 +05:30", "07:30", "1 day", "update", "web", "front: nginx:1 aaaa -> bbbb"],
        ["2026-11-26 07:30 +05:30", "", "1 day", "begin", "-", "nothing is known from before"],
    ]
