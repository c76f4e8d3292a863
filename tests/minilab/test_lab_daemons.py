"""Daemons of the lab: started once, found again, restarted for new settings, named when they hold our port."""

import json
import os
import socket
import subprocess
import sys

import pytest

from zerotoil.errors import LabError
from zerotoil.minilab import daemons, layout, processes
from zerotoil.minilab.daemons import RESTARTED, RUNNING, STARTED, Daemon

SERVE = "import socket,sys,time; s=socket.create_server(('127.0.0.1',int(sys.argv[1]))); time.sleep(600)"


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@pytest.fixture
def daemon(tmp_path, monkeypatch, port):
    monkeypatch.setattr(layout, "LOG", tmp_path)
    monkeypatch.setattr(layout, "RUN", tmp_path)
    monkeypatch.setattr(layout, "ADDRESS", "127.0.0.1")
    made = Daemon("sleeper", [sys.executable, "-c", SERVE, str(port)], lambda: bool(_listens(port)), port=port)
    yield made
    daemons.stop(made)


def _listens(port: int) -> list[int]:
    return processes.listeners(port, "127.0.0.1")


def test_started_once_and_stopped(daemon):
    assert daemons.start(daemon) == STARTED
    pid = daemons.pid_of(daemon)
    assert daemons.start(daemon) == RUNNING
    assert daemons.pid_of(daemon) == pid
    assert daemons.stop(daemon)
    assert daemons.pid_of(daemon) is None
    assert not daemon.record.exists()


def test_found_without_its_record(daemon):
    daemons.start(daemon)
    pid = daemons.pid_of(daemon)
    daemon.record.unlink()  # as after a kill between start and record
    assert daemons.pid_of(daemon) == pid


def test_new_settings_restart_it(daemon):
    daemons.start(daemon)
    pid = daemons.pid_of(daemon)
    changed = Daemon("sleeper", daemon.argv, daemon.answers, port=daemon.port, settings={"version": 2})
    assert daemons.start(changed) == RESTARTED
    assert daemons.pid_of(changed) != pid


def test_a_recorded_pid_that_runs_something_else_is_left_alone(daemon):
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        daemon.record.write_text(json.dumps({"pid": stranger.pid, "argv": daemon.argv}))
        assert daemons.pid_of(daemon) is None
        assert not daemons.stop(daemon)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_taken_port_names_its_holder(daemon, port):
    with socket.create_server(("0.0.0.0", port)), pytest.raises(LabError, match=rf"port {port} .* \(pid {os.getpid()}\)"):
        daemons.start(daemon)


def test_a_death_shows_the_log(tmp_path, daemon):
    dying = Daemon("dying", [sys.executable, "-c", "print('no such pool'); raise SystemExit(3)"], lambda: False)
    with pytest.raises(LabError, match=r"(?s)ended at once \(exit 3\).*no such pool"):
        daemons.start(dying)
