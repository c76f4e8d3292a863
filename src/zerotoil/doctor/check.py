"""The result of one check. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from zerotoil.errors import LabError


class State(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True)
class Check:
    """What was looked at, how it is, what was found there, and what to do about it."""

    name: str
    state: State
    found: str
    fix: str = ""


def ok(name: str, found: str) -> Check:
    """As it should be."""
    return Check(name, State.OK, found)


def warning(name: str, found: str, fix: str = "") -> Check:
    """A deploy can work all the same."""
    return Check(name, State.WARNING, found, fix)


def failure(name: str, found: str, fix: str = "") -> Check:
    """No deploy can work like this."""
    return Check(name, State.FAILURE, found, fix)


def attempt(name: str, look: Callable[[], Check]) -> Check:
    """What `look` finds; an error is a failure of this check and keeps no other from being reported."""
    try:
        return look()
    except LabError as error:
        return failure(name, error.what, error.remedy)
    except Exception as error:  # a server that answers what nobody expects must not hide what the others say
        said = " ".join(str(error).split())[:200]
        return failure(name, f"unexpected {type(error).__name__}: {said}", "report this, with the versions above")
