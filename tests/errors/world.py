"""Where a failure is provoked: an empty folder, and pretend servers that are made when they are asked for."""

import re
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import RIGHT
from tests.resources.nas.conftest import connect, simulator
from zerotoil.clients.truenas import Nas
from zerotoil.error_codes import Code
from zerotoil.minilab.nas import Simulator
from zerotoil.model.inventory import Problem, declare

TOOLS = Path(sys.executable).parent


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@dataclass
class World:
    """One per failure."""

    tmp: Path
    patch: pytest.MonkeyPatch
    request: pytest.FixtureRequest
    stack: ExitStack

    def fixture(self, name: str) -> Any:
        return self.request.getfixturevalue(name)

    def sim(self, version: str = "25.10") -> Simulator:
        return self.stack.enter_context(simulator(version))

    def nas(self) -> Nas:
        made = connect(self.sim())
        self.stack.callback(made.close)
        return made

    def file(self, name: str, content: str = "") -> Path:
        path = self.tmp / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return path

    def web(self) -> str:
        """The folder over HTTP."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(self.tmp)))
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        self.stack.callback(server.server_close)
        self.stack.callback(server.shutdown)
        return f"127.0.0.1:{server.server_port}/"

    def said(self, *line: str, folder: Path | None = None) -> list[Code]:
        """The codes in what a command prints, in a process of its own: pyinfra patches the sockets of the one that loads it."""
        done = subprocess.run(
            [str(TOOLS / line[0]), *line[1:]],
            cwd=folder or self.tmp, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 1, done.stdout + done.stderr
        return [Code(code) for code in re.findall(r"\[(ZT\d{3})\]", " ".join((done.stdout + done.stderr).split()))]


Provoke = Callable[[World], Any]  # raises a LabError, or gives a Problem, a code or several


def problem(left_out: str = "", **keys: Any) -> Problem:
    """What is wrong with one host."""
    data = {key: value for key, value in {**RIGHT, **keys}.items() if key != left_out}
    (found,) = declare({"matrix": [("host data", data)]}).problems
    return found


def between(first: dict[str, Any], second: dict[str, Any]) -> Problem:
    """What is wrong with the second of two hosts."""
    (found,) = declare({name: [("host data", {**RIGHT, **keys})] for name, keys in (("one", first), ("two", second))}).problems
    return found
