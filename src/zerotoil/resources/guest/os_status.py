"""The OS of a host in words: its deployments, its checks, and what is wrong with the command that mends it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from zerotoil.model.spec import HostSpec
from zerotoil.render.os_updates import describes
from zerotoil.resources.guest.os_deployments import ago, moment, named, refusal
from zerotoil.resources.guest.os_notices import failing, pinned, stale, when

ROLES = {"booted": "runs", "staged": "staged: runs after the next restart", "rollback": "to go back to"}
_NO_COUNTING = "no: a kernel that hangs stays until somebody chooses the entry before at the boot menu"


def lines(spec: HostSpec, seen: Mapping[str, Any], now: datetime) -> Iterator[str]:
    """What there is to say, line by line; what is wrong begins with "!"."""
    state, backend = seen["state"], seen.get("backend") or spec.os.backend
    yield f"{spec.name}: follows {describes(spec.os)} ({backend}); an update comes {when(spec)}"
    there = [(role, seen[role]) for role in ROLES if seen.get(role)]
    width = max((len(named(one)) for _, one in there), default=0)
    for role, one in there:
        made = moment(one.get("time"))
        digest = f"  {str(one['digest'])[:19]}" if one.get("digest") else ""
        means = "refused" if role != "booted" and refusal(one, seen) else ROLES[role]
        yield f"  {named(one):{width}}{digest}  {f'{ago(made, now)} old, ' if made else ''}{means}"
    yield from _gate(state)
    yield from (f"{word}: {_since(state.get(key), now)}" for key, word in (("checked", "last look"), ("updated", "last update")))
    yield f"boot counting: {'yes' if seen.get('boot_counting') else _NO_COUNTING}"
    yield f"watchdog: {'yes' if seen.get('watchdog') else 'no: a guest that hangs stays so until somebody restarts it'}"
    for bad in state.get("bad") or []:
        since = moment(bad.get("time"))
        why = bad.get("why") or "it did not come up"
        yield f"refused: {named(bad)}{f', since {since:%Y-%m-%d}' if since else ''}: {why}"
    yield from _wrong(spec, seen, now)


def _gate(state: Mapping[str, Any]) -> Iterator[str]:
    gate = state.get("gate") or {}
    words = {"green": "green", "waiting": "not judged yet", "red": f"red: {failing(gate)}"}
    if result := gate.get("result"):
        yield f"{'! ' if result == 'red' else ''}health: {words.get(result, result)}"


def _since(time: Any, now: datetime) -> str:
    then = moment(time)
    return f"{ago(then, now)} ago" if then else "never"


def _wrong(spec: HostSpec, seen: Mapping[str, Any], now: datetime) -> Iterator[str]:
    host, problem = spec.name, seen["state"].get("problem")
    if held := pinned(seen):
        yield f"! {held}"
        yield f"  take updates again: zerotoil os unpin {host}"
    if problem:
        since = moment(problem.get("since"))
        yield f"! {problem['what']}{f', for {ago(since, now)}' if since else ''}; it is tried again"
    if late := stale(spec.os, seen, now):
        yield f"! {late}"


def is_well(spec: HostSpec, seen: Mapping[str, Any], now: datetime) -> bool:
    """Is nothing there to be mended?"""
    return not any(line.startswith("!") for line in lines(spec, seen, now))


def as_data(spec: HostSpec, seen: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The same for programs; docs/reference/os.md describes it."""
    fields = ("backend", "reference", *ROLES, "state", "boot_counting", "watchdog", "packages")
    return {
        "version": 1,
        "host": spec.name,
        "source": spec.os.source,
        "strategy": spec.os.follows or None,
        "windows": [str(window) for window in spec.os.window],
        "timezone": spec.os.timezone,
        "offset": spec.os_offset,
        **{field: seen.get(field) for field in fields},
        "well": is_well(spec, seen, now),
        "wrong": [line.removeprefix("! ") for line in lines(spec, seen, now) if line.startswith("!")],
    }
