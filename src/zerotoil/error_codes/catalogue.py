"""What each code means and what to do about it, and the page that lists them: docs/reference/errors.md. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from zerotoil.error_codes import Code
from zerotoil.error_codes.data import TEXTS as DATA
from zerotoil.error_codes.declared import TEXTS as DECLARED
from zerotoil.error_codes.operated import TEXTS as OPERATED
from zerotoil.error_codes.servers import TEXTS as SERVERS

RANGES = {
    "1": "Inventory and command line",
    "2": "NAS",
    "3": "Hypervisor",
    "4": "Guest and SSH",
    "5": "Data volume and guard",
    "6": "OS image, Butane, Ignition, registries",
    "7": "Secrets and files on this machine",
    "8": "Deploy, adopt, rebuild, init, migrate, destroy",
    "9": "Embedded lab and internal",
}
_HEAD = """# Error codes

Every message ends in a code in square brackets, such as `[ZT204]`: the kind of failure, whatever the words before it say.
A code never changes its meaning. `zerotoil explain ZT204` prints one entry; `zerotoil plan --json` has the code of each
problem. This page is generated: `python -m zerotoil.error_codes`.
"""


@dataclass(frozen=True)
class Entry:
    """One code in words."""

    code: Code
    title: str
    meaning: str
    remedy: str


CATALOGUE: dict[Code, Entry] = {
    code: Entry(code, *text) for code, text in sorted({**DECLARED, **SERVERS, **DATA, **OPERATED}.items())
}


def page() -> str:
    """The whole page, one table per range."""
    parts = [_HEAD]
    for digit, title in RANGES.items():
        parts.append(f"## ZT{digit}xx: {title}\n\n| code | kind | what it means | what to do |\n|---|---|---|---|")
        parts += [_row(entry) for entry in CATALOGUE.values() if entry.code[2] == digit]
        parts.append("")
    return "\n".join(parts).rstrip("\n") + "\n"


def _row(entry: Entry) -> str:
    return " | ".join(["| `" + entry.code + "`", *map(_cell, (entry.title, entry.meaning, entry.remedy))]) + " |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
