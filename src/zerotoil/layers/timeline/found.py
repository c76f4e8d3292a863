"""Events of a host, and entries of its ledger as ledger.sh writes them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from zerotoil.errors import LabError

_STAMP = "%Y-%m-%dT%H-%M-%SZ"


class Kind(StrEnum):
    """What an event is."""

    SNAPSHOT = "snapshot"
    UPDATE = "update"
    SERVICE_ADDED = "service-added"
    SERVICE_REMOVED = "service-removed"
    APP_ADDED = "app-added"
    APP_REMOVED = "app-removed"
    DECLARED = "declared"
    HELD = "held"
    RELEASED = "released"
    OS = "os"
    K3S = "k3s"
    REBOOT = "reboot"
    TOLD = "told"
    SWAPPED = "swapped"
    MIGRATED = "migrated"
    REBUILT = "rebuilt"
    RETURNED = "returned"
    REVERTED = "reverted"
    BEGIN = "begin"


@dataclass(frozen=True)
class State:
    """What was there: an image and its digest, a version and its checksum, a file and its hash."""

    name: str
    digest: str = ""


@dataclass(frozen=True)
class Event:
    """One thing that happened. `after`: it was not so yet then, so it happened between the two; None: exactly at `time`.

    `subject` is the service, the snapshot, the file, or why it went back; `origin` of a snapshot is "schedule" or "other";
    `ledger` is the entry that tells it, or that holds for a snapshot.
    """

    time: datetime
    kind: Kind
    app: str = ""
    subject: str = ""
    old: State | None = None
    new: State | None = None
    after: datetime | None = None
    origin: str = ""
    ledger: str = ""


@dataclass(frozen=True)
class HostTimeline:
    """The story of one host, newest first, and what could not be read of it."""

    host: str
    events: tuple[Event, ...] = ()
    problems: tuple[LabError, ...] = ()

    @property
    def exit_code(self) -> int:
        """Of the command: 1 where something could not be read."""
        return 1 if self.problems else 0


@dataclass(frozen=True)
class Container:
    """A container of an entry."""

    app: str
    service: str
    name: str
    image: str
    id: str
    digest: str

    @property
    def state(self) -> State:
        """As an event tells it: the digest without its repository; the image's id where no registry gave it one."""
        return State(self.image, self.digest.rpartition("@")[2] or self.id)


@dataclass(frozen=True)
class AppState:
    """What is declared of an app. `files`: name -> sha256. `pins`: service -> image by digest."""

    files: Mapping[str, str]
    pins: Mapping[str, str]


@dataclass(frozen=True)
class Entry:
    """An entry that tells something. `containers` is None where the engine did not answer."""

    name: str
    time: datetime
    boot: str
    os: State
    kernel: str
    k3s: str
    apps: Mapping[str, AppState]
    containers: tuple[Container, ...] | None


@dataclass(frozen=True)
class Same:
    """All was then as in another entry."""

    name: str
    time: datetime


def moment(stamp: str) -> datetime:
    """The time in an entry's name. Raises ValueError."""
    return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)


def read_entry(item: Mapping[str, Any]) -> Entry | Same:
    """One entry as ledger-read.sh prints it. Raises ValueError, KeyError, TypeError or AttributeError for what is none."""
    time = moment(item["time"])
    if "same" in item:
        return Same(item["name"], time)
    os, containers = item["os"], item["containers"]
    version = f"{os['id']} {os['version']}".strip()
    return Entry(
        item["name"], time, item["boot"], State(version, (os["deployment"] or {}).get("checksum") or ""), item["kernel"],
        item["k3s"] or "", {name: _app(app) for name, app in item["apps"].items()},
        None if containers is None else tuple(_container(container) for container in containers),
    )  # fmt: skip


def _app(item: Mapping[str, Any]) -> AppState:
    names = {"compose": "compose.yaml", "override": "override.yaml", "quadlets": "quadlets"}
    return AppState({names[key]: item[key] for key in names if item[key]}, dict(item["pins"]))


def _container(item: Mapping[str, Any]) -> Container:
    return Container(
        item["app"], item["service"], item["container"], item["image"], item["id"], item["digest"] or "",
    )  # fmt: skip
