"""The text of quadlet files: how a value is written so that podman gets just this value. Pure.

A value passes two readers: podman's generator, which makes a command line of it (podman-systemd.unit(5); podman 5.4,
pkg/systemd/parser), and systemd, which runs that line (systemd.service(5), "Command lines"). systemd expands `%` and `$`
in it and the generator escapes neither, so both are doubled here. The generator reads its keys in three ways, and each has
something that it cannot hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from zerotoil.error_codes import Code

SECTIONS = ("Unit", "Container", "Network", "Volume", "Service", "Install")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_BARE = re.compile(r"[A-Za-z0-9_./:=,@+%$\[\]{}*?~^!#&<>|()-]+")


class Refused(Exception):
    """A value that podman cannot be given: what is wrong, and what to write instead."""

    def __init__(self, what: str, remedy: str, code: Code = Code.QUADLET_CANNOT_SAY) -> None:
        self.what, self.remedy, self.code = what, remedy, code
        super().__init__(f"{what}: {remedy}")


@dataclass(frozen=True)
class Line:
    """One line of a unit file; the value is written already."""

    section: str
    key: str
    value: str


def whole(text: str) -> str:
    """For keys whose line is one value (Image, Volume, HealthCmd): taken as it is, without any escape."""
    if not text:
        raise Refused("is empty", "leave it out", Code.QUADLET_WRONG_VALUE)
    _printable(text)
    # the generator trims blanks and quotes off the ends, and joins a line that ends in \ with the next one
    if text != text.strip() or text[0] == '"' or text[-1] in '"\\':
        raise Refused(
            f"{text!r} begins or ends in a blank, a quote or a backslash, which a quadlet cannot hold", "write it otherwise"
        )
    return _expanded(_kept(text))


def words(texts: Iterable[str]) -> str:
    """For keys that are split like a command line (Exec, Environment, Label, ExecStartPre): each text stays one word."""
    return " ".join(_word(text) for text in texts)


def bare(text: str) -> str:
    """For keys that are split at blanks without escapes (AddDevice, AddCapability, Sysctl)."""
    if re.search(r"[\"'\\]", text):
        raise Refused(f"{text!r} has a quote or a backslash, which a quadlet cannot hold there", "write it otherwise")
    value = whole(text)
    return f'"{value}"' if " " in value else value


def unit(lines: Iterable[Line], source: str) -> str:
    """The file: sections in their usual order, lines in the order in which they came."""
    made = list(lines)
    parts = [f"# Made by zerotoil from {source}; a change made here is undone by the next deploy."]
    for section in SECTIONS:
        inside = [f"{line.key}={line.value}" for line in made if line.section == section]
        if inside:
            parts.append("\n".join([f"[{section}]", *inside]))
    return "\n\n".join(parts) + "\n"


def _word(text: str) -> str:
    if re.search("[\0\x80-\x9f]", text):
        _printable(text)
    value = _expanded(_kept(text))
    return value if _BARE.fullmatch(value) else _quoted(value)


def _kept(text: str) -> str:
    # podman 5.4's generator stops at an empty word, and systemd takes a lone ; for the end of a command
    if text in ("", ";"):
        raise Refused(f"the argument {text!r} gets lost on its way through quadlet and systemd", "let a script pass it")
    return text


def _quoted(value: str) -> str:
    return '"' + re.sub(r'[\x01-\x1f\x7f\\"]', lambda found: _ESCAPES.get(found[0], f"\\x{ord(found[0]):02x}"), value) + '"'


def _expanded(text: str) -> str:
    return text.replace("%", "%%").replace("$", "$$")


def _printable(text: str) -> None:
    found = re.search("[\x00-\x1f\x7f-\x9f]", text)
    if found:
        raise Refused(f"{text!r} has the control character {found[0]!r}, which a quadlet cannot hold", "leave it out")
