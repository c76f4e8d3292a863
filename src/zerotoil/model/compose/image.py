"""References to images: registry, repository, tag and digest. Pure.

Source: distribution/reference. Docker takes a first part with a dot, a colon or "localhost" for a registry, and anything
else for a name on Docker Hub.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

HUB = "docker.io"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?:(?P<registry>localhost(?::\d+)?|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?::\d+)?|[A-Za-z0-9-]+:\d+|\[[0-9a-fA-F:]+\](?::\d+)?)/)?"
    rf"(?P<repository>{_PART}(?:/{_PART})*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?",
    re.ASCII,
)


@dataclass(frozen=True)
class Reference:
    """An image as written: what is left out is empty."""

    registry: str
    repository: str
    tag: str
    digest: str

    @property
    def full_name(self) -> str:
        """Registry and repository as the registry itself knows them: docker.io/library/postgres."""
        registry = self.registry or HUB
        library = "library/" if registry == HUB and "/" not in self.repository else ""
        return f"{registry}/{library}{self.repository}"

    @property
    def version(self) -> str:
        """Tag and digest as they are written behind the name."""
        return (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def reference(image: str) -> Reference | None:
    """The parts of an image; None for what is no reference."""
    match = _REFERENCE.fullmatch(image)
    return Reference(*(match[name] or "" for name in ("registry", "repository", "tag", "digest"))) if match else None
