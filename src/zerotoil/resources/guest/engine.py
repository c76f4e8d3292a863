"""The container engine: docker.service enabled and running.

CoreOS enables only docker.socket: containers with `restart: always` then stay down after a reboot until somebody
touches the socket (fedora-coreos docs, faq).
"""

from __future__ import annotations

from dataclasses import dataclass

from zerotoil.resources.guest.guest import Guest
from zerotoil.resources.resource import Change, must_match, updated

_WANT = {"enabled": "enabled", "state": "active"}


@dataclass(frozen=True)
class DockerService:
    """docker.service of one guest."""

    guest: Guest

    @property
    def key(self) -> str:
        """The natural key in words."""
        return "docker.service"

    def plan(self) -> list[Change]:
        """The changes that are needed now."""
        unit = self.guest.facts()["units"].get("docker.service", {})
        return updated(self.key, _WANT, {"enabled": unit.get("enabled", ""), "state": unit.get("active", "")})

    def apply(self) -> list[Change]:
        """Enable and start the service."""
        changes = self.plan()
        if changes:
            self.guest.write("set -eu\nsystemctl enable --now docker.service >&2\n")
            must_match(self.key, self.plan())
        return changes
