"""Runs the system's own commands, each with a deadline; a failure becomes one line for people."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from zerotoil.error_codes import Code
from zerotoil.errors import LabError


def run(*argv: str, timeout: float = 30, accept: Sequence[int] = (0,)) -> str:
    """Standard output of the command. Raises LabError when it is missing, too slow or exits otherwise than `accept`."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL, check=False)
    except FileNotFoundError as error:
        raise LabError(f"{argv[0]} is not installed", "run `make setup`", code=Code.LAB_PART_MISSING) from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"`{' '.join(argv)}` did not end within {timeout:g} s", code=Code.LAB_STEP_FAILED) from error
    if done.returncode not in accept:
        raise LabError(
            f"`{' '.join(argv)}` failed",
            last_line(done.stderr or done.stdout) or f"exit {done.returncode}",
            code=Code.LAB_STEP_FAILED,
        )
    return done.stdout


def succeeds(*argv: str, timeout: float = 30) -> bool:
    """Whether the command exists and exits 0 in time."""
    try:
        run(*argv, timeout=timeout)
    except LabError:
        return False
    return True


def last_line(text: str) -> str:
    """The last line that says something."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
