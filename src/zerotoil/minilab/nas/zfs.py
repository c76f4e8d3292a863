"""A pool of real ZFS. A volume is one dataset that holds one sparse file `volume`.

zfs-fuse aborts at `zfs create -V` (it has no zvols), so volume size and block size live in ZFS user properties, and so do
properties that an old ZFS does not know (`zerotoil.sim:NAME`). Snapshots, clones, holds and user properties are real.
"""

from __future__ import annotations

import errno
import os
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from zerotoil.minilab.nas.storage import Dataset, Pool, Snapshot, StorageError

OWN = "zerotoil.sim:"
VOLSIZE, VOLBLOCKSIZE = OWN + "volsize", OWN + "volblocksize"
NATIVE = {"refreservation", "reservation", "quota", "refquota"}
FILE = "volume"
REASONS = {
    "already exists": errno.EEXIST,
    "does not exist": errno.ENOENT,
    "is busy": errno.EBUSY,
    "has children": errno.ENOTEMPTY,
    "dependent clones": errno.EEXIST,
    "out of space": errno.ENOSPC,
}
Properties = dict[str, tuple[str, str]]  # name -> (value, source)


class ZfsStorage:
    """`pool` must be imported and mounted; the mount point is its own."""

    def __init__(self, pool: str) -> None:
        self._pool = pool

    def pool(self) -> Pool:
        line = _run("zpool", "list", "-H", "-o", "size,alloc,free,guid", self._pool).split()
        size, allocated, free = (_bytes(text) for text in line[:3])
        return Pool(self._pool, line[3], size, allocated, free)

    def datasets(self) -> list[Dataset]:
        return [_dataset(name, found) for name, found in self._all().items() if "@" not in name]

    def snapshots(self) -> list[Snapshot]:
        everything = self._all()
        origins = {name: found["origin"][0] for name, found in everything.items() if "origin" in found}
        snapshots = [
            Snapshot(
                name,
                int(found["createtxg"][0]) if "createtxg" in found else order,
                int(found["creation"][0]),
                int(found["used"][0]),
                int(found["referenced"][0]),
                ("truenas",) if found.get("userrefs", ("0", ""))[0] not in ("0", "-") else (),
                tuple(clone for clone, origin in origins.items() if origin == name),
                {key: value for key, (value, source) in found.items() if ":" in key and source == "local"},
            )
            for order, (name, found) in enumerate(everything.items())
            if "@" in name
        ]
        return sorted(snapshots, key=lambda s: (s.createtxg, s.creation))

    def create(self, name: str, properties: dict[str, str], volsize: int = 0, volblocksize: int = 0) -> None:
        own = {VOLSIZE: str(volsize), VOLBLOCKSIZE: str(volblocksize)} if volsize else {}
        _zfs("create", *_options({**_named(properties), **own}), name)
        if volsize:
            with self._file(name).open("xb") as file:
                file.truncate(volsize)  # of the new, empty file
                os.fsync(file.fileno())

    def set(self, name: str, properties: dict[str, str | None]) -> None:
        for key, value in properties.items():
            stored = _stored(key)
            if value is not None:
                _zfs("set", f"{stored}={value}", name)
            elif stored in NATIVE:
                _zfs("set", f"{stored}=none", name)
            else:
                _zfs("inherit", stored, name)

    def grow(self, name: str, volsize: int) -> None:
        file = self._file(name)
        if volsize < file.stat().st_size:
            raise StorageError("shrinking is refused", errno.EINVAL)
        os.truncate(file, volsize)
        _zfs("set", f"{VOLSIZE}={volsize}", name)

    def destroy(self, name: str) -> None:
        for wait in (0.1, 0.3, 0.6, 1.0):  # FUSE releases a closed file a moment later
            try:
                _zfs("destroy", name)
                return
            except StorageError as error:
                if error.errno != errno.EBUSY:
                    raise
            time.sleep(wait)
        _zfs("destroy", name)

    def rename(self, name: str, new: str) -> None:
        _zfs("rename", name, new)

    def promote(self, name: str) -> None:
        _zfs("promote", name)

    def snapshot(self, names: list[str], properties: dict[str, str]) -> None:
        """What an initiator was told is written is in the page cache: flush it first."""
        for name in names:
            file = self._file(name.partition("@")[0])
            if file.exists():
                with file.open("rb") as handle:
                    os.fsync(handle.fileno())
        for name in names:
            _zfs("snapshot", *_options(_named(properties)), name)

    def destroy_snapshot(self, name: str, defer: bool = False) -> None:
        _zfs("destroy", *(["-d"] if defer else []), name)

    def clone(self, snapshot: str, target: str, properties: dict[str, str]) -> None:
        source = self._all().get(snapshot.partition("@")[0], {})
        _zfs("clone", *_options(_named(properties)), snapshot, target)
        if VOLSIZE in source:
            _zfs("set", f"{VOLSIZE}={self._file(target).stat().st_size}", target)  # as it was at the snapshot
            _zfs("set", f"{VOLBLOCKSIZE}={source[VOLBLOCKSIZE][0]}", target)

    def rollback(self, snapshot: str) -> None:
        raise StorageError("rollback is not played on real data", errno.EOPNOTSUPP)

    def hold(self, snapshot: str) -> None:
        _zfs("hold", "truenas", snapshot)

    def release(self, snapshot: str) -> None:
        _zfs("release", "truenas", snapshot)

    def device(self, name: str) -> Path | None:
        file = self._file(name)
        if not file.exists():
            raise StorageError(f"{name} has no volume file", errno.ENOENT)
        return file

    def _file(self, name: str) -> Path:
        return Path(_zfs("get", "-H", "-o", "value", "mountpoint", name).strip()) / FILE

    def _all(self) -> dict[str, Properties]:
        """Every dataset and snapshot with all its properties."""
        found: dict[str, Properties] = {}
        for line in _zfs("get", "-r", "-H", "-p", "-o", "name,property,value,source", "all", self._pool).splitlines():
            name, key, value, source = line.split("\t")
            found.setdefault(name, {})[key] = (value, source)
        return found


