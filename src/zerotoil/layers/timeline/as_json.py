"""A host's story, for programs. Version 1: timeline.schema.json beside this file, docs/reference/timeline.md. Pure."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from zerotoil.layers.timeline.found import Event, HostTimeline, State

VERSION = 1


def as_text(found: HostTimeline) -> str:
    """The story as JSON."""
    content = {
        "version": VERSION,
        "exit_code": found.exit_code,
        "host": found.host,
        "events": [_event(event) for event in found.events],
        "problems": [{"what": each.what, "remedy": each.remedy, "code": str(each.code)} for each in found.problems],
    }
    return json.dumps(content, indent=2, ensure_ascii=False)


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the format."""
    text = resources.files("zerotoil.layers.timeline").joinpath("timeline.schema.json").read_text()
    return json.loads(text)  # type: ignore[no-any-return]


def _event(event: Event) -> dict[str, Any]:
    return {
        "time": event.time.isoformat(),
        "after": event.after.isoformat() if event.after else None,
        "kind": event.kind.value,
        "app": event.app,
        "subject": event.subject,
        "old": _state(event.old),
        "new": _state(event.new),
        "origin": event.origin,
        "ledger": event.ledger,
    }


def _state(state: State | None) -> dict[str, str] | None:
    return {"name": state.name, "digest": state.digest} if state else None
