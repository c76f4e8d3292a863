"""A real PostgreSQL as a container image, of Debian's packages: what an update may do to data is tried on it.

Version 1 makes a table `notes` (id, text). Every later version migrates badly at its start: it drops the column `text`.
Data is in /data, which the app mounts. It answers only at a socket in its container.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

from zerotoil.minilab.cache import cached
from zerotoil.minilab.commands import run
from zerotoil.minilab.guest import SUITE, mmdebstrap
from zerotoil.minilab.images import CREATED, Image, iso_time

_SECOND = 1_000_000_000  # in nanoseconds, as moby writes durations
# All that the server, its tools and the start script need; their libraries are asked of ldd. The rest of Debian, and the
# compiler of queries, stay out: an emulated guest unpacks slowly.
_PROGRAMS = ("bin/sh", "bin/sleep", "bin/mkdir", "usr/bin/install", "usr/bin/setpriv", "usr/bin/id")
_SERVER = ("postgres", "initdb", "psql", "pg_isready", "pg_ctl")
_FOLDERS = ("usr/share/postgresql", "usr/share/postgresql-common", "etc/passwd", "etc/group", "etc/nsswitch.conf")
_MODULES = ("dict_snowball.so", "plpgsql.so")
_START = """#!/bin/sh
# Starts PostgreSQL on /data as its own user, and migrates it as VERSION says.
set -eu
bin=$(echo /usr/lib/postgresql/*/bin)
as_postgres() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
install -d -o postgres -g postgres /run/postgresql
install -d -o postgres -g postgres -m 0700 /data/pg
[ -s /data/pg/PG_VERSION ] || as_postgres "$bin/initdb" --pgdata=/data/pg --auth=peer --locale=C --no-sync >/dev/null
as_postgres sh -s "$bin" "$VERSION" <<'S' &
until "$1/pg_isready" --quiet; do sleep 1; done
psql() { "$bin/psql" --quiet --no-psqlrc "$@"; }
bin=$1
psql --command 'CREATE TABLE IF NOT EXISTS notes (id serial PRIMARY KEY, text text)'
[ "$2" = 1 ] || psql --command 'ALTER TABLE notes DROP COLUMN IF EXISTS text'
S
exec setpriv --reuid=postgres --regid=postgres --clear-groups "$bin/postgres" -D /data/pg -k /run/postgresql -h ''
"""


def image(version: str = "1", created: str = CREATED) -> Image:
    """The image; versions differ in their configuration only, so a host that has one fetches no layer of the next."""
    check = ["CMD-SHELL", "setpriv --reuid=postgres --regid=postgres --clear-groups /usr/lib/postgresql/*/bin/pg_isready --quiet"]
    config = {
        "Entrypoint": ["/bin/sh", "/start.sh"],
        "Env": ["PATH=/usr/bin:/bin:/usr/sbin:/sbin", f"VERSION={version}", "PGHOST=/run/postgresql"],
        "Healthcheck": {"Test": check, "Interval": 15 * _SECOND, "Timeout": 10 * _SECOND, "Retries": 12},
        "Labels": {"org.opencontainers.image.title": "zerotoil lab PostgreSQL", "org.opencontainers.image.version": version},
        "StopSignal": "SIGINT",
    }
    return Image({"start.sh": _START.encode()}, config, iso_time(created), below=_layer())


def _layer() -> Path:
    """The gzipped tar of what PostgreSQL needs of Debian, built in about a minute when not cached."""
    parts = (SUITE, *_PROGRAMS, *_SERVER, *_FOLDERS, *_MODULES, "2")
    return cached("postgres", [part.encode() for part in parts], _build, suffix=".tar.gz")


def _build(target: Path) -> None:
    work = target.with_name(f"{target.name}.work")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    try:
        tree = work / "tree"
        mmdebstrap(["postgresql"], tree, work / "apt.conf", "true")
        with (
            target.open("wb") as file,
            gzip.GzipFile("", "wb", 6, file, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar,
        ):
            for path in _wanted(tree):
                tar.add(tree / path, path, recursive=False, filter=_plain)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _wanted(tree: Path) -> list[str]:
    """Paths in the tree, folders before what is in them."""
    (server,) = (tree / "usr/lib/postgresql").iterdir()
    programs = [*_PROGRAMS, *(f"{server.relative_to(tree)}/bin/{name}" for name in _SERVER)]
    modules = [f"{server.relative_to(tree)}/lib/{name}" for name in _MODULES]
    told = run("chroot", str(tree), "ldd", *(f"/{path}" for path in [*programs, *modules]), timeout=60)
    libraries = {match[1] for match in re.finditer(r"(?:=> )?/(\S+) \(0x", told)}
    found = {real for path in (*programs, *modules, *libraries) for real in _real(tree, path)}
    for folder in _FOLDERS:
        found |= {str(path.relative_to(tree)) for path in [tree / folder, *(tree / folder).rglob("*")]}
    found |= {"bin", "lib", "lib64"}  # links into /usr
    found |= {str(parent) for path in found for parent in Path(path).parents if str(parent) != "."}
    return sorted(found)


def _real(tree: Path, path: str) -> Iterator[str]:
    """A file's path without links among its folders, and what it links to, on to the end."""
    place = (tree / path).parent.resolve() / Path(path).name
    yield str(place.relative_to(tree))
    if place.is_symlink():
        to = place.readlink()
        yield from _real(tree, str(to).lstrip("/") if to.is_absolute() else os.path.relpath(place.parent / to, tree))


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Always the same bytes for the same packages."""
    entry.mtime = entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry
