"""Which tags of an image an owner allows: ranges of versions, as npm and Compose users write them. Pure.

A tag is read as prefix ("v"), numbers ("1.4.2") and variant ("-alpine"). Only tags of the same prefix, the same variant and
as many numbers as the current one are its successors: 17-alpine is followed by 18-alpine, never by 18 or 18.1-alpine. Counters
of builds (-r3, -ls45, -2) may grow. Prereleases (-rc1, -beta.2) are never proposed.
Source of the ranges: semver.org and docs.npmjs.com/cli/using-npm/semver; a partial version stands for all that begin with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Numbers = tuple[int, ...]
_EXAMPLES = '"~1.4", "^2", ">=1.2 <2", "1.x" or "1.4 || 1.6"'
_NUMBER = r"(?:0|[1-9][0-9]{0,17})"  # 01 is no version but part of a date
_TAG = re.compile(r"(?P<prefix>v?)(?P<numbers>\d{1,18}(?:\.\d{1,18}){0,5})(?P<variant>(?![\d.]).*)?", re.DOTALL | re.ASCII)
_COUNTER = re.compile(r"-(?:r|ls|build\.?)?([0-9]{1,18})$")
_PRERELEASE = re.compile(
    r"(?:^|[-_.+])(?:alpha|beta|rc|pre|preview|dev|develop|snapshot|nightly|canary|next|edge|unstable|test|testing|milestone|m|a|b)"
    r"[-_.]?\d*(?=$|[-_.+])",
    re.IGNORECASE | re.ASCII,
)
_PARTIAL = re.compile(rf"v?(?:(?P<numbers>{_NUMBER}(?:\.{_NUMBER}){{0,5}})(?P<any>(?:\.[xX*])*)|[xX*])")
_COMPARATOR = re.compile(r"(~|\^|>=|<=|>|<|=)?\s*([^\s~^<>=]+)")


@dataclass(frozen=True)
class Version:
    """A tag that begins with numbers. `counter` is the number of the build, 0 without one; it is not part of `variant`."""

    prefix: str
    numbers: Numbers
    variant: str
    counter: int = 0

    @classmethod
    def of(cls, tag: str) -> Version | None:
        """The tag as a version; None for one that is none (latest, stable, a commit)."""
        found = _TAG.fullmatch(tag)
        if not found:
            return None
        numbers = tuple(int(number) for number in found["numbers"].split("."))
        variant, counter = found["variant"] or "", 0
        build = _COUNTER.search(variant)
        if build and not _PRERELEASE.search(variant):
            variant, counter = f"{variant[: build.start(1)]}#", int(build[1])
        return cls(found["prefix"], numbers, variant, counter)

    @property
    def is_prerelease(self) -> bool:
        """Whether its maker says that it is not finished."""
        return bool(_PRERELEASE.search(self.variant))

    @property
    def order(self) -> tuple[Numbers, int]:
        """What versions are sorted by."""
        return _padded(self.numbers), self.counter

    def follows(self, current: Version) -> bool:
        """Whether it may take the place of `current`: of the same kind, and newer. A prerelease is followed by its release."""
        variant = _PRERELEASE.sub("", current.variant) if current.is_prerelease else current.variant
        alike = (self.prefix, self.variant, len(self.numbers)) == (current.prefix, variant, len(current.numbers))
        return alike and (self.order > current.order or (current.is_prerelease and self.order >= current.order))


@dataclass(frozen=True)
class TagPolicy:
    """A range of versions. `text` is what the owner wrote; `spans` are lowest (included) and end (not included)."""

    text: str
    spans: tuple[tuple[tuple[Numbers, Numbers | None], ...], ...]

    @classmethod
    def parse(cls, text: Any) -> TagPolicy:
        """Read a range. Raises ValueError with what would be right."""
        if not isinstance(text, str):
            raise ValueError(f"{text!r} is not in quotes, so YAML takes it for a number; write for instance {_EXAMPLES}")
        alternatives = tuple(_alternative(text, part) for part in text.split("||"))
        return cls(" ".join(text.split()), alternatives)

    def allows(self, numbers: Numbers) -> bool:
        """Whether the version lies in the range; missing numbers count as 0."""
        version = _padded(numbers)
        return any(
            all(_padded(low) <= version and (end is None or version < _padded(end)) for low, end in spans) for spans in self.spans
        )


def allowed(tags: Iterable[str], policy: TagPolicy, current: str) -> list[str]:
    """The tags that the policy allows and that are newer than `current`, newest first.

    Where `current` is no version (latest), every release without a variant is newer; of 1, 1.4 and 1.4.2, which are often one
    image, the most exact comes first.
    """
    now = Version.of(current)
    found = [(version, tag) for tag in set(tags) if (version := Version.of(tag)) and _fits(version, now, policy)]
    return [tag for _, tag in sorted(found, key=lambda pair: (*pair[0].order, len(pair[0].numbers), pair[0].prefix == ""))[::-1]]


def newest(tags: Iterable[str], policy: TagPolicy, current: str) -> str | None:
    """The newest tag that the policy allows; None where none is newer than `current`."""
    return next(iter(allowed(tags, policy, current)), None)


def _fits(version: Version, current: Version | None, policy: TagPolicy) -> bool:
    return policy.allows(version.numbers) and (version.follows(current) if current else not version.variant)


def _padded(numbers: Numbers) -> Numbers:
    return numbers + (0,) * (6 - len(numbers))


def _alternative(text: str, part: str) -> tuple[tuple[Numbers, Numbers | None], ...]:
    """What lies between two "||": comparators that must all hold."""
    words = part.replace(",", " ").strip()
    if not words or _COMPARATOR.sub("", words).strip():
        raise ValueError(f"{text!r} is no range of tags; write for instance {_EXAMPLES}")
    return tuple(_span(text, found[1] or "", found[2]) for found in _COMPARATOR.finditer(words))


def _span(text: str, operator: str, written: str) -> tuple[Numbers, Numbers | None]:
    """One comparator as lowest version and end."""
    found = _PARTIAL.fullmatch(written)
    if not found:
        raise ValueError(f"{text!r}: {written!r} is no version; write for instance {_EXAMPLES}")
    numbers = tuple(int(number) for number in (found["numbers"] or "").split(".") if number)
    if not numbers:
        if operator in ("", "=", ">=", "<=", "~", "^"):
            return (), None
        raise ValueError(f"{text!r}: nothing is {operator} any version; write for instance {_EXAMPLES}")
    return {
        "": (numbers, _after(numbers)),
        "=": (numbers, _after(numbers)),
        "~": (numbers, _after(numbers[:2])),
        "^": (numbers, _after(_kept(numbers))),
        ">=": (numbers, None),
        ">": (_after(numbers), None),
        "<=": ((), _after(numbers)),
        "<": ((), numbers),
    }[operator]


def _after(numbers: Numbers) -> Numbers:
    """The first version that does not begin with these numbers."""
    return (*numbers[:-1], numbers[-1] + 1)


def _kept(numbers: Numbers) -> Numbers:
    """What ^ keeps: up to the first number that is not 0, since 0.x promises nothing beyond."""
    first = next((index for index, number in enumerate(numbers) if number), len(numbers) - 1)
    return numbers[: first + 1]
