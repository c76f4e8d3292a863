"""Errors meant for people: what is wrong, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence

from zerotoil.error_codes import Code


class LabError(Exception):
    """An expected failure. Shown as one line, never as a traceback.

    `what` says what is wrong (with the names involved); `remedy` says what would be right, or the next step; `code` says
    which kind of failure it is, whatever the words.
    """

    def __init__(self, what: str, remedy: str = "", *, code: Code) -> None:
        self.what = what
        self.remedy = remedy
        self.code = code
        super().__init__(f"{what}: {remedy}" if remedy else what)

    @property
    def shown(self) -> str:
        """The text as people get it at the edges: with the code at its end."""
        return coded(str(self), self.code)


class Several(LabError):
    """Several errors as one, a line each; each line has its own code, the whole has the first one's."""

    def __init__(self, errors: Sequence[LabError]) -> None:
        self.errors = list(errors)
        super().__init__("\n".join(map(str, self.errors)), code=self.errors[0].code)

    @property
    def shown(self) -> str:
        """All lines, each with its code."""
        return "\n".join(error.shown for error in self.errors)


def coded(text: str, code: Code) -> str:
    """A text with its code behind it."""
    return f"{text} [{code}]"
