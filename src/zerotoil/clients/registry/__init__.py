"""Container registries, asked by the OCI distribution protocol. Reads only."""

from __future__ import annotations

from zerotoil.clients.registry.registry import ImageInfo, Registry

__all__ = ["ImageInfo", "Registry"]
