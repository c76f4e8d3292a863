"""What is kept on the controller between runs. All of it can be deleted: it is fetched or made again."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path


def folder(name: str) -> Path:
    """The folder of one kind of thing, below $ZEROTOIL_CACHE or ~/.cache/zerotoil."""
    return Path(os.environ.get("ZEROTOIL_CACHE", "~/.cache/zerotoil")).expanduser() / name


def read(path: Path, seconds: float | None = None) -> str | None:
    """What was kept; None where there is nothing, or nothing younger than `seconds`."""
    try:
        if seconds is not None and time.time() - path.stat().st_mtime > seconds:
            return None
        return path.read_text()
    except OSError:
        return None


def write(path: Path, text: str) -> None:
    """Keep a text, whole or not at all. A cache that cannot be written only costs time."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.write_text(text)
        draft.replace(path)
