"""Where a host tells its owner what happened, which events go out, and how often.

The events are one vocabulary for everything that tells: hosts, updates, the controller. A sink is a Shoutrrr URL; what
each scheme needs is in render/notify.py. Pure.
"""

from __future__ import annotations

from pydantic import Field, field_validator

from zerotoil.model.secret import Secret, SecretKey
from zerotoil.model.section import Section
from zerotoil.model.units import Int, Seconds
from zerotoil.model.wording import near

EVENTS = (
    "updated", "update-failed", "rolled-back", "missing", "unhealthy", "stale", "disk-filling", "snapshot-missing",
    "backup-failed", "expiring", "finished", "unchanged", "test",
)  # fmt: skip
_QUIET = ("finished", "unchanged")  # of a run: who starts it by hand is there when it ends


class NotifySpec(Section):
    """One place that tells you: where messages go, which ones, and how often."""

    sinks: list[SecretKey] = Field(
        default_factory=list,
        description='Where messages go: "file:PATH" or "env:NAME" of a Shoutrrr URL such as '
        "signal://HOST:8080/+FROM/+TO?disabletls=yes; docs/guides/notify.md lists the forms",
    )
    events: list[str] = Field(
        [event for event in EVENTS if event not in _QUIET], description="Events that go out; a test always does"
    )
    repeat: Seconds = Field(6 * 3600, description="The same event of the same thing is told once within this time")
    burst: Int = Field(20, ge=1, le=1000, description="Messages an hour at most; what is above is summed up in one")

    @field_validator("sinks")
    @classmethod
    def _each_once(cls, sinks: list[Secret]) -> list[Secret]:
        known: set[str] = set()
        for sink in sinks:
            place = sink.source or sink.literal or ""
            if place in known:
                raise ValueError(f"{sink.source or 'a sink'} stands there twice; every message would arrive twice")
            known.add(place)
        return sinks

    @field_validator("events")
    @classmethod
    def _known(cls, events: list[str]) -> list[str]:
        for event in events:
            if event not in EVENTS:
                meant = near(event, EVENTS)
                hint = f"did you mean {meant}?" if meant else f"the events are {', '.join(EVENTS)}"
                raise ValueError(f"{event!r} is no event; {hint}")
        return events
