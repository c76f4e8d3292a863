"""What is declared about a container's updates, what runs, what a registry has, and what follows from it. Plain data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol

from zerotoil.errors import LabError
from zerotoil.model.image import ImageRef


@dataclass(frozen=True)
class Service:
    """What an app declares of one service. `updates`: auto, notify, off or auto+revert; `tags`: a range that may be proposed.

    `keeper` says who keeps the tag where no app does: the key of the inventory.
    """

    app: str
    name: str
    image: str
    updates: str = "auto"
    tags: object = None
    keeper: str = ""


@dataclass(frozen=True)
class Running:
    """A container as images.sh prints it."""

    container: str
    image: str
    app: str = ""
    service: str = ""
    state: str = "running"
    repo_digests: tuple[str, ...] = ()
    created: datetime | None = None
    version: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def digests(self) -> set[str]:
        """The digests that registries gave its image."""
        return {digest.partition("@")[2] for digest in self.repo_digests}


@dataclass(frozen=True)
class Version:
    """One image: `tag` as it is written, `version` as its maker says (empty where it does not), `digest`, when it was built."""

    tag: str
    version: str = ""
    digest: str = ""
    created: datetime | None = None

    def __str__(self) -> str:
        return f"{self.tag} ({self.version})" if self.version and self.version not in (self.tag, f"v{self.tag}") else self.tag


@dataclass(frozen=True)
class Updater:
    """What brings new images to a host: Watchtower, or podman's timer. `label` is what a container must carry to be updated."""

    name: str
    enabled: bool
    off_because: str = ""
    cooldown: timedelta | None = None
    next_run: datetime | None = None
    label: tuple[str, str] | None = None


class Asks(Protocol):
    """A registry, as clients.registry.Registry answers. Each raises LabError."""

    def tags(self, ref: ImageRef) -> list[str]:
        """All tags of the repository."""

    def digest(self, ref: ImageRef) -> str:
        """The digest behind a tag."""

    def image(self, ref: ImageRef) -> Info:
        """What stands behind a tag or digest."""


class Info(Protocol):
    """One image, as a registry describes it."""

    @property
    def digest(self) -> str:
        """Its digest."""

    @property
    def created(self) -> datetime | None:
        """When it was built."""

    @property
    def version(self) -> str:
        """The version its maker says it is."""


@dataclass(frozen=True)
class Update:
    """One container: what runs, the newer image of the same tag, the newest allowed newer tag, and why it is where it is."""

    app: str
    service: str
    container: str
    image: str
    policy: str
    running: Version | None = None
    same_tag: Version | None = None
    newer_tag: Version | None = None
    why: tuple[str, ...] = ()
    problem: LabError | None = None

    @property
    def newest(self) -> Version | None:
        """The newest version that is allowed; None where the running one is."""
        return self.newer_tag or self.same_tag

    @property
    def outdated(self) -> bool:
        """Whether there is something newer."""
        return self.newest is not None


@dataclass(frozen=True)
class HostUpdates:
    """What is outdated on one host. `os` is its OS image; None where it could not be read, or there is no VM."""

    host: str
    os: Update | None = None
    containers: tuple[Update, ...] = ()
    problems: tuple[LabError, ...] = ()

    @property
    def all(self) -> list[Update]:
        """The OS image and the containers."""
        return [*([self.os] if self.os else []), *self.containers]


def exit_code(hosts: Iterable[HostUpdates], others: int = 0) -> Literal[0, 1, 2]:
    """0: nothing is outdated, 2: something is, 1: something could not be read (`others`: problems besides the hosts' own)."""
    found = list(hosts)
    if others or any(host.problems or any(update.problem for update in host.all) for host in found):
        return 1
    return 2 if any(update.outdated for host in found for update in host.all) else 0
