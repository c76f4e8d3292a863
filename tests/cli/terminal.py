"""The `zerotoil` command in a terminal of its own."""

import os
import pty
import select
import subprocess
import sys
from pathlib import Path

RUN = "import sys; from zerotoil.cli import main; main(sys.argv[1:])"


def converse(arguments: list[str], folder: Path, environment: dict[str, str], answers: dict[str, list[str]]) -> tuple[int, str]:
    """Exit code and screen. An answer is typed to each prompt: by the prompt's beginning, else only return."""
    ours, its = pty.openpty()
    line = [sys.executable, "-B", "-c", RUN, *arguments]
    child = subprocess.Popen(line, cwd=folder, env={**os.environ, **environment}, stdin=its, stdout=its, stderr=its)
    os.close(its)
    screen = ""
    while select.select([ours], [], [], 20)[0]:
        try:
            said = os.read(ours, 4096).decode(errors="replace").replace("\r", "")
        except OSError:  # EIO: the child has closed its side
            break
        screen += said
        prompt = screen.rpartition("\n")[2]
        if prompt.endswith(": "):
            typed = next((typed for known, typed in answers.items() if prompt.startswith(known) and typed), [""])
            os.write(ours, f"{typed.pop(0)}\n".encode())
    os.close(ours)
    return child.wait(20), screen
