"""Storage pools and volumes of a hypervisor, by name; no paths, so a remote hypervisor is no different.

A volume that is uploaded counts as finished once its first block is there: `upload` writes everything else first and
the first block last. Wherever an upload is cut off, even by a kill, the next run sees a volume without its header,
and QEMU could not use it either. (libvirt can neither rename a volume nor keep a note with it.)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import libvirt
from lxml import etree

from zerotoil.clients.hypervisor.errors import HypervisorError
from zerotoil.error_codes import Code
from zerotoil.model.units import format_size

if TYPE_CHECKING:
    from zerotoil.clients.hypervisor.connection import Hypervisor

HEADER = 64 * 1024  # the part written last
CHUNK = 4 * 1024**2  # one call of the thread pool
PACKET = 256 * 1024  # one message of libvirt's protocol
FILE_POOLS = ("dir", "fs", "netfs")  # pools whose volumes are files: the only ones anything is ever deleted from
Progress = Callable[[int, int], None]  # bytes done, bytes in all


@dataclass(frozen=True)
class Volume:
    """A volume: sizes in bytes, `backing` is the path of the image below an overlay, `changed` seconds since 1970."""

    name: str
    path: str
    capacity: int
    allocation: int
    format: str
    backing: str
    changed: float


class Storage:
    """Pools and volumes of one hypervisor."""

    def __init__(self, hypervisor: Hypervisor) -> None:
        self.hypervisor = hypervisor

    # --- pools

    def pools(self) -> dict[str, tuple[bool, bool]]:
        """Every pool: name -> (active, autostart)."""

        def read() -> dict[str, tuple[bool, bool]]:
            pools = self.hypervisor.connection.listAllStoragePools(0)
            return {pool.name(): (bool(pool.isActive()), bool(pool.autostart())) for pool in pools}

        return self.hypervisor.cached("pools", lambda: self.hypervisor.run("list storage pools", read))

    def pool_xml(self, pool: str) -> str:
        """The pool's definition."""
        flags = libvirt.VIR_STORAGE_XML_INACTIVE
        read = lambda: str(self._pool(pool).XMLDesc(0 if self.hypervisor.is_test else flags))  # noqa: E731
        return self.hypervisor.cached(("pool", pool), lambda: self.hypervisor.run(f"read pool {pool}", read))

    def define_pool(self, pool: str, xml: str) -> None:
        """Define or redefine a pool. Nothing is built or formatted."""
        flags = 0 if self.hypervisor.is_test else libvirt.VIR_STORAGE_POOL_DEFINE_VALIDATE
        self._write("pool", f"define pool {pool}", lambda: self.hypervisor.connection.storagePoolDefineXML(xml, flags))

    def start_pool(self, pool: str) -> None:
        """Start a pool; for an iscsi pool this is the login. A dead portal takes open-iscsi two minutes to give up on."""
        start = lambda: self._pool(pool).create(0)  # noqa: E731
        self.hypervisor.write("pool", f"start pool {pool}", start, max(150, self.hypervisor.timeout))

    def stop_pool(self, pool: str) -> None:
        """Stop a pool (an iscsi pool logs out)."""
        self._write("pool", f"stop pool {pool}", lambda: self._pool(pool).destroy())

    def forget_iscsi_pool(self, pool: str) -> None:
        """Log out and undefine. Pools of other kinds are refused; on an iscsi pool libvirt cannot delete anything."""
        kind = etree.fromstring(self.pool_xml(pool).encode()).get("type")
        if kind != "iscsi":
            raise HypervisorError(f"pool {pool} is of type {kind}, not iscsi: it stays", code=Code.STORAGE_POOL_KIND)
        if self.pools()[pool][0]:
            self.stop_pool(pool)
        self._write("pool", f"undefine pool {pool}", lambda: self._pool(pool).undefine())

    def autostart_pool(self, pool: str) -> None:
        """Start the pool with the hypervisor: libvirt does so before it starts VMs."""
        self._write("pool", f"autostart of pool {pool}", lambda: self._pool(pool).setAutostart(1))

    # --- volumes

    def names(self, pool: str) -> frozenset[str]:
        """The volumes of a pool, by one query. Raises HypervisorError for a pool that is missing or not started."""
        return self.hypervisor.cached(("volumes", pool), lambda: frozenset(self._list(pool)))

    def _list(self, pool: str) -> list[str]:
        active = self.pools().get(pool)
        if active is None:
            known = ", ".join(sorted(self.pools())) or "none"
            raise HypervisorError(
                f"hypervisor {self.hypervisor.uri} has no storage pool {pool!r} (it has: {known})",
                "name one of these in hypervisor_pool, or create it (virsh pool-define-as, pool-start, pool-autostart)",
                code=Code.NO_STORAGE_POOL,
            )
        if not active[0]:
            raise HypervisorError(
                f"storage pool {pool} is not started",
                f"virsh pool-start {pool}; virsh pool-autostart {pool}",
                code=Code.NO_STORAGE_POOL,
            )
        return self.hypervisor.run(f"list volumes of pool {pool}", lambda: [str(name) for name in self._pool(pool).listVolumes()])

    def volume(self, pool: str, name: str) -> Volume | None:
        """A volume, or None where there is none of that name."""
        if name not in self.names(pool):
            return None
        read = lambda: str(self._volume(pool, name).XMLDesc(0))  # noqa: E731
        return self.hypervisor.cached(
            ("volume", pool, name), lambda: _parse_volume(self.hypervisor.run(f"read volume {pool}/{name}", read))
        )

    def create(self, pool: str, name: str, xml: str) -> None:
        """Create a volume; refused by libvirt when the name is taken."""
        self._write("volume", f"create volume {pool}/{name}", lambda: self._pool(pool).createXML(xml, 0))

    def delete(self, pool: str, name: str) -> None:
        """Delete a file volume. Pools of other kinds (iscsi, disk, logical, …) are refused: data could live there."""
        kind = etree.fromstring(self.pool_xml(pool).encode()).get("type")
        if kind not in FILE_POOLS:
            raise HypervisorError(
                f"volume {pool}/{name} is not deleted: {pool} is a pool of type {kind}, not of files", code=Code.STORAGE_POOL_KIND
            )
        self._write("delete", f"delete volume {pool}/{name}", lambda: self._volume(pool, name).delete(0))

    def available(self, pool: str) -> int:
        """Free bytes of a pool, looked up afresh where no other job holds the pool."""

        def read() -> int:
            found = self._pool(pool)
            with suppress(libvirt.libvirtError):  # "pool has asynchronous jobs running": the last known figure will do
                found.refresh(0)
            return int(found.info()[3])

        return self.hypervisor.run(f"free space of pool {pool}", read)

    def refresh(self, pool: str) -> None:
        """Let libvirt look at the pool's files again (formats, sizes)."""
        self.available(pool)
        self.hypervisor.forget()

    def read(self, pool: str, name: str, length: int) -> bytes:
        """The first `length` bytes of a volume (fewer when it is smaller)."""
        if self.hypervisor.is_test:
            return b""
        return self.hypervisor.run(f"read volume {pool}/{name}", lambda: b"".join(self._receive(pool, name, length)))

    def _receive(self, pool: str, name: str, length: int) -> Iterator[bytes]:
        stream = self.hypervisor.connection.newStream(0)
        self._volume(pool, name).download(stream, 0, length, 0)
        while data := stream.recv(PACKET):
            yield data
        stream.finish()

    def upload(self, pool: str, name: str, content: Path | bytes, progress: Progress | None = None) -> None:
        """Create raw volume `name` and fill it. Raises HypervisorError when space is short, before anything is made.

        On an error what was made is deleted again; see the module's docstring for a kill.
        """
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        need, free = size if isinstance(content, bytes) else content.stat().st_blocks * 512, self.available(pool)
        if need > free:
            mib = 2**20
            raise HypervisorError(
                f"pool {pool} has {format_size(free // mib * mib)} free, {name} needs {format_size(-(-need // mib) * mib)}",
                "make space on the hypervisor, or name another pool in hypervisor_pool",
                code=Code.STORAGE_POOL_FULL,
            )
        self.create(pool, name, _raw_volume(name, size))
        if self.hypervisor.is_test:  # the pretend driver's volumes have no content
            return
        try:
            self._send(pool, name, content, size, progress)
        except BaseException:
            self.delete(pool, name)
            raise
        self.hypervisor.forget()

    def _send(self, pool: str, name: str, content: Path | bytes, size: int, progress: Progress | None) -> None:
        head = min(HEADER, size)
        if isinstance(content, bytes):
            parts = [(head, content[head:]), (0, content[:head])]
            for offset, part in parts:
                if part:
                    self._upload(pool, name, offset, len(part), iter([part]), lambda _done: None)
            return

        def report(done: int) -> None:
            if progress:
                progress(done, size)

        with content.open("rb", buffering=0) as file:
            if size > head:
                self._upload(pool, name, head, size - head, _pieces(file.fileno(), head, size), report)
            self._upload(pool, name, 0, head, iter([os.pread(file.fileno(), head, 0)]), lambda _done: report(size))

    def _upload(
        self, pool: str, name: str, offset: int, length: int, pieces: Iterator[bytes | int], report: Callable[[int], None]
    ) -> None:
        """Send `pieces` (bytes, or the length of a hole); each call off the event loop, so other hosts go on."""
        doing = f"upload to volume {pool}/{name}"
        stream = self.hypervisor.run(doing, self._start_upload(pool, name, offset, length))
        sent = 0
        try:
            for piece in pieces:
                self.hypervisor.run(doing, partial(_put, stream, piece))
                sent += piece if isinstance(piece, int) else len(piece)
                report(sent)
            self.hypervisor.write("upload", doing, stream.finish, self.hypervisor.timeout * 4)
        except BaseException:
            self.hypervisor.run(doing, lambda: _abort(stream))
            raise

    def _start_upload(self, pool: str, name: str, offset: int, length: int) -> Callable[[], Any]:
        def start() -> Any:
            stream = self.hypervisor.connection.newStream(0)
            self._volume(pool, name).upload(stream, offset, length, libvirt.VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM)
            return stream

        return start

    def _write(self, kind: str, doing: str, fn: Callable[[], Any]) -> None:
        self.hypervisor.write(kind, doing, fn, self.hypervisor.timeout * 4)

    def _pool(self, pool: str) -> Any:
        return self.hypervisor.connection.storagePoolLookupByName(pool)

    def _volume(self, pool: str, name: str) -> Any:
        return self._pool(pool).storageVolLookupByName(name)


