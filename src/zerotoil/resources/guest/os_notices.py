"""What of an OS is worth knowing and no drift: a staged update, one that is held back, silence, checks that are red. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from zerotoil.model.os_updates import OsSpec
from zerotoil.model.spec import HostSpec
from zerotoil.model.units import format_seconds
from zerotoil.resources.guest.os_deployments import ago, comes_from, moment, moving, named, reference
from zerotoil.resources.resource import Kind, Notice


def notices(spec: HostSpec, seen: Mapping[str, Any], now: datetime) -> Iterator[Notice]:
    """The notices of one host, by what os.sh says; none where nothing of its OS was read."""
    if not seen or not spec.os.managed:
        return
    title, host, state = f"OS of {spec.name}", spec.name, seen["state"]
    if staged := seen.get("staged"):
        what = f"{named(seen.get('booted'))} -> {named(staged)} is staged; it comes {when(spec)}"
        yield Notice(title, Kind.UPDATE, what, restart_command(spec))
    elif spec.os.reference and moving(seen) and not comes_from(spec.os.reference, seen):
        what = f"{spec.os.source} is being fetched; it comes {when(spec)}"
        yield Notice(title, Kind.DEFERRED, what, f"zerotoil os status {host}")
    if held := pinned(seen):
        yield Notice(title, Kind.HELD, held, f"zerotoil os unpin {host}")
    if late := stale(spec.os, seen, now):
        yield Notice(title, Kind.STALE, late, f"zerotoil os update {host}" if spec.os.own_image else f"zerotoil os status {host}")
    gate = state.get("gate") or {}
    if gate.get("result") == "red" and not state.get("pin"):
        what = f"health checks are red, and there is nothing to go back to: {failing(gate)}"
        yield Notice(title, Kind.UNREADY, what, f"zerotoil os status {host}")
    if not spec.os.own_image and is_image(seen):
        what = f"it comes from {reference(seen)}, and os_source is a stream"
        yield Notice(title, Kind.REPROVISION, what, f"zerotoil rebuild {host}")


def is_image(seen: Mapping[str, Any]) -> bool:
    """Does the booted deployment come from an image that is not Fedora's?"""
    have = reference(seen)
    return ("/" in have and ("registry:" in have or "docker://" in have)) and "quay.io/fedora/fedora-coreos" not in have


def pinned(seen: Mapping[str, Any]) -> str:
    """Why no update is taken; empty where updates are."""
    pin = seen["state"].get("pin")
    if not pin:
        return ""
    bad = (seen["state"].get("bad") or [{}])[-1]
    if pin.get("by") == "gate" and bad:
        return f"it stays at {named(seen.get('booted'))}: {named(bad)} was red ({bad.get('why') or 'it did not come up'})"
    return f"it stays at {named(seen.get('booted'))}, as asked"


def failing(gate: Mapping[str, Any]) -> str:
    """The checks that are red."""
    return "; ".join(gate.get("failing") or []) or "it is not said which"


def stale(os: OsSpec, seen: Mapping[str, Any], now: datetime) -> str:
    """How long nothing was looked for or updated, where that is longer than os_stale_after."""
    state = seen["state"]
    began = moment((seen.get("booted") or {}).get("time"))
    found = []
    for verb, key in (("looked for an update", "checked"), ("updated", "updated")):
        if key == "checked" and not os.own_image:  # Zincati looks, and notes it nowhere
            continue
        last = moment(state.get(key))
        since = last or began
        if since and now - since > timedelta(seconds=os.stale_after):
            found.append(f"last {verb} {ago(since, now)} ago" if last else f"never {verb}")
    if not found:
        return ""
    problem = (state.get("problem") or {}).get("what")
    limit = format_seconds(os.stale_after)
    return f"{', '.join(found)} (os_stale_after is {limit}){f'; {problem}' if problem else ''}"


def when(spec: HostSpec) -> str:
    """When the host restarts into an update, in words."""
    os = spec.os
    if os.follows == "window":
        offset = f", {format_seconds(spec.os_offset)} after its start" if spec.os_offset else ""
        return f"in {' or '.join(map(str, os.window))} {os.timezone}{offset}"
    words = {
        "immediate": "at once",
        "fleet-lock": f"when {os.fleet_lock} lets it",
        "off": "when you restart it",
    }
    return words.get(os.follows, "when Zincati restarts it")


def restart_command(spec: HostSpec) -> str:
    """What brings a staged update now."""
    return f"zerotoil os update {spec.name} --now" if spec.os.own_image else f"zerotoil ssh {spec.name} -- sudo systemctl reboot"
