"""The operating system: its image, where its updates come from, and when a host restarts into one. Pure.

Sources: coreos/zincati docs (usage/updates-strategy, FleetLock), rpm-ostree(1), bootc(8), containers-policy.json(5),
docs.sigstore.dev (cosign's keys).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator, model_validator

from zerotoil.error_codes import Code
from zerotoil.model.image import ImageRef, names_registry
from zerotoil.model.names import plain_url, time_zone
from zerotoil.model.os_window import LEAST, Window, WindowKey
from zerotoil.model.section import Wrong
from zerotoil.model.units import Bool, Seconds, format_seconds
from zerotoil.model.vm import OsImage

if TYPE_CHECKING:
    from zerotoil.model.spec import HostSpec

STREAM = "stream"
Strategy = Literal["immediate", "window", "fleet-lock", "off"]
_EXAMPLE = "ghcr.io/me/os:stable"


@dataclass(frozen=True)
class Turn:
    """A host's place among those of its lab that restart in a window: `number` counts from 0."""

    number: int = 0
    of: int = 1


class OsSpec(OsImage):
    """The operating system: its image, its first boot, its updates."""

    source: str = Field(
        STREAM, description=f"Where updates come from: `stream` (Fedora CoreOS's own) or your image, for instance {_EXAMPLE}"
    )
    backend: Literal["rpm-ostree", "bootc"] = Field("rpm-ostree", description="What updates an image of your own")
    strategy: Strategy | None = Field(
        None,
        description="When it restarts into an update: immediate, window, fleet-lock, or off (never by itself); "
        "default: Zincati's own; for your image window where os_window is there, else immediate",
    )
    window: list[WindowKey] = Field(
        default_factory=list, description='When it may restart: ["Sat 03:00-05:00"], "Mon-Fri 02:30-03:30", "03:00-05:00" (daily)'
    )
    timezone: str = Field("UTC", description="Time zone of os_window, for instance Europe/Berlin")
    stagger: Seconds = Field(20 * 60, description="Time between two hosts of the lab in a window; they go by name")
    fleet_lock: str | None = Field(None, description="URL of a FleetLock server, which lets one host at a time restart")
    apply_live: Bool = Field(False, description="Take updates without a restart where that is possible (your image, rpm-ostree)")
    packages: list[str] = Field(default_factory=list, description="Packages layered on a stream; with your image they go into it")
    signature_key: Path | None = Field(
        None, description="Public key of cosign (cosign.pub): only images of yours signed by it are taken"
    )
    grace: Seconds = Field(10 * 60, description="How long health checks may take to turn green in a new OS, before it goes back")
    stale_after: Seconds = Field(14 * 86400, description="How long no check or update may have worked before that is told")

    @field_validator("source")
    @classmethod
    def _source(cls, source: str) -> str:
        if source == STREAM:
            return source
        ref = ImageRef.parse(source)
        if not names_registry(source):
            raise ValueError(f"{source!r} names no registry; write stream, or an image such as {_EXAMPLE}")
        if ref.digest:
            raise ValueError(f"{source!r} has a digest, so no update would ever come; write its tag, for instance {_EXAMPLE}")
        if not ref.tag:
            raise ValueError(f"{source!r} has no tag; write the one to follow, for instance {source}:stable")
        return source

    @field_validator("timezone")
    @classmethod
    def _zone(cls, zone: str) -> str:
        return time_zone(zone)

    @field_validator("stagger")
    @classmethod
    def _whole_minutes(cls, seconds: int) -> int:
        if seconds % 60:
            raise ValueError(f'{format_seconds(seconds)} is no number of whole minutes; write for instance "20 minutes"')
        return seconds

    @field_validator("fleet_lock")
    @classmethod
    def _url(cls, url: str | None) -> str | None:
        return plain_url(url, "http://lock.lan:3333")

    @field_validator("packages")
    @classmethod
    def _names(cls, packages: list[str]) -> list[str]:
        for name in packages:
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9+._-]*", name):
                raise ValueError(f"{name!r} is no name of a package; write for instance tailscale")
        return sorted(set(packages))

    @model_validator(mode="after")
    def _says_when(self) -> OsSpec:
        if self.strategy == "window" and not self.window:
            raise Wrong('os_strategy is window, and no window is there; write for instance ["Sat 03:00-05:00"]', "window")
        if self.window and self.follows != "window":
            said = f"os_strategy is {self.strategy}" if self.strategy else "Zincati goes by its own strategy"
            raise Wrong(f"{said}, so a window would mean nothing; write os_strategy window, or leave it out", "window")
        if self.strategy == "fleet-lock" and not self.fleet_lock:
            raise Wrong(
                "os_strategy is fleet-lock, and no server is there; write its URL, for instance http://lock.lan:3333",
                "fleet_lock",
            )
        if self.fleet_lock and (self.follows == "off" or (not self.own_image and self.strategy != "fleet-lock")):
            raise Wrong("nothing would ask this server; write os_strategy fleet-lock, or leave it out", "fleet_lock")
        return self

    @model_validator(mode="after")
    def _fits_the_source(self) -> OsSpec:
        if self.own_image and self.packages:
            raise Wrong("an image of your own brings its packages (os_source); install them in its Containerfile", "packages")
        if self.apply_live and not (self.own_image and self.backend == "rpm-ostree"):
            raise Wrong("it needs an image of your own (os_source) and os_backend rpm-ostree; leave it out", "apply_live")
        if self.own_image:
            return self
        if self.backend != "rpm-ostree":
            raise Wrong(
                "a stream is updated by Zincati through rpm-ostree; write an image as os_source, or leave it out", "backend"
            )
        if self.signature_key:
            what = "a stream is signed by Fedora and checked already; write an image as os_source, or leave it out"
            raise Wrong(what, "signature_key")
        return self

    @property
    def own_image(self) -> bool:
        """Do updates come as an image of the owner's?"""
        return self.source != STREAM

    @property
    def follows(self) -> str:
        """The strategy in effect; empty: nothing of ours decides."""
        if self.strategy or not self.own_image:
            return self.strategy or ""
        return "window" if self.window else "immediate"

    @property
    def managed(self) -> bool:
        """Is anything of ours in the guest for it?"""
        return bool(self.own_image or self.strategy or self.packages)

    @property
    def reference(self) -> str | None:
        """What rpm-ostree is told to follow; None for a stream."""
        if not self.own_image:
            return None
        return (
            f"ostree-image-signed:docker://{self.source}" if self.signature_key else f"ostree-unverified-registry:{self.source}"
        )


