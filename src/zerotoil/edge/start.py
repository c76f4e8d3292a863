"""Loads pyinfra for commands that only read an inventory, in half the time; in a deploy pyinfra loads itself."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from typing import Any


def load_pyinfra() -> None:
    """Load pyinfra's command line. First of all imports: it patches sockets and threads for gevent.

    paramiko loads `invoke`, a fifth of the time, for `Match exec` in ssh_config; these commands connect by OpenSSH.
    """
    sys.modules.setdefault("invoke", None)  # type: ignore[arg-type]
    with entry_points_looked_up_once():
        import pyinfra_cli.inventory  # noqa: F401


@contextmanager
def entry_points_looked_up_once() -> Iterator[None]:
    """Each look-up reads the metadata of every installed package; gevent makes 25 of them, pyinfra two for each host."""
    look_up, everything = metadata.entry_points, metadata.entry_points()
    connectors: Any = sys.modules.get("pyinfra.api.connectors")
    kept = (connectors.entry_points, connectors._load_connector) if connectors else None

    def selected(**chosen: str) -> Any:
        return everything.select(**chosen)

    metadata.entry_points = selected  # type: ignore[assignment]
    if connectors:
        connectors.entry_points, connectors._load_connector = selected, cache(connectors._load_connector)
    try:
        yield
    finally:
        metadata.entry_points = look_up
        if connectors and kept:
            connectors.entry_points, connectors._load_connector = kept
