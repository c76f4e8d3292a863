"""A real PostgreSQL as a container image, of Debian's packages: what an update may do to data is tried on it.

Version 1 makes a table `notes` (id, text). Every later version migrates badly at its start: it drops the column `text`.
Data is in /data, which the app mounts. It answers only within its own network, to whoever is in the container.
"""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

from zerotoil.minilab.cache import cached
from zerotoil.minilab.guest import SUITE, mmdebstrap
from zerotoil.minilab.images import CREATED, Image, iso_time

_SECOND = 1_000_000_000  # in nanoseconds, as moby writes durations
# Its compiler of queries is most of it: PostgreSQL does without where that is missing. Perl is for Debian's wrappers.
_UNNEEDED = (
    "var/lib/postgresql/* usr/lib/*/libLLVM* usr/lib/*/libz3* usr/lib/postgresql/*/lib/bitcode usr/lib/postgresql/*/lib/llvmjit*"
    " usr/lib/*/perl usr/lib/*/libperl* usr/share/perl usr/share/i18n usr/lib/*/gconv usr/share/zoneinfo/right"
)
_START = """#!/bin/sh
# Starts PostgreSQL on /data as its own user, and migrates it as VERSION says.
set -eu
bin=$(echo /usr/lib/postgresql/*/bin)
as_postgres() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
install -d -o postgres -g postgres /run/postgresql
install -d -o postgres -g postgres -m 0700 /data/pg
[ -s /data/pg/PG_VERSION ] || as_postgres "$bin/initdb" --pgdata=/data/pg --auth=peer --no-sync >/dev/null
as_postgres sh -s "$bin" "$VERSION" <<'S' &
until "$1/pg_isready" --quiet; do sleep 1; done
psql() { "$bin/psql" --quiet --no-psqlrc "$@"; }
bin=$1
psql --command 'CREATE TABLE IF NOT EXISTS notes (id serial PRIMARY KEY, text text)'
[ "$2" = 1 ] || psql --command 'ALTER TABLE notes DROP COLUMN IF EXISTS text'
S
exec setpriv --reuid=postgres --regid=postgres --clear-groups "$bin/postgres" -D /data/pg -k /run/postgresql
"""


def image(version: str = "1", created: str = CREATED) -> Image:
    """The image; versions differ in their configuration only, so a host that has one fetches no layer of the next."""
    check = ["CMD-SHELL", "setpriv --reuid=postgres --regid=postgres --clear-groups /usr/lib/postgresql/*/bin/pg_isready --quiet"]
    config = {
        "Entrypoint": ["/bin/sh", "/start.sh"],
        "Env": ["PATH=/usr/bin:/bin:/usr/sbin:/sbin", f"VERSION={version}"],
        "Healthcheck": {"Test": check, "Interval": 5 * _SECOND, "Timeout": 5 * _SECOND, "Retries": 24},
        "Labels": {"org.opencontainers.image.title": "zerotoil lab PostgreSQL", "org.opencontainers.image.version": version},
        "StopSignal": "SIGINT",
    }
    return Image({"start.sh": _START.encode()}, config, iso_time(created), below=_layer())


def _layer() -> Path:
    """The gzipped tar of Debian with PostgreSQL, built in about a minute when not cached."""
    return cached("postgres", [SUITE.encode(), _UNNEEDED.encode()], _build, suffix=".tar.gz")


def _build(target: Path) -> None:
    work = target.with_name(f"{target.name}.work")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    try:
        tar = work / "layer.tar"
        mmdebstrap(["postgresql"], tar, work / "apt.conf", f'cd "$1" && rm -rf {_UNNEEDED} && cd -', form="tar")
        with tar.open("rb") as plain, target.open("wb") as file, gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
            shutil.copyfileobj(plain, packed)
    finally:
        shutil.rmtree(work, ignore_errors=True)
