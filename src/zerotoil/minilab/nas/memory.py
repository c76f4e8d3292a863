"""A pool that exists only in memory: for tests. Follows ZFS's rules on clones, holds and promotion."""

from __future__ import annotations

import errno
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from zerotoil.minilab.nas.storage import Dataset, Pool, Snapshot, StorageError


@dataclass
class _Snapshot:
    """A snapshot with what rollback and clone need to bring back."""

    txg: int
    creation: int
    volsize: int
    volblocksize: int
    content: str
    local: dict[str, str]
    holds: set[str] = field(default_factory=set)
    deferred: bool = False


class MemoryStorage:
    """`pool` is the pool's name, `size` its bytes. `write`/`read` stand for the data of a volume."""

    def __init__(self, pool: str = "tank", size: int = 1 << 40) -> None:
        self._size = size
        self._name = pool
        self._datasets: dict[str, Dataset] = {pool: Dataset(pool, creation=_now(), mountpoint=f"/mnt/{pool}")}
        self._snapshots: dict[str, _Snapshot] = {}
        self._content: dict[str, str] = {}
        self._txg = 100

    def write(self, name: str, content: str) -> None:
        """Let a volume hold this text."""
        self._content[self._get(name).name] = content

    def read(self, name: str) -> str:
        """What a volume holds now."""
        return self._content.get(self._get(name).name, "")

    def pool(self) -> Pool:
        used = self._reserved()
        return Pool(self._name, "1234567890123456789", self._size, used, self._size - used)

    def datasets(self) -> list[Dataset]:
        free = self._size - self._reserved()
        own = {n: int(d.local.get("refreservation", 0)) for n, d in self._datasets.items()}
        used = dict.fromkeys(own, 0)
        for name, reserved in own.items():
            while name:
                used[name] = used.get(name, 0) + reserved
                name = name.rpartition("/")[0]
        return [replace(d, available=free + own[n], used=used[n]) for n, d in sorted(self._datasets.items())]

    def snapshots(self) -> list[Snapshot]:
        return [
            Snapshot(name, s.txg, s.creation, holds=tuple(s.holds), clones=self._clones(name), local=dict(s.local))
            for name, s in sorted(self._snapshots.items(), key=lambda item: item[1].txg)
        ]

    def create(self, name: str, properties: dict[str, str], volsize: int = 0, volblocksize: int = 0) -> None:
        self._absent(name)
        mountpoint = "" if volsize else f"/mnt/{name}"
        self._datasets[name] = Dataset(name, volsize, volblocksize, dict(properties), "", _now(), mountpoint=mountpoint)

    def set(self, name: str, properties: dict[str, str | None]) -> None:
        local = self._snapshot(name).local if "@" in name else self._get(name).local
        for key, value in properties.items():
            if value is None:
                local.pop(key, None)
            else:
                local[key] = value

    def grow(self, name: str, volsize: int) -> None:
        dataset = self._get(name)
        if volsize < dataset.volsize:
            raise StorageError("shrinking is refused", errno.EINVAL)
        self._datasets[name] = replace(dataset, volsize=volsize)

    def destroy(self, name: str) -> None:
        self._get(name)
        inside = [n for n in (*self._datasets, *self._snapshots) if n.startswith((name + "/", name + "@"))]
        if inside:
            raise StorageError(f"cannot destroy '{name}': it has {', '.join(inside)}", errno.ENOTEMPTY)
        origin = self._datasets.pop(name).origin
        self._content.pop(name, None)
        if origin and self._snapshots[origin].deferred:
            self._reap(origin)

    def rename(self, name: str, new: str) -> None:
        self._get(name)
        self._absent(new)

        def moved(old: str) -> str:
            return new + old[len(name) :] if old == name or old.startswith((name + "/", name + "@")) else old

        self._datasets = {
            moved(n): replace(d, name=moved(n), origin=moved(d.origin), mountpoint=d.mountpoint.replace(name, new, 1))
            for n, d in self._datasets.items()
        }
        self._snapshots = {moved(n): s for n, s in self._snapshots.items()}
        self._content = {moved(n): c for n, c in self._content.items()}

    def promote(self, name: str) -> None:
        clone = self._get(name)
        if not clone.origin:
            raise StorageError(f"cannot promote '{name}': not a cloned filesystem", errno.EINVAL)
        parent = clone.origin.partition("@")[0]
        limit = self._snapshots[clone.origin].txg
        moving = [n for n, s in self._snapshots.items() if n.startswith(parent + "@") and s.txg <= limit]
        renamed = {n: f"{name}@{n.partition('@')[2]}" for n in moving}
        if clash := sorted(set(renamed.values()) & set(self._snapshots)):
            raise StorageError(f"cannot promote '{name}': snapshot {clash[0]} exists", errno.EEXIST)
        self._snapshots = {renamed.get(n, n): s for n, s in self._snapshots.items()}
        newest = renamed[clone.origin]
        older_origin = self._datasets[parent].origin
        self._datasets = {n: replace(d, origin=renamed.get(d.origin, d.origin)) for n, d in self._datasets.items()}
        self._datasets[parent] = replace(self._datasets[parent], origin=newest)
        self._datasets[name] = replace(self._datasets[name], origin=older_origin)

    def snapshot(self, names: list[str], properties: dict[str, str]) -> None:
        for name in names:
            self._get(name.partition("@")[0])
            if name in self._snapshots:
                raise StorageError(f"cannot create snapshot '{name}': dataset already exists", errno.EEXIST)
        self._txg += 10
        for name in names:
            of = self._datasets[name.partition("@")[0]]
            content = self._content.get(of.name, "")
            taken = _Snapshot(self._txg, _now(), of.volsize, of.volblocksize, content, dict(properties))
            self._snapshots[name] = taken

    def destroy_snapshot(self, name: str, defer: bool = False) -> None:
        snapshot = self._snapshot(name)
        if not snapshot.holds and not self._clones(name):
            del self._snapshots[name]
        elif defer:
            snapshot.deferred = True
        elif snapshot.holds:
            raise StorageError(f"cannot destroy snapshot {name}: dataset is busy", errno.EBUSY)
        else:
            raise StorageError(f"cannot destroy snapshot {name}: snapshot has dependent clones", errno.EEXIST)

    def clone(self, snapshot: str, target: str, properties: dict[str, str]) -> None:
        source = self._snapshot(snapshot)
        self._absent(target)
        mountpoint = "" if source.volsize else f"/mnt/{target}"
        self._datasets[target] = Dataset(
            target, source.volsize, source.volblocksize, dict(properties), snapshot, _now(), mountpoint=mountpoint
        )
        self._content[target] = source.content

    def rollback(self, snapshot: str) -> None:
        source = self._snapshot(snapshot)
        name = snapshot.partition("@")[0]
        newer = [n for n, s in self._snapshots.items() if n.startswith(name + "@") and s.txg > source.txg]
        if newer:
            raise StorageError(f"cannot rollback to '{snapshot}': more recent snapshots exist", errno.EEXIST)
        self._datasets[name] = replace(self._datasets[name], volsize=source.volsize)
        self._content[name] = source.content

    def hold(self, snapshot: str) -> None:
        self._snapshot(snapshot).holds.add("truenas")

    def release(self, snapshot: str) -> None:
        self._snapshot(snapshot).holds.discard("truenas")
        if self._snapshots[snapshot].deferred:
            self._reap(snapshot)

    def device(self, name: str) -> Path | None:
        self._get(name)
        return None

    def _get(self, name: str) -> Dataset:
        try:
            return self._datasets[name]
        except KeyError:
            raise StorageError(f"cannot open '{name}': dataset does not exist", errno.ENOENT) from None

    def _snapshot(self, name: str) -> _Snapshot:
        try:
            return self._snapshots[name]
        except KeyError:
            raise StorageError(f"cannot open '{name}': dataset does not exist", errno.ENOENT) from None

    def _absent(self, name: str) -> None:
        if name in self._datasets:
            raise StorageError(f"cannot create '{name}': dataset already exists", errno.EEXIST)
        if name.rpartition("/")[0] not in self._datasets:
            raise StorageError(f"cannot create '{name}': parent does not exist", errno.ENOENT)

    def _clones(self, snapshot: str) -> tuple[str, ...]:
        return tuple(n for n, d in self._datasets.items() if d.origin == snapshot)

    def _reap(self, snapshot: str) -> None:
        if not self._snapshots[snapshot].holds and not self._clones(snapshot):
            del self._snapshots[snapshot]

    def _reserved(self) -> int:
        return sum(int(d.local.get("refreservation", 0)) for d in self._datasets.values())


def _now() -> int:
    return int(time.time())
