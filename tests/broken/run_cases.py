"""`zerotoil check` on many inventories in one process: python run_cases.py FILE... prints {FILE: {"exit": …, "lines": […]}}.

A process of its own, since pyinfra patches the sockets of the one that loads inventories; one for all, since starting
costs a second.
"""

import contextlib
import io
import json
import sys
from pathlib import Path

from zerotoil.cli import main


def check(path: str) -> dict[str, object]:
    """Exit code and lines of one inventory. An unforeseen error is one line, which no case expects."""
    said, code = io.StringIO(), -1
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        try:
            main(["check", path, *options(path)])
        except SystemExit as exit_:
            code = int(exit_.code or 0)
    return {"exit": code, "lines": said.getvalue().splitlines()}


def options(path: str) -> list[str]:
    """`# data: KEY=VALUE` in the file."""
    pairs = [line.removeprefix("# data: ") for line in Path(path).read_text().splitlines() if line.startswith("# data: ")]
    return [word for pair in pairs for word in ("--data", pair)]


if __name__ == "__main__":
    print(json.dumps({path: check(path) for path in sys.argv[1:]}))
