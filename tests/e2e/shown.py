"""What a guide shows of a walk, held against what was really said."""

import os
import re
import textwrap
from pathlib import Path

from tests.e2e.guide_plan_and_drift import ROOT
from tests.e2e.project import still


def shows(page: str, command: str, said: str) -> None:
    """The guide has this command with this output. With ZEROTOIL_E2E_PAGES it is written there instead, to be taken over."""
    block = textwrap.indent(as_shown(command, said), "    ")
    if folder := os.environ.get("ZEROTOIL_E2E_PAGES"):
        with (Path(folder) / page).open("a") as file:
            file.write(f"{block}\n")
        return
    assert block in (ROOT / "docs/guides" / page).read_text(), f"docs/guides/{page} does not show:\n{block}"


def as_shown(command: str, said: str) -> str:
    """The block of a guide; digests, times, ages and the words of programs that differ from walk to walk left out."""
    text = re.sub(r"\([0-9a-f]{12}\)", "(…)", still(said.strip()))
    text = re.sub(r"\b(\d+ (minute|hour|day)s|a minute|20\d\d-\d\d-\d\d)\b", "…", text)
    text = re.sub(r"curl: \(\d+\).*?(?=;|\.?\)?$)", "curl: …", text, flags=re.MULTILINE)
    lines = [line.rstrip() for line in text.splitlines()]
    return "\n".join(([f"$ {command}"] if command else []) + lines) + "\n"
