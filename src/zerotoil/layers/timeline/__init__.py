"""What happened to a host, as one story: its ledger, the NAS's snapshots, what it told its owner."""

from zerotoil.layers.timeline.found import Event, HostTimeline, Kind, State
from zerotoil.layers.timeline.look import look

__all__ = ["Event", "HostTimeline", "Kind", "State", "look"]
