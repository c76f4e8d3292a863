"""Names of snapshots: which schema makes which names, and the tiers beside the nightly one. Pure.

TrueNAS tells by its name which task a snapshot belongs to, and so how long it is kept: two tasks of one dataset must never
make names that fit both schemas, or each would remove the other's snapshots.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from pydantic import Field, field_validator

from zerotoil.model.section import Section, Wrong
from zerotoil.model.units import KeepFor, Schedule

DEFAULT_TIER = "nightly"
MANUAL = "manual-%Y-%m-%d_%H-%M-%S"  # what `zerotoil snapshot` makes; no task may take these for its own
_OF_A_TIER = "auto-{}-%Y-%m-%d_%H-%M"
_DIGITS = {"Y": r"\d{4}", "m": r"\d{2}", "d": r"\d{2}", "H": r"\d{2}", "M": r"\d{2}", "S": r"\d{2}", "s": r"\d+", "%": "%"}
_SAMPLE = datetime(2026, 11, 23, 21, 47, 38)


def check_naming(schema: str, example: str = "auto-%Y-%m-%d_%H-%M") -> str:
    """The schema; raises ValueError when two snapshots of a day could get one name."""
    if "%s" not in schema and not all(part in schema for part in ("%Y", "%m", "%d", "%H", "%M")):
        raise ValueError(
            f"{schema!r} holds not all of %Y %m %d %H %M (or %s), or snapshots of one day would collide; "
            f"write for instance {example}"
        )
    return schema


def fits(schema: str, name: str) -> bool:
    """Could this schema have made this name?"""
    parts = re.split(r"%(.)", schema)  # text, directive, text, directive, …
    pattern = "".join(_DIGITS.get(part, ".+") if index % 2 else re.escape(part) for index, part in enumerate(parts))
    return bool(re.fullmatch(pattern, name))


def confusable(one: str, other: str) -> bool:
    """Would a snapshot of one schema be taken for one of the other?"""
    return fits(one, _SAMPLE.strftime(other)) or fits(other, _SAMPLE.strftime(one))


def former_tier(name: str) -> str:
    """The tier that a snapshot's name tells of where no declared schema fits: "auto-weekly-2026-…" -> "weekly"."""
    match = re.fullmatch(r"auto-([a-z0-9][a-z0-9-]*)-\d{4}-\d{2}-\d{2}_\d{2}-\d{2}", name)
    return match[1] if match else ""


class TierSpec(Section):
    """Snapshots beside the nightly ones, taken and kept by a schedule of their own."""

    schedule: Schedule = Field(description='When the NAS takes them, five fields: "0 3 * * 0" is every Sunday at 03:00')
    keep: KeepFor = Field(description='How long each is kept: "3 months"')
    naming: str | None = Field(None, description="Naming schema; default: auto-TIER-%Y-%m-%d_%H-%M")

    @field_validator("naming")
    @classmethod
    def _naming(cls, schema: str | None) -> str | None:
        return schema if schema is None else check_naming(schema, _OF_A_TIER.format("weekly"))


def namings(default: str, tiers: Mapping[str, TierSpec]) -> dict[str, str]:
    """Naming schema per tier, the nightly one first."""
    return {DEFAULT_TIER: default} | {name: tier.naming or _OF_A_TIER.format(name) for name, tier in tiers.items()}


def check_tier_names(tiers: Mapping[str, TierSpec]) -> None:
    """Raise ValueError for a name that cannot be part of a snapshot's name, or that means something else."""
    for name in tiers:
        if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?", name):
            raise ValueError(f"{name!r} is not a name of a tier; use a-z, 0-9 and '-' inside, at most 32, for instance weekly")
        if name == DEFAULT_TIER:
            raise ValueError(f"{name} is the tier of data_snapshot_schedule and data_snapshot_keep; give this one another name")
        if name == "manual":
            raise ValueError("manual is what `zerotoil snapshot` takes; give this tier another name")


def check_distinct(default: str, tiers: Mapping[str, TierSpec]) -> None:
    """Raise Wrong where a snapshot could be taken for one of another tier, or a task for the owner of a manual one."""
    seen = {"zerotoil snapshot": MANUAL}
    for name, schema in namings(default, tiers).items():
        place = ("snapshot_tiers", name, "naming") if name in tiers else ("snapshot_naming",)
        for other, taken in seen.items():
            if confusable(schema, taken):
                what = f"{schema!r} makes names that {taken!r} of {other} makes too, and each would remove the other's snapshots"
                raise Wrong(f"{what}; write another, for instance {_OF_A_TIER.format(name)}", *place)
        seen[name] = schema