def _dataset(name: str, found: Properties) -> Dataset:
    def number(key: str) -> int:
        text = found.get(key, ("0", ""))[0]
        return int(text) if text.isdigit() else 0

    local = {
        key.removeprefix(OWN): value
        for key, (value, source) in found.items()
        if source == "local" and key not in (VOLSIZE, VOLBLOCKSIZE)
        if ":" in key or (key in NATIVE and value not in ("0", "none"))
    }
    size = number(VOLSIZE) if found.get(VOLSIZE, ("", ""))[1] == "local" else 0
    origin = found.get("origin", ("-", ""))[0]
    return Dataset(
        name,
        size,
        number(VOLBLOCKSIZE) if size else 0,
        local,
        "" if origin == "-" else origin,
        number("creation"),
        number("available"),
        number("used"),
        number("usedbysnapshots"),
        "" if size else found.get("mountpoint", ("", ""))[0],
    )


def _stored(name: str) -> str:
    return name if name in NATIVE or ":" in name else OWN + name


def _named(properties: dict[str, str]) -> dict[str, str]:
    return {_stored(key): value for key, value in properties.items()}


def _options(properties: dict[str, str]) -> Iterable[str]:
    return [word for key, value in properties.items() for word in ("-o", f"{key}={value}")]


def _bytes(text: str) -> int:
    units = {"K": 10, "M": 20, "G": 30, "T": 40, "P": 50}
    return int(float(text[:-1]) * (1 << units[text[-1]])) if text[-1] in units else int(float(text))


def _zfs(*words: str) -> str:
    return _run("zfs", *words)


def _run(*words: str) -> str:
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    except subprocess.TimeoutExpired as error:
        raise StorageError(f"{' '.join(words[:2])} took too long", errno.ETIMEDOUT) from error
    if done.returncode:
        reason = done.stderr.strip()
        raise StorageError(reason, next((n for text, n in REASONS.items() if text in reason), errno.EFAULT))
    return done.stdout
