"""Which API versions we know, and where they differ. Source: truenas/middleware, api versions and their models."""

from __future__ import annotations

import re
from dataclasses import dataclass

KNOWN = (
    "v25.04.0", "v25.04.1", "v25.04.2", "v25.10.0", "v25.10.1", "v25.10.2", "v25.10.3", "v25.10.4", "v25.10.5", "v26.0.0",
)  # fmt: skip
LEGACY = "v24.10"


@dataclass(frozen=True)
class Capabilities:
    """What a version of the API does differently."""

    version: str

    @property
    def number(self) -> tuple[int, ...]:
        """ "v25.10.5" -> (25, 10, 5)."""
        return tuple(int(part) for part in self.version.removeprefix("v").split("."))

    @property
    def has_service_control(self) -> bool:
        """`service.control` (a job) replaces service.start/stop/restart; both exist in 25.10, only the new one in 26."""
        return self.number >= (25, 10)

    @property
    def alert_type_in_attributes(self) -> bool:
        """An alert service's type moved from beside its attributes into them."""
        return self.number >= (25, 10)

    @property
    def snapshots(self) -> str:
        """Namespace of the snapshot methods."""
        return "pool.snapshot" if self.number >= (25, 10) else "zfs.snapshot"


def newest_common(offered: list[str]) -> str | None:
    """The newest version that both sides know."""
    both = [version for version in KNOWN if version in offered]
    return both[-1] if both else None


def looks_like_versions(answer: object) -> bool:
    """Is this the list that GET /api/versions gives?"""
    return (
        isinstance(answer, list)
        and bool(answer)
        and all(isinstance(item, str) and re.fullmatch(r"v\d+(\.\d+)+", item) for item in answer)
    )
