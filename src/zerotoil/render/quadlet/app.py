"""What the renderers of one compose app share: its names as Compose would give them, its folder, its declaration. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zerotoil.model.places import app_folder
from zerotoil.render.quadlet.reading import mapping, text, wrong
from zerotoil.render.quadlet.text import Refused


@dataclass(frozen=True)
class App:
    """One app: `compose` has its variables put in; `digests` are the sha256 of the app's files by relative path."""

    name: str
    compose: Mapping[str, Any]
    owner: str
    updates: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """Where the app's files and data are, in the guest."""
        return app_folder(self.name)

    @property
    def services(self) -> dict[str, Service]:
        """The services in the order of the file."""
        return {name: Service(self, name, mapping(spec)) for name, spec in self.section("services").items()}

    def section(self, name: str) -> Mapping[str, Any]:
        """A top-level mapping; empty when the file has none."""
        return mapping(self.compose.get(name))

    def declared(self, section: str, name: str) -> Mapping[str, Any]:
        """One network, volume, secret or config. Raises Refused when the file does not declare it."""
        declared = self.section(section)
        if name not in declared:
            raise wrong(f"{name} is not declared under {section}", f"add it there; declared: {', '.join(declared) or 'none'}")
        return mapping(declared[name])

    def labels(self) -> list[str]:
        """The labels of everything that is ours."""
        return [f"zerotoil.owner={self.owner}", f"zerotoil.app={self.name}"]

    def path(self, written: str) -> str:
        """The absolute path in the guest of a path in the compose file."""
        if written.startswith("~"):
            raise Refused(f"{written} has no meaning in the guest", "write a path in the app's folder, such as ./data")
        if ":" in written:
            raise Refused(f"{written} has a colon, which podman takes for the end of a path", "name it otherwise")
        return posixpath.normpath(posixpath.join(self.folder, written))

    def is_own(self, path: str) -> bool:
        """Is this absolute path in the app's folder?"""
        return path == self.folder or path.startswith(f"{self.folder}/")

    def known(self, path: str) -> dict[str, str]:
        """The digests of the app's files at or under an absolute path."""
        relative = posixpath.relpath(path, self.folder)
        return {
            name: digest
            for name, digest in self.digests.items()
            if name == relative or relative == "." or name.startswith(f"{relative}/")
        }


@dataclass(frozen=True)
class Service:
    """One service of an app."""

    app: App
    name: str
    spec: Mapping[str, Any]

    @property
    def unit(self) -> str:
        """The unit's name without its ending."""
        return f"{self.app.name}-{self.name}"

    @property
    def container(self) -> str:
        """The container's name, as Compose would give it."""
        given = self.spec.get("container_name")
        return text(given) if given else f"{self.unit}-1"

    @property
    def policy(self) -> str:
        """The update policy in force: auto, auto+revert, notify or off."""
        return self.app.updates.get(self.name, "off")

    @property
    def network_mode(self) -> str:
        """The network namespace that is not the app's own; empty for the usual case."""
        return text(self.spec.get("network_mode") or "")
