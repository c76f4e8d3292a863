"""What is left of a data volume that is gone: snapshots below its host's dataset, clones of it, volumes that bear its mark."""

from __future__ import annotations

from collections.abc import Iterator

from zerotoil.clients.truenas import Nas
from zerotoil.resources.nas.clone import origin
from zerotoil.resources.nas.mark import property_of

_SHOWN = 5


def remains(nas: Nas, zvol: str, owner: str) -> str:
    """In words, for an error."""
    found = list(_found(nas, zvol, owner))
    if not found:
        return "no snapshot and no clone of it is left on this NAS"
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return f"there is {', '.join(found[:_SHOWN])}{more}"


def _found(nas: Nas, zvol: str, owner: str) -> Iterator[str]:
    for entry in nas.query("pool.dataset", ["pool", "=", zvol.split("/")[0]]):
        if origin(entry).startswith(f"{zvol}@"):
            yield f"the clone {entry['id']} (of {origin(entry)})"
        elif entry["type"] == "VOLUME" and property_of(entry, "owner") == owner:
            yield f"the volume {entry['id']} with its mark"
    snapshots = [entry["id"] for entry in nas.query(nas.capabilities.snapshots, ["pool", "=", zvol.split("/")[0]])]
    yield from (f"the snapshot {name}" for name in snapshots if name.startswith(f"{zvol.rpartition('/')[0]}/"))
