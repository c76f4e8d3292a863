"""How a cluster upgrades itself: what rancher/system-upgrade-controller (v0.20.1) is told in its Plans. Pure.

Sources: upgrade.cattle.io/v1 (its CRD), pkg/upgrade/job/job.go (drain's options), docs.k3s.io upgrades/automated (channels),
kubereboot/kured pkg/timewindow (by which it judges a window: start and end are of one day).
"""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from zerotoil.model.k3s import Release
from zerotoil.model.names import time_zone
from zerotoil.model.section import Section, Wrong
from zerotoil.model.units import Bool, Int

CHANNELS = "https://update.k3s.io/v1-release/channels"
MOVING = ("stable", "latest")  # channels that go on to the next minor release by themselves
_MINOR = r"v(\d+)\.(\d+)"
Day = Literal["mo", "tu", "we", "th", "fr", "sa", "su"]


class Drain(BaseModel):
    """How pods are moved away from a node before its upgrade."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    force: Bool = Field(False, description="Also pods that nothing makes again")
    delete_emptydir_data: Bool | None = Field(None, description="Also pods with data in an emptyDir, which goes; default: yes")
    delete_local_data: Bool | None = Field(None, description="The old name of the same; one of the two")
    grace_period: Int | None = Field(None, ge=0, description="Seconds that a pod gets; default: its own")
    timeout: str | None = Field(None, description='How long it may take, for instance "5m"; default: for ever')
    disable_eviction: Bool = Field(False, description="Delete pods instead of evicting them: passes by their budgets")

    @field_validator("timeout")
    @classmethod
    def _duration(cls, timeout: str | None) -> str | None:
        if timeout is not None and not re.fullmatch(r"(\d+[hms])+", timeout):
            raise ValueError(f'{timeout!r} is no duration; write for instance "5m"')
        return timeout


class UpgradesSpec(Section):
    """How the cluster upgrades k3s by itself (system-upgrade-controller); the first server's keys count."""

    enabled: Bool = Field(False, description="Install the upgrade controller and give it its Plans")
    channel: str | None = Field(None, description="What to follow: a minor release such as v1.36, stable, latest, or a URL")
    version: Release | None = Field(None, description="Or one release, such as v1.36.3+k3s1")
    days: list[Day] = Field(
        ["mo", "tu", "we", "th", "fr", "sa", "su"], description="Days on which an upgrade may begin: mo, tu, we, th, fr, sa, su"
    )
    start: str = Field("03:00", description="When the window opens; after the night's snapshot")
    end: str = Field("05:00", description="When it closes; what has begun goes on")
    timezone: str = Field("UTC", description="Time zone of the window, for instance Europe/Berlin; give the NAS the same")
    concurrency: Int = Field(1, ge=1, description="How many nodes of a kind at once; servers always go one by one")
    drain: Drain | None = Field(None, description="Move the pods away first; default: only keep new ones away (cordon)")
    exclude: list[str] = Field([], description="Nodes that are left out")
    image: str = Field("rancher/k3s-upgrade", description="What upgrades a node; its tag is the release")
    controller_image: str = Field("rancher/system-upgrade-controller", description="The controller, without a tag")
    kubectl_image: str = Field("rancher/kubectl:v1.30.3", description="What cordons and drains, as upstream pins it")

    @field_validator("channel")
    @classmethod
    def _channel(cls, channel: str | None) -> str | None:
        if channel is None or channel in MOVING or re.fullmatch(_MINOR, channel) or re.fullmatch(r"https?://[^\s@]+", channel):
            return channel
        raise ValueError(f"{channel!r} is no channel; write a minor release such as v1.36, stable, latest, or a URL")

    @field_validator("start", "end")
    @classmethod
    def _time(cls, time: str) -> str:
        if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", time):
            raise ValueError(f"{time!r} is no time of day; write for instance 03:00")
        return time

    @field_validator("timezone")
    @classmethod
    def _zone(cls, zone: str) -> str:
        return time_zone(zone)

    @field_validator("image", "controller_image")
    @classmethod
    def _no_tag(cls, image: str) -> str:
        if ":" in image.rpartition("/")[2] or "@" in image:
            raise ValueError(f"{image} has a tag, which is the release here; leave it out")
        return image

    @field_validator("kubectl_image")
    @classmethod
    def _tagged(cls, image: str) -> str:
        if ":" not in image.rpartition("/")[2] and "@" not in image:
            raise ValueError(
                f"{image!r} has no tag: what it is would change by itself; write for instance rancher/kubectl:v1.30.3"
            )
        return image

    @model_validator(mode="after")
    def _fits(self) -> UpgradesSpec:
        if not self.enabled:
            return self
        if self.channel is None and self.version is None:
            raise Wrong("neither upgrades_channel nor upgrades_version says where to; write one, for instance v1.36", "channel")
        if self.channel is not None and self.version is not None:
            raise Wrong("upgrades_version wins over upgrades_channel, which would mean nothing; write one of them", "channel")
        if not self.days:
            raise Wrong("no day is in it, so the window never opens; name one", "days")
        if self.start == self.end:
            raise Wrong(f"the window ends at {self.end}, when it begins, so it never opens; write a later time", "end")
        if self.end < self.start:
            what = f"it would end at {self.end}, before it begins: the controller knows none past midnight"
            raise Wrong(f"{what}; write at most 23:59", "end")
        drain = self.drain
        if drain and drain.delete_emptydir_data is not None and drain.delete_local_data is not None:
            what = "delete_local_data is the old name of delete_emptydir_data, and the controller refuses both; write one"
            raise Wrong(what, "drain", "delete_local_data")
        return self

    @property
    def minor(self) -> tuple[int, int] | None:
        """The minor release that it leads to; None where that is not said, as of stable."""
        found = re.match(_MINOR, self.version or self.channel_name)
        return (int(found[1]), int(found[2])) if found else None

    @property
    def channel_name(self) -> str:
        """The channel without its server, which is what the controller goes by, too."""
        return (self.channel or "").rstrip("/").rpartition("/")[2]

    @property
    def moves_on(self) -> bool:
        """Does the channel go on to the next minor release by itself?"""
        return self.channel_name in MOVING

    @property
    def channel_url(self) -> str:
        """What the controller asks."""
        channel = self.channel or ""
        return channel if "://" in channel else f"{CHANNELS}/{channel}"


def minor_of(version: Any) -> tuple[int, int] | None:
    """The minor release of what a node says that it runs."""
    found = re.match(_MINOR, str(version))
    return (int(found[1]), int(found[2])) if found else None
