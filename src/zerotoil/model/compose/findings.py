"""What is wrong with an app's files: one line each, with the file and the line in it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from zerotoil.error_codes import Code
from zerotoil.errors import LabError, coded


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. `rule` is the id that x-zerotoil.allow takes, where the owner may have a reason."""

    code: Code
    what: str
    line: int
    file: str = "compose.yaml"
    rule: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}"

    @property
    def shown(self) -> str:
        """The line as people get it at the edges: with the code at its end."""
        return coded(str(self), self.code)


class AppProblems(LabError):
    """Several findings as one error, a line each; each line has its own code, the error has the first one's."""

    def __init__(self, found: Iterable[Finding]) -> None:
        self.found = ordered(found)
        super().__init__("\n".join(map(str, self.found)), code=self.found[0].code)

    @property
    def shown(self) -> str:
        """All lines, each with its code."""
        return "\n".join(finding.shown for finding in self.found)


def ordered(found: Iterable[Finding]) -> list[Finding]:
    """Each once, as they stand in the files."""
    return sorted(dict.fromkeys(found), key=lambda finding: (finding.file, finding.line))
