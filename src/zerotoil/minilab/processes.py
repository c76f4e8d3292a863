"""Which process is it: read-only questions to /proc.

A pid alone proves nothing (pids are reused, and a chroot shares /proc with its host), so a process is compared by its
command line and by the root folder that it sees.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

LISTEN = "0A"  # state column of /proc/net/tcp


def cmdline(pid: int) -> list[str]:
    """The process's argv; empty when it is gone, a zombie or a kernel thread."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return []
    return raw.decode(errors="replace").rstrip("\0").split("\0") if raw else []


def same_root(pid: int) -> bool:
    """Whether the process sees the same root folder as this one (not so across a chroot)."""
    try:
        return Path(f"/proc/{pid}/root").samefile("/")
    except OSError:
        return False


def is_running(pid: int, argv: list[str]) -> bool:
    """Whether `pid` is alive, runs exactly `argv` and sees our root folder."""
    return bool(argv) and cmdline(pid) == argv and same_root(pid)


def pids() -> Iterator[int]:
    """All process ids at this moment, parents mostly before their children."""
    return iter(sorted(int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()))


def find(argv: list[str]) -> int | None:
    """The process that runs exactly `argv` below our root folder."""
    return next((pid for pid in pids() if is_running(pid, argv)), None)


def listeners(port: int, address: str) -> list[int]:
    """Pids that listen on TCP `port` in a way that keeps others from `address` (the address itself, or all of them)."""
    inodes = set(_listening_inodes("/proc/net/tcp", port, {_hex4(address), _hex4("0.0.0.0")}))
    inodes |= set(_listening_inodes("/proc/net/tcp6", port, {"0" * 32}))
    return [pid for pid in pids() if inodes and inodes & _socket_inodes(pid)]


def describe(pid: int) -> str:
    """The process as people would look for it: name and pid."""
    argv = cmdline(pid)
    return f"{Path(argv[0]).name if argv else 'a process that has just ended'} (pid {pid})"


def _hex4(address: str) -> str:
    return socket.inet_aton(address)[::-1].hex().upper()


def _listening_inodes(table: str, port: int, addresses: set[str]) -> Iterator[str]:
    try:
        rows = Path(table).read_text().splitlines()[1:]
    except OSError:
        return
    for row in rows:
        column = row.split()
        address, _, hex_port = column[1].partition(":")
        if column[3] == LISTEN and int(hex_port, 16) == port and address in addresses:
            yield column[9]


def _socket_inodes(pid: int) -> set[str]:
    found = set()
    try:
        for handle in Path(f"/proc/{pid}/fd").iterdir():
            target = str(handle.readlink())
            if target.startswith("socket:["):
                found.add(target[8:-1])
    except OSError:
        pass  # the process has ended meanwhile
    return found
