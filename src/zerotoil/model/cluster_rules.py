"""What is declared of a cluster counts where its first server is; said elsewhere it would mean nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from zerotoil.error_codes import Code
from zerotoil.model.k3s_cluster import clusters
from zerotoil.model.secret import Secret
from zerotoil.model.spec import HostSpec

_SECTIONS = ("cluster", "upgrades", "keel", "tailscale")


def said_elsewhere(specs: Mapping[str, HostSpec]) -> Iterator[tuple[str, str, str, Code]]:
    """(host, key, what is wrong, its code) for what another node declares otherwise than the first server."""
    for host, cluster in clusters(specs).items():
        for section in _SECTIONS if host != cluster.first else ():
            mine, first = getattr(specs[host], section), getattr(specs[cluster.first], section)
            for field in mine.model_fields_set:
                if _said(getattr(mine, field)) != _said(getattr(first, field)):
                    what = f"{cluster.name} goes by what its first server, {cluster.first}, declares"
                    yield host, f"{section}_{field}", f"{what}; write it there, or for all alike", Code.K3S_CLUSTER


def said_without_k3s(specs: Mapping[str, HostSpec]) -> Iterator[tuple[str, str, str, Code]]:
    """The same for what a host declares that is no node at all."""
    for host, spec in specs.items():
        for section in _SECTIONS if not spec.k3s.role else ():
            mine = getattr(spec, section)
            plain = type(mine)()
            for field in type(mine).model_fields:
                if field in mine.model_fields_set and _said(getattr(mine, field)) != _said(getattr(plain, field)):
                    what = "this host runs no k3s (k3s_role), so it would mean nothing; write it for the servers alone"
                    yield host, f"{section}_{field}", what, Code.K3S_CLUSTER


def _said(value: Any) -> Any:
    """A value as it was written: no secret is read to compare it."""
    if isinstance(value, Secret):
        return value.source or value.literal
    if isinstance(value, BaseModel):
        return {name: _said(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, dict):
        return {key: _said(inner) for key, inner in value.items()}
    return [_said(item) for item in value] if isinstance(value, list) else value
