"""Long-running processes of the lab: started detached, found again, asked whether they answer, stopped.

A daemon's record (STATE/run/NAME.json) holds pid, argv and a fingerprint of what it was started with. A process is ours
only while its command line is the recorded one; one that a killed `up` left without a record is found by its argv.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.minilab import layout, processes

STARTED, RUNNING, RESTARTED = "started", "already running", "restarted"


@dataclass(frozen=True)
class Daemon:
    """One process in the foreground. `answers` must be quick and must not raise."""

    name: str
    argv: list[str]
    answers: Callable[[], bool]
    port: int = 0  # TCP port on layout.ADDRESS that it needs for itself
    settings: dict[str, object] = field(default_factory=dict)  # a change restarts the daemon
    deadline: float = 20  # seconds from start to the first answer
    stop_signal: signal.Signals = signal.SIGTERM
    stop_deadline: float = 10  # seconds from the signal to SIGKILL

    @property
    def log(self) -> Path:
        return layout.LOG / f"{self.name}.log"

    @property
    def record(self) -> Path:
        return layout.RUN / f"{self.name}.json"

    @property
    def fingerprint(self) -> str:
        text = json.dumps([self.argv, self.settings], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


def pid_of(daemon: Daemon) -> int | None:
    """The daemon's process, if it is alive and ours."""
    recorded = _read(daemon)
    if recorded and processes.is_running(recorded["pid"], recorded["argv"]):
        return int(recorded["pid"])
    return processes.find(daemon.argv)


def is_up(daemon: Daemon) -> bool:
    """Alive, ours and answering."""
    return pid_of(daemon) is not None and daemon.answers()


def start(daemon: Daemon) -> str:
    """Bring the daemon up with its present settings; says what happened. Raises LabError with the log's last lines."""
    pid, happened = pid_of(daemon), STARTED
    if pid is not None:
        if (_read(daemon) or {}).get("fingerprint") == daemon.fingerprint and daemon.answers():
            return RUNNING
        stop(daemon)
        happened = RESTARTED
    refuse_taken_port(daemon)
    process = _spawn(daemon)
    wait_until(daemon.answers, daemon.deadline, lambda: process.poll() is None, lambda: _why_not(daemon, process))
    return happened


def stop(daemon: Daemon) -> bool:
    """End the daemon if it is ours; True when there was something to end."""
    pid = pid_of(daemon)
    if pid is not None:
        os.kill(pid, daemon.stop_signal)
        if not _gone(pid, daemon.stop_deadline):
            os.kill(pid, signal.SIGKILL)
            _gone(pid, 5)
    daemon.record.unlink(missing_ok=True)
    return pid is not None


def refuse_taken_port(daemon: Daemon) -> None:
    """Raise LabError that names who holds the daemon's port."""
    holders = processes.listeners(daemon.port, layout.ADDRESS) if daemon.port else []
    if holders:
        who = ", ".join(processes.describe(pid) for pid in holders)
        raise LabError(
            f"port {daemon.port} that the lab's {daemon.name} needs is taken by {who}", "stop it first", code=Code.LAB_STATE
        )


def wait_until(true: Callable[[], bool], seconds: float, alive: Callable[[], bool], why_not: Callable[[], str]) -> None:
    """Poll until `true`; LabError(why_not(), code=Code.LAB_STEP_FAILED) when `alive` ends or the deadline passes."""
    end = time.monotonic() + seconds
    while not true():
        if not alive() or time.monotonic() > end:
            raise LabError(why_not(), code=Code.LAB_STEP_FAILED)
        time.sleep(0.05)


def _spawn(daemon: Daemon) -> subprocess.Popen[bytes]:
    keep = ("PATH", "HOME", "LANG", "PYTHONPATH")
    env = {key: value for key, value in os.environ.items() if key in keep or key.startswith("ZEROTOIL_")}
    with daemon.log.open("ab") as log:
        process = subprocess.Popen(
            daemon.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/", env=env
        )
    record = {"pid": process.pid, "argv": daemon.argv, "fingerprint": daemon.fingerprint}
    draft = daemon.record.with_suffix(".new")
    draft.write_text(json.dumps(record))
    draft.rename(daemon.record)
    return process


def _read(daemon: Daemon) -> dict[str, Any] | None:
    try:
        return json.loads(daemon.record.read_text())  # type: ignore[no-any-return]
    except (OSError, ValueError):
        return None


def _gone(pid: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while processes.cmdline(pid):  # a zombie has no command line: it has ended
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def _why_not(daemon: Daemon, process: subprocess.Popen[bytes]) -> str:
    ended = process.poll()
    what = f"ended at once (exit {ended})" if ended is not None else f"did not answer within {daemon.deadline:g} s"
    lines = daemon.log.read_text(errors="replace").splitlines()[-5:]
    return "\n".join([f"the lab's {daemon.name} {what}; {daemon.log} ends with:", *(f"  {line}" for line in lines)])
