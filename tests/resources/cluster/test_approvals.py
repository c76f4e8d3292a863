"""What Keel asks, and the answer: the real script and curl against a STAND-IN for Keel (tests/keel_standin.py)."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.keel_standin import Keel, asked
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.resources.cluster import approvals
from zerotoil.resources.guest import Guest

PASSWORD = "s3cret-of-keel"
DB, WEB, OLD = "deployment/web/db:17.0", "deployment/web/blog:2.0.0", "deployment/web/old:9"
K3S = """#!/bin/sh
echo "$*" >>"$SHELF/asked"
case $* in
  *"get service keel"*) [ ! -e "$SHELF/no-service" ] && cat "$SHELF/service" ;;
  *"get secret keel-values"*) cat "$SHELF/secret" ;;
  *) exit 64 ;;
esac
"""


@pytest.fixture
def keel() -> Iterator[Keel]:
    with Keel(PASSWORD) as server:
        server.approvals = [asked(WEB), asked(DB), asked(OLD, archived=True), asked("deployment/web/no:3", rejected=True)]
        server.approvals.append(asked("deployment/web/late:3", deadline="2020-01-01T00:00:00Z"))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def guest(tmp_path: Path, keel: Keel) -> Guest:
    host, port = keel.server_address[:2]
    (tmp_path / "k3s").write_text(K3S)
    (tmp_path / "k3s").chmod(0o755)
    (tmp_path / "service").write_text(json.dumps({"spec": {"clusterIP": host, "ports": [{"port": port}]}}))
    login(tmp_path, f"basicauth:\n  enabled: true\n  password: {PASSWORD}\n  user: keel\n")

    def run(script: str) -> str:
        env = os.environ | {"ZEROTOIL_K3S": str(tmp_path / "k3s"), "SHELF": str(tmp_path)}
        done = subprocess.run(["sh", "-s"], input=script, env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert PASSWORD not in done.stdout + done.stderr
        return done.stdout

    return Guest("k3s1", run)


def login(folder: Path, text: str) -> None:
    (folder / "secret").write_text(json.dumps({"data": {"login.yaml": base64.b64encode(text.encode()).decode()}}))


def test_what_waits_is_listed_and_what_is_decided_or_over_is_not(guest: Guest) -> None:
    assert [str(one) for one in approvals.pending(guest)] == [
        "web/blog: 1 -> 2.0.0, asked until 2099-01-02 03:04 UTC",
        "web/db: 1 -> 17.0, asked until 2099-01-02 03:04 UTC",
    ]


def test_the_deadline_is_told_in_utc_wherever_keel_is(guest: Guest, keel: Keel) -> None:
    keel.approvals = [asked(DB, deadline="2099-01-02T03:04:05.123456789+02:00"), asked(WEB, deadline="")]
    assert [str(one) for one in approvals.pending(guest)] == [
        "web/blog: 1 -> 2.0.0",
        "web/db: 1 -> 17.0, asked until 2099-01-02 01:04 UTC",
    ]


@pytest.mark.parametrize("name", ["db", "web/db", DB])
def test_an_update_is_approved_by_any_of_its_names(guest: Guest, keel: Keel, name: str) -> None:
    assert approvals.answer(guest, name, True).identifier == DB
    assert keel.votes == [{"identifier": DB, "action": "approve", "voter": "zerotoil"}]
    assert [one.identifier for one in approvals.pending(guest)] == [WEB]


def test_an_update_is_rejected(guest: Guest, keel: Keel) -> None:
    approvals.answer(guest, "web/db", False)
    assert keel.votes[0]["action"] == "reject"
    assert [one.identifier for one in approvals.pending(guest)] == [WEB]


def test_one_of_two_votes_is_a_vote(guest: Guest, keel: Keel) -> None:
    keel.approvals[1]["votesRequired"] = 2
    approvals.answer(guest, "web/db", True)
    assert "web/db: 1 -> 17.0, 1 of 2 votes, asked until" in str(approvals.pending(guest)[1])


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("web/bd", f"k3s1: no update waits for web/bd: did you mean web/db? waiting: {WEB}, {DB}"),
        ("x", f"k3s1: no update waits for x: waiting: {WEB}, {DB}"),
    ],
)
def test_a_name_that_nothing_waits_for(guest: Guest, keel: Keel, name: str, shown: str) -> None:
    with pytest.raises(LabError) as caught:
        approvals.answer(guest, name, True)
    assert str(caught.value) == shown
    assert caught.value.code is Code.WRONG_OPTION and keel.votes == []


@pytest.mark.parametrize("approve", [True, False])
def test_an_answer_that_changes_nothing_is_an_error(guest: Guest, keel: Keel, approve: bool) -> None:
    keel.deaf = True
    with pytest.raises(LabError, match=f"k3s1: Keel took the answer for {DB}, and asks all the same") as caught:
        approvals.answer(guest, "web/db", approve)
    assert caught.value.code is Code.CHANGE_NOT_MADE


def test_two_that_wait_under_one_name_are_told_apart_by_their_identifiers(guest: Guest, keel: Keel) -> None:
    keel.approvals.append(asked("statefulset/web/db:18"))
    with pytest.raises(LabError, match="k3s1: more than one update waits for db"):
        approvals.answer(guest, "db", True)
    assert approvals.answer(guest, DB, True).new == "17.0"


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ("no-service", "it has no Service: its chart is not there yet"),
        ("no-password", "its password is not there: zerotoil apply"),
        ("wrong-password", "401"),
        ("gone", "Failed to connect"),
    ],
)
def test_keel_that_does_not_answer(guest: Guest, keel: Keel, tmp_path: Path, trouble: str, words: str) -> None:
    if trouble == "no-service":
        (tmp_path / "no-service").touch()
    elif trouble == "no-password":
        login(tmp_path, "basicauth: {}\n")
    elif trouble == "wrong-password":
        login(tmp_path, "basicauth:\n  password: other\n")
    else:
        (tmp_path / "service").write_text('{"spec": {"clusterIP": "127.0.0.1", "ports": [{"port": 1}]}}')
    with pytest.raises(LabError, match=r"k3s1: Keel does not answer \(.*") as caught:
        approvals.pending(guest)
    assert words in str(caught.value) and caught.value.code is Code.KEEL_SILENT
    assert PASSWORD not in str(caught.value)
