"""What the deployments of an OS say of themselves, as os.sh observes it: where each comes from. Pure.

Sources: rpm-ostree(1) status --json; ostree-rs-ext's references (docs: ostree-unverified-registry:, ostree-image-signed:docker://).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

REBASE = "zerotoil-os-rebase.service"
_HOW = r"(?:(ostree-unverified|ostree-image-signed|ostree-remote)(?:-registry|-image)?:)?"
_WHERE = r"(?:[A-Za-z0-9_-]+:(?=registry:|docker://))?(?:registry:|docker://)?"  # a remote's name stands before


def parted(text: str) -> tuple[str | None, str]:
    """How a reference is verified (None where it does not say), and its image."""
    found = re.match(_HOW + _WHERE, text)
    assert found  # every part is optional
    return found[1], text[found.end() :]


def same(want: str, have: str) -> bool:
    """Do two references follow the same image, verified alike as far as both say how?"""
    (how, image), (has, other) = parted(want), parted(have)
    return image == other and (how == has or None in (how, has))


def reference(seen: Mapping[str, Any]) -> str:
    """Where the booted deployment comes from."""
    return seen.get("reference") or (seen.get("booted") or {}).get("image") or ""


def comes_from(want: str, seen: Mapping[str, Any]) -> bool:
    """Does the booted deployment, or the one that is booted next, come from there?"""
    staged = (seen.get("staged") or {}).get("image")
    return same(want, staged or reference(seen))


def moving(seen: Mapping[str, Any]) -> bool:
    """Is the unit at work that stages the declared image?"""
    unit = seen.get("units", {}).get(REBASE, {})
    return unit.get("ActiveState") in ("activating", "reloading") and int(unit.get("NRestarts") or 0) == 0


def refusal(deployment: Mapping[str, Any] | None, seen: Mapping[str, Any]) -> str:
    """Why a deployment is not taken again; empty where nothing speaks against it."""
    for bad in (seen.get("state") or {}).get("bad") or [] if deployment else []:
        if any(bad.get(field) and bad.get(field) == (deployment or {}).get(field) for field in ("checksum", "digest")):
            return bad.get("why") or "it did not come up"
    return ""


def moment(time: Any) -> datetime | None:
    """A time as it was noted: seconds since 1970, or ISO 8601."""
    if isinstance(time, int | float) and not isinstance(time, bool):
        return datetime.fromtimestamp(time, UTC)
    try:
        return datetime.fromisoformat(str(time)).astimezone(UTC) if time else None
    except ValueError:
        return None


def ago(then: datetime, now: datetime) -> str:
    """How long, in the largest unit of which there are two: "3 hours"."""
    seconds = max(0, int((now - then).total_seconds()))
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}s"
    return "a minute"


def named(deployment: Mapping[str, Any] | None) -> str:
    """A deployment by its version; by its checksum where it has none."""
    found = deployment or {}
    return found.get("version") or str(found.get("digest") or found.get("checksum") or "unknown")[:19]
