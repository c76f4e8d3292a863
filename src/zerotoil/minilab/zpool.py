"""The NAS's ZFS pool: real ZFS on one sparse file, by the kernel module where it is loaded, else by zfs-fuse.

The pool is kept out of the system's cache file, so nothing imports it at boot: `up` imports it, `down` exports it.
Only an empty (never used) file is ever made into a pool.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.minilab import daemons, layout, state
from zerotoil.minilab.commands import run, succeeds
from zerotoil.minilab.daemons import Daemon


def zfs_answers() -> bool:
    """Whether a ZFS (kernel module or a running zfs-fuse) answers."""
    return succeeds("zpool", "list", timeout=20)


ZFS_FUSE = Daemon(
    "zfs-fuse",
    ["zfs-fuse", "--no-daemon", "--no-kstat-mount", "--pidfile", str(layout.RUN / "zfs-fuse.pid")],
    zfs_answers,
    stop_deadline=30,
)


def up() -> str:
    """Have the pool imported; create it only when its file holds nothing yet."""
    ours = daemons.pid_of(ZFS_FUSE) is not None
    server = "the system's ZFS runs" if not ours and zfs_answers() else f"zfs-fuse {_start_zfs_fuse()}"
    if is_up():
        return f"{server}, pool already imported"
    refuse_foreign_pool()
    if _was_ever_written():
        run("zpool", "import", "-d", str(layout.ZPOOL_FILE.parent), "-o", "cachefile=none", layout.ZPOOL, timeout=60)
        return f"{server}, pool imported"
    _create()
    return f"{server}, pool made"


def is_up() -> bool:
    """Whether the pool of this lab's file is imported and its root is mounted."""
    return _holds_our_file() and succeeds("mountpoint", "-q", str(layout.ZPOOL_MOUNT))


def down() -> str:
    """Export the pool; stop zfs-fuse if it is ours. Data stays in the file."""
    what = "was not imported"
    if zfs_answers() and _holds_our_file():
        if not succeeds("zpool", "export", layout.ZPOOL, timeout=60):
            run("zpool", "export", "-f", layout.ZPOOL, timeout=60)
        what = "exported"
    _unmount_dead()
    if daemons.pid_of(ZFS_FUSE) is None:
        return what
    others = run("zpool", "list", "-H", "-o", "name").split()
    if others:
        return f"{what}; zfs-fuse left running: pool {others[0]} is not the lab's"
    daemons.stop(ZFS_FUSE)
    return f"{what}, zfs-fuse stopped"


def refuse_foreign_pool() -> None:
    """Raise LabError when a pool of our name is not on our file."""
    if not _holds_our_file() and layout.ZPOOL in run("zpool", "list", "-H", "-o", "name").split():
        raise LabError(
            f"a ZFS pool named {layout.ZPOOL} exists and is not on {layout.ZPOOL_FILE}",
            "export or rename it, then repeat",
            code=Code.LAB_STATE,
        )


def _holds_our_file() -> bool:
    try:
        return str(layout.ZPOOL_FILE) in run("zpool", "status", layout.ZPOOL, timeout=20).split()
    except LabError:
        return False


def _was_ever_written() -> bool:
    """False for a file that is missing or all holes: only such a one may become a new pool."""
    return layout.ZPOOL_FILE.exists() and layout.ZPOOL_FILE.stat().st_blocks > 0


def _start_zfs_fuse() -> str:
    if not Path("/dev/fuse").exists():
        raise LabError("/dev/fuse is missing", "load it: modprobe fuse", code=Code.LAB_PART_MISSING)
    _unmount_dead()
    return daemons.start(ZFS_FUSE)


def _unmount_dead() -> None:
    """Take away what a killed zfs-fuse left mounted. A mount that answers is never touched."""
    for mount in state.mounts_below(layout.ZPOOL_MOUNT):
        try:
            os.statvfs(mount)  # a stat may be answered from the kernel's cache
        except OSError as error:
            if error.errno != errno.ENOTCONN:
                raise
            run("umount", "-l", mount)


def _create() -> None:
    with layout.ZPOOL_FILE.open("ab") as file:
        file.truncate(layout.ZPOOL_BYTES)
    options = ("-o", "cachefile=none", "-O", "atime=off", "-m", str(layout.ZPOOL_MOUNT))
    run("zpool", "create", *options, layout.ZPOOL, str(layout.ZPOOL_FILE), timeout=60)
