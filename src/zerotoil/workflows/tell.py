"""What a run tells its owner from this machine: that it is over, and what only the controller can see.

One message per event and run, whatever the number of hosts, to each sink of a host that has the event among its
notify_events. Nothing here fails a run: what cannot be delivered becomes a line of its summary.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from zerotoil.clients import apprise, cache
from zerotoil.errors import LabError
from zerotoil.model.spec import HostSpec
from zerotoil.render.notify import apprise_url
from zerotoil.resources.guest.notify import host_sinks
from zerotoil.resources.resource import Kind, Notice

# Notices that the owner is told of. A workload is told here since Keel and the cluster tell of what they applied, not of its end.
EVENT_OF = {Kind.UNSAVED: "snapshot-missing", Kind.EXPIRING: "expiring", Kind.UNREADY: "unhealthy", Kind.STALE: "stale"}
_MOST_LINES = 30
_LONGEST = 300  # characters of a line


@dataclass(frozen=True)
class Outcome:
    """What became of one host. `spec` is None where its declaration is wrong; `failure` is the first one, in words."""

    host: str
    spec: HostSpec | None
    created: int = 0
    changed: int = 0
    untouched: int = 0
    failure: str = ""
    notices: tuple[Notice, ...] = ()

    @property
    def is_news(self) -> bool:
        """Did anything happen?"""
        return bool(self.created or self.changed or self.failure)

    def __str__(self) -> str:
        said = in_numbers(self.created, self.changed, self.untouched)
        return f"{self.host}: FAILED; {said}: {self.failure}" if self.failure else f"{self.host}: {said}"


@dataclass(frozen=True)
class _Message:
    event: str
    subject: str
    lines: tuple[str, ...]


def in_numbers(created: int, changed: int, untouched: int) -> str:
    """What was done, in numbers of resources."""
    numbers = ((created, "created"), (changed, "changed"), (untouched, "as declared"))
    return ", ".join(f"{number} {word}" for number, word in numbers if number) or "nothing done"


def tell(outcomes: Sequence[Outcome]) -> list[str]:
    """Tell it; returns a line for each thing that could not be delivered. Never raises for what a sink does."""
    specs = [outcome.spec for outcome in outcomes if outcome.spec]
    failed: list[str] = []
    for message, kept in _messages(outcomes, specs):
        delivered, problems = _send(message, specs)
        failed += [problem for problem in problems if problem not in failed]
        if delivered:
            for path in kept:
                cache.write(path, message.event)
    return failed


def _messages(outcomes: Sequence[Outcome], specs: Sequence[HostSpec]) -> Iterator[tuple[_Message, list[Path]]]:
    """Each message, and the notes to leave when it was delivered: what is told once is not told again within notify_repeat."""
    run = _of_run(outcomes)
    if run:
        yield run, []
    repeat = min((spec.notify.repeat for spec in specs if spec.notify.sinks), default=0)
    for kind, event in EVENT_OF.items():
        found = [(outcome, notice) for outcome in outcomes for notice in outcome.notices if notice.kind is kind]
        new = [(notice, path) for outcome, notice in found if cache.read(path := _note(outcome, notice), repeat) is None]
        if new:
            each = dict(new)
            subject = ", ".join(dict.fromkeys(notice.resource for notice in each))
            lines = tuple(f"{notice.resource}: {notice.what}\n{notice.command}" for notice in each)
            yield _Message(event, subject, lines), list(each.values())


def _note(outcome: Outcome, notice: Notice) -> Path:
    lab = outcome.spec.lab.name if outcome.spec else ""
    return cache.folder("told") / hashlib.sha256(f"{lab} {notice.kind} {notice.resource}".encode()).hexdigest()[:32]


def _of_run(outcomes: Sequence[Outcome]) -> _Message | None:
    if not outcomes:
        return None
    total = in_numbers(*(sum(getattr(outcome, name) for outcome in outcomes) for name in ("created", "changed", "untouched")))
    bad = sum(bool(outcome.failure) for outcome in outcomes)
    subject = f"{len(outcomes)} host{'s' if len(outcomes) != 1 else ''}: {total}{f', {bad} FAILED' if bad else ''}"
    news = sorted((outcome for outcome in outcomes if outcome.is_news), key=lambda outcome: (not outcome.failure, outcome.host))
    return _Message("finished" if news else "unchanged", subject, tuple(map(str, news)))


def _send(message: _Message, specs: Sequence[HostSpec]) -> tuple[bool, list[str]]:
    """To every sink that wants the event, each once: has any taken it, and what went wrong with the others?"""
    wanting = [spec for spec in specs if message.event in spec.notify.events]
    urls, problems = _sinks(wanting)
    title = f"{', '.join(sorted({spec.lab.name for spec in wanting}))}: {message.event.replace('-', ' ')}: {message.subject}"
    delivered = False
    for url, name in urls.items():
        try:
            apprise.send_apart(apprise_url(url), _cut(title), _text(message.lines) or _cut(title))
            delivered = True
        except LabError as error:
            problems.append(f"{message.event} was not told to {name}: {error.shown}")
        except Exception as error:  # a sink never fails a run; its words may hold the URL, so only their kind is said
            problems.append(f"{message.event} was not told to {name}: {type(error).__name__}")
    return delivered, problems


def _sinks(specs: Iterable[HostSpec]) -> tuple[dict[str, str], list[str]]:
    """URL -> name of each sink, and what cannot be read."""
    urls: dict[str, str] = {}
    problems: dict[str, None] = {}
    for spec in specs:
        try:
            for name, url, _ in host_sinks(spec):
                urls.setdefault(url, name)
        except LabError as error:
            problems[f"notify_sinks cannot be used: {error.shown}"] = None
    return urls, list(problems)


def _text(lines: Sequence[str]) -> str:
    more = len(lines) - _MOST_LINES
    return "\n".join([*map(_cut, lines[:_MOST_LINES]), *([f"and {more} more"] if more > 0 else [])])


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