def turns(labs: Mapping[str, str]) -> dict[str, Turn]:
    """Each host's turn. `labs`: host -> its lab, for the hosts that restart in a window."""
    found: dict[str, Turn] = {}
    for lab in set(labs.values()):
        names = sorted(host for host, its in labs.items() if its == lab)
        found |= {host: Turn(number, len(names)) for number, host in enumerate(names)}
    return found


def late_turns(specs: Mapping[str, HostSpec]) -> Iterator[tuple[str, str, str, Code]]:
    """(host, key, what is wrong, its code) of every host whose turn does not come within one of its windows."""
    for host, spec in specs.items():
        shortest = min(spec.os.window, key=lambda window: window.minutes, default=None)
        if shortest is not None and spec.os_offset + LEAST * 60 > shortest.minutes * 60:
            yield host, "os_stagger", _too_late(spec, shortest), Code.CLASHES_WITH_HOST


def _too_late(spec: HostSpec, window: Window) -> str:
    turn, minutes = spec.os_turn, window.minutes * 60
    return (
        f"os_window {window} is {format_seconds(minutes)} long, and the turn of {spec.name}, "
        f"host {turn.number + 1} of {turn.of}, begins {format_seconds(spec.os_offset)} after its start "
        f"and needs {LEAST} minutes; "
        f"write a longer window, or a shorter os_stagger than {format_seconds(spec.os.stagger)}"
    )
