"""The processes of one control plane: each in its own group, with a log, and none outlives the tests."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

_FOREIGN = ("ETCD_", "KINE_", "KUBE")  # prefixes of variables that would change what is started


class Processes:
    """Starts programs by name and ends them by their process group. A killed test run takes them along (pdeathsig)."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        logs.mkdir(parents=True, exist_ok=True)

    def start(self, name: str, *argv: str | Path) -> None:
        env = {key: value for key, value in os.environ.items() if not key.startswith(_FOREIGN)}
        command = ["setpriv", "--pdeathsig", "KILL", *map(str, argv)]
        with self.log(name).open("ab") as log:
            self.running[name] = subprocess.Popen(
                command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.logs.parent, start_new_session=True
            )

    def stop(self, name: str, seconds: float = 5) -> None:
        """Asks it to end, and ends it when it has not after `seconds`; at once with 0."""
        process = self.running.pop(name)
        for wanted, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, 10.0)):
            if process.poll() is None and patience:
                os.killpg(process.pid, wanted)
                try:
                    process.wait(patience)
                except subprocess.TimeoutExpired:
                    continue

    def stop_all(self) -> None:
        """At once, in the reverse order of their start."""
        for name in reversed(list(self.running)):
            self.stop(name, seconds=0)

    def until(self, answers: Callable[[], bool], what: str, seconds: float = 60) -> None:
        """Waits for it; a process that ends meanwhile, or the deadline, is told with what the logs say last."""
        deadline = time.monotonic() + seconds
        while not answers():
            ended = [name for name, process in self.running.items() if process.poll() is not None]
            if ended or time.monotonic() > deadline:
                tails = "\n".join(self.tail(name) for name in ended or self.running)
                raise RuntimeError(f"{what}: {f'{ended[0]} has ended' if ended else f'not within {seconds:g} s'}\n{tails}")
            time.sleep(0.1)

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def tail(self, name: str) -> str:
        lines = self.log(name).read_text(errors="replace").splitlines()[-8:]
        return "\n".join([f"--- {name}", *lines])
