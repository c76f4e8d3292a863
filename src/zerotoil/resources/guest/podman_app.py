"""One app of a guest whose containers podman runs: quadlets, their services and containers.

The quadlets are among zerotoil's own files; here they are installed, started, and compared with what runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.places import app_folder
from zerotoil.render.quadlet.held import held
from zerotoil.resources.guest import bring_up, files
from zerotoil.resources.guest.guest import Guest
from zerotoil.resources.guest.podman import SCRIPT
from zerotoil.resources.guest.podman_drift import Seen, drift, left_over
from zerotoil.resources.guest.wait import until_up
from zerotoil.resources.resource import Change, must_match

_PROJECT = "com.docker.compose.project"


@dataclass(frozen=True)
class PodmanApp:
    """An app that the host runs. `quadlets`: file name -> text, as declared; services that are held back differ from it."""

    guest: Guest
    name: str
    quadlets: Mapping[str, str]
    owner: str

    @property
    def key(self) -> str:
        """The natural key in words."""
        return f"app {self.name}"

    def plan(self) -> list[Change]:
        """The changes that are needed now. Raises LabError where Docker still runs the app: both would publish its ports."""
        facts = self.guest.facts()
        if any((item["Config"].get("Labels") or {}).get(_PROJECT) == self.name for item in facts["containers"]):
            raise LabError(
                f"{self.guest.name}: {self.key} still runs under Docker",
                "take it out of apps, deploy, and then set container_backend; its data stays",
                code=Code.CONTAINER_NOT_OURS,
            )
        pins = files.notes(facts, app_folder(self.name), "pins")
        return drift(self.name, held(self.name, self.quadlets, pins), Seen.of(facts.get("podman") or {}), self.owner)

    def apply(self) -> list[Change]:
        """Install its quadlets and start what is not as they say."""
        changes = self.plan()
        if changes:
            unit = bring_up.unit("podman", self.name)
            self.guest.write("set -eu\n" + bring_up.script("podman", self.name))
            until_up(self.guest, self.key, unit)
            self.guest.write(f"systemctl stop {unit}\n")
            must_match(self.key, self.plan())
        return changes


@dataclass(frozen=True)
class GonePodmanApps:
    """Apps that the host runs no more: their containers are stopped and their quadlets taken away, their data is kept."""

    guest: Guest
    declared: Mapping[str, object]
    key: str = "apps that are declared no more"

    def plan(self) -> list[Change]:
        """One change for each that is still installed."""
        return left_over(self.declared, self._seen())

    def apply(self) -> list[Change]:
        """Stop them; nothing in their folders is removed."""
        changes = self.plan()
        if changes:
            gone = [name for name in self._seen().quadlets if name not in self.declared]
            self.guest.write("set -eu\n" + "".join(f"sh {SCRIPT} remove {name} >&2\n" for name in gone))
            must_match(self.key, self.plan())
        return changes

    def _seen(self) -> Seen:
        return Seen.of(self.guest.facts().get("podman") or {})