def _pieces(file: int, start: int, end: int) -> Iterator[bytes | int]:
    """The file's content from `start` to `end`, its holes as numbers."""
    position = start
    while position < end:
        try:
            data = os.lseek(file, position, os.SEEK_DATA)
        except OSError:  # ENXIO: nothing but a hole is left
            data = end
        if data > position:
            yield min(data, end) - position
        position = min(data, end)
        hole = min(os.lseek(file, position, os.SEEK_HOLE), end) if position < end else end
        while position < hole:
            piece = os.pread(file, min(CHUNK, hole - position), position)
            yield piece
            position += len(piece)


def _put(stream: Any, piece: bytes | int) -> None:
    if isinstance(piece, int):
        stream.sendHole(piece, 0)
        return
    view, done = memoryview(piece), 0
    while done < len(view):
        done += stream.send(bytes(view[done : done + PACKET]))


def _abort(stream: Any) -> None:
    with suppress(libvirt.libvirtError):  # it is over either way; the error that led here is the one to show
        stream.abort()


def _raw_volume(name: str, size: int) -> str:
    volume = etree.Element("volume")
    etree.SubElement(volume, "name").text = name
    etree.SubElement(volume, "capacity", unit="bytes").text = str(size)
    etree.SubElement(volume, "allocation", unit="bytes").text = "0"
    target = etree.SubElement(volume, "target")
    etree.SubElement(target, "format", type="raw")
    return etree.tostring(volume, encoding="unicode")


def _parse_volume(xml: str) -> Volume:
    root = etree.fromstring(xml.encode())
    form = root.find("target/format")
    return Volume(
        name=root.findtext("name", ""),
        path=root.findtext("target/path", ""),
        capacity=int(root.findtext("capacity", "0")),
        allocation=int(root.findtext("allocation", "0")),
        format=form.get("type", "") if form is not None else "",
        backing=root.findtext("backingStore/path", ""),
        changed=float(root.findtext("target/timestamps/mtime", "0")),
    )
