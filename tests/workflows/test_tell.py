"""What a run tells from this machine: one message per event to each sink that wants it, and never a failed run."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import make_spec
from tests.sinks import FakeSink
from zerotoil.model.secret import Secret
from zerotoil.resources.resource import Kind, Notice
from zerotoil.workflows.tell import EVENT_OF, Outcome, tell

ALL = ["finished", "unchanged", "snapshot-missing", "expiring"]
NO_SNAPSHOT = Notice("volume tank/lab/one/data", Kind.UNSAVED, "no snapshot since 2026-11-01 02:00 UTC", "zerotoil snapshot one")
EXPIRING = Notice("certificate of wss://nas.lan", Kind.EXPIRING, "it ends on 2026-12-01, in 5 days", "renew it")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZEROTOIL_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def other(stack: ExitStack) -> FakeSink:
    return stack.enter_context(FakeSink())


def url(sink: FakeSink) -> str:
    return f"signal://me:hunter2@{sink.place}/+4915112345678/+4915187654321?disabletls=yes"


def outcome(host: str, *sinks: FakeSink, events: list[str] = ALL, **what: Any) -> Outcome:
    return Outcome(host, make_spec(host, notify_sinks=[Secret(url(sink)) for sink in sinks], notify_events=events), **what)


def texts(sink: FakeSink) -> list[str]:
    return [message["message"].replace("\r", "") for message in sink.messages]  # Apprise ends the title so


def test_one_message_a_run_with_the_first_failure_of_each_host(sink: FakeSink) -> None:
    hosts = [
        outcome("one", sink, created=2, changed=1, untouched=20),
        outcome("two", sink, untouched=22),
        outcome("three", sink, changed=1, untouched=3, failure="the NAS wss://nas.lan cannot be reached: is it up? [ZT201]"),
        Outcome("four", None, failure="vm_memry: unknown key"),
    ]
    assert tell(hosts) == []
    assert texts(sink) == [
        "home: finished: 4 hosts: 2 created, 2 changed, 45 as declared, 2 FAILED\n"
        "four: FAILED; nothing done: vm_memry: unknown key\n"
        "three: FAILED; 1 changed, 3 as declared: the NAS wss://nas.lan cannot be reached: is it up? [ZT201]\n"
        "one: 2 created, 1 changed, 20 as declared"
    ]


def test_a_run_that_changed_nothing_is_told_only_where_that_is_asked_for(sink: FakeSink, other: FakeSink) -> None:
    tell([outcome("one", sink, events=["finished"], untouched=5)])
    assert texts(sink) == []
    tell([outcome("one", sink, other, events=["unchanged"], untouched=5)])
    assert len(texts(sink)) == len(texts(other)) == 1
    assert texts(sink)[0].startswith("home: unchanged: 1 host: 5 as declared")


def test_by_default_a_run_is_not_told_and_what_only_the_controller_sees_is(sink: FakeSink) -> None:
    spec = make_spec("one", notify_sinks=[Secret(url(sink))])
    assert tell([Outcome("one", spec, created=3, notices=(NO_SNAPSHOT, EXPIRING))]) == []
    assert texts(sink) == [
        "home: snapshot missing: volume tank/lab/one/data\n"
        "volume tank/lab/one/data: no snapshot since 2026-11-01 02:00 UTC\nzerotoil snapshot one",
        "home: expiring: certificate of wss://nas.lan\ncertificate of wss://nas.lan: it ends on 2026-12-01, in 5 days\nrenew it",
    ]
    assert set(EVENT_OF.values()) <= set(spec.notify.events)


def test_a_workload_that_is_not_well_is_told(sink: FakeSink) -> None:
    """Keel told that it had updated it."""
    unready = Notice("Deployment web/blog", Kind.UNREADY, "0 of 2 pods are available", "zerotoil ssh k3s1 -- look")
    assert tell([outcome("k3s1", sink, events=["unhealthy"], untouched=9, notices=(unready,))]) == []
    assert texts(sink) == [
        "home: unhealthy: Deployment web/blog\nDeployment web/blog: 0 of 2 pods are available\nzerotoil ssh k3s1 -- look"
    ]


def test_the_same_notice_is_told_once_however_many_hosts_and_runs(sink: FakeSink, tmp_path: Path) -> None:
    hosts = [outcome(name, sink, events=["expiring"], notices=(EXPIRING,)) for name in ("one", "two")]
    for _ in range(2):
        assert tell(hosts) == []
    assert len(sink.messages) == 1
    for path in (tmp_path / "cache/told").iterdir():
        path.unlink()  # as after notify_repeat
    assert tell(hosts) == []
    assert len(sink.messages) == 2


def test_what_no_sink_took_is_tried_again_by_the_next_run(sink: FakeSink) -> None:
    sink.status = 500
    (line,) = tell([outcome("one", sink, events=["expiring"], notices=(EXPIRING,))])
    assert line.startswith("expiring was not told to notify_sinks[0]: Apprise: ")
    sink.status = 201
    assert tell([outcome("one", sink, events=["expiring"], notices=(EXPIRING,))]) == []
    assert len(sink.messages) == 1


def test_a_dead_sink_is_a_line_without_its_secrets_and_the_others_get_theirs(sink: FakeSink, other: FakeSink) -> None:
    other.die()
    (line,) = tell([outcome("one", other, sink, changed=1)])
    assert line.startswith("finished was not told to notify_sinks[0]: Apprise: ") and "hunter2" not in line
    assert len(sink.messages) == 1


def test_a_sink_that_never_answers_has_a_deadline(sink: FakeSink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zerotoil.clients.apprise._SECONDS", 3)
    sink.delay.clear()
    (line,) = tell([outcome("one", sink, changed=1)])
    assert line.startswith("finished was not told to notify_sinks[0]: Apprise: not done after 3 s")


def test_a_secret_that_cannot_be_read_is_a_line(tmp_path: Path) -> None:
    spec = make_spec("one", notify_sinks=[f"file:{tmp_path}/none"], notify_events=["finished"])
    (line,) = tell([Outcome("one", spec, changed=1), Outcome("two", spec, changed=1)])
    assert line.startswith("notify_sinks cannot be used: ")


def test_long_runs_are_cut(sink: FakeSink) -> None:
    assert tell([outcome(f"host{n:03}", sink, changed=1, failure="x" * 1000) for n in range(50)]) == []
    (text,) = texts(sink)
    assert text.endswith("and 20 more") and len(text) < 10_000
