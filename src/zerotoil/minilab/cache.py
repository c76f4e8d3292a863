"""Content-addressed build cache: a thing is built once for its inputs, and never seen half built.

The key is the SHA-256 of the inputs. A build writes to a temporary path beside its final one and is renamed when it
is complete; a lock per key keeps two processes from building the same thing twice. A killed build leaves only a
temporary path, which the next build of the same key removes.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from zerotoil.minilab import layout


def cached(name: str, inputs: Iterable[bytes | Path], build: Callable[[Path], None], suffix: str = "") -> Path:
    """The file or folder that `build(path)` makes, from the cache if these inputs were built before.

    An input that is a Path stands for its content (a folder: every file's relative name, mode bits and content).
    Whatever `build` raises passes through and nothing is kept.
    """
    final = layout.CACHE / f"{name}-{key(inputs)[:20]}{suffix}"
    if final.exists():
        return final
    with _locked(final.with_name(f".{final.name}.lock")):
        if final.exists():
            return final
        unfinished = final.with_name(f".unfinished-{final.name}")
        _remove(unfinished)
        try:
            build(unfinished)
            unfinished.rename(final)
        finally:
            _remove(unfinished)
    return final


def key(inputs: Iterable[bytes | Path]) -> str:
    """Hex SHA-256 of the inputs; each is framed by its length, so that their borders count."""
    digest = hashlib.sha256()
    for item in inputs:
        for part in [item] if isinstance(item, bytes) else _content(item):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _content(path: Path) -> Iterator[bytes]:
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file() and p.suffix != ".pyc")
    if not files:
        raise FileNotFoundError(path)
    for file in files:
        executable = bool(file.stat().st_mode & 0o100)
        yield f"{file.relative_to(path)}{'*' if executable else ''}".encode()
        yield file.read_bytes()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # given back by the kernel when this process dies
        yield


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif os.path.lexists(path):
        path.unlink()
