"""Errors meant for people: what is wrong, and what to do about it."""

from __future__ import annotations


class LabError(Exception):
    """An expected failure. Shown as one line, never as a traceback.

    `what` says what is wrong (with the names involved); `remedy` says what would be right, or the next step.
    """

    def __init__(self, what: str, remedy: str = "") -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(f"{what}: {remedy}" if remedy else what)
