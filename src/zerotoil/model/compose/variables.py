"""`${VARIABLE}` in a compose file and the `.env` beside it, as Compose reads them. Pure.

Source: compose-go's template/template.go (operators, `$$`) and dotenv/parser.go. One thing is stricter: Compose takes a
variable that is set nowhere for an empty text with a warning; here it is a trouble, since the unit that starts an app has
no environment of its owner's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from zerotoil.model.compose.source import Place

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR = re.compile(r":?[-?+]")
_KEY = re.compile(r"(?:export[ \t]+)?([A-Za-z0-9_.\-\[\]]+)[ \t]*([=:]|$)[ \t]*")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", '"': '"', "\\": "\\"}


@dataclass
class Variables:
    """What variables are set to. `troubles` collects what is wrong in the texts that are expanded."""

    values: Mapping[str, str]
    where: str = ".env"  # where a missing one could be set, for messages
    troubles: list[str] = field(default_factory=list)

    def expand(self, text: str) -> str:
        """The text with every variable replaced."""
        return "".join(self._parts(text))

    def _parts(self, text: str) -> Iterator[str]:
        position = 0
        while (found := text.find("$", position)) >= 0:
            yield text[position:found]
            position, part = self._one(text, found + 1)
            yield part
        yield text[position:]

    def _one(self, text: str, position: int) -> tuple[int, str]:
        """Where it ends and what stands for it, of what follows a `$` at `position`."""
        if text.startswith("$", position):
            return position + 1, "$"
        if text.startswith("{", position) and (end := _closing(text, position)) > 0:
            return end + 1, self._braced(text[position + 1 : end])
        if name := _NAME.match(text, position):
            return name.end(), self._value(name[0])
        if text.startswith("{", position):
            self.troubles.append("${ is never closed; a literal $ is written $$")
        return position, "$"

    def _braced(self, inside: str) -> str:
        name = _NAME.match(inside)
        operator = _OPERATOR.match(inside, name.end()) if name else None
        if name is None or (operator is None and name.end() != len(inside)):
            self.troubles.append(f"${{{inside}}} is no variable; write ${{NAME}}, ${{NAME:-default}}, or $$ for a literal $")
            return ""
        if operator is None:
            return self._value(name[0])
        value, rest = self.values.get(name[0]), inside[operator.end() :]
        there = value is not None and (bool(value) or operator[0][0] != ":")
        if operator[0][-1] == "-":
            return (value or "") if there else self.expand(rest)
        if operator[0][-1] == "+":
            return self.expand(rest) if there else ""
        return (value or "") if there else self._value("", missing=name[0])

    def _value(self, name: str, missing: str = "") -> str:
        value = None if missing else self.values.get(name)
        if value is None:
            shown = missing or name
            self.troubles.append(f"${{{shown}}} is set nowhere; write {shown}=… into {self.where}, or ${{{shown}:-default}} here")
        return value or ""


def _closing(text: str, opening: int) -> int:
    """The brace that closes the one at `opening`; -1 without one."""
    depth = 0
    for index in range(opening, len(text)):
        depth += {"{": 1, "}": -1}.get(text[index], 0)
        if depth == 0:
            return index
    return -1


def expanded(value: Any, values: Mapping[str, str], where: str, trouble: Callable[[Place, str], None], place: Place = ()) -> Any:
    """A document with the variables of all its texts replaced; keys stay as they are, as in Compose."""
    if isinstance(value, dict):
        return {key: expanded(item, values, where, trouble, (*place, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [expanded(item, values, where, trouble, (*place, index)) for index, item in enumerate(value)]
    if not isinstance(value, str) or "$" not in value:
        return value
    variables = Variables(values, where)
    made = variables.expand(value)
    for what in variables.troubles:
        trouble(place, what)
    return made


@dataclass
class EnvFile:
    """A `.env` or an env_file: its variables, the line of each, and what is wrong as (line, words)."""

    values: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    troubles: list[tuple[int, str]] = field(default_factory=list)


def read_env(text: str, known: Mapping[str, str] | None = None) -> EnvFile:
    """A file of NAME=VALUE lines. `known` are variables that its values may use besides its own."""
    file, lines = EnvFile(), text.replace("\r\n", "\n").split("\n")
    index = 0
    while index < len(lines):
        line, number = lines[index].strip(), index + 1
        index += 1
        if not line or line.startswith("#"):
            continue
        key = _KEY.match(line)
        if key is None:
            file.troubles.append((number, "no line of an .env file; write NAME=value"))
            continue
        rest = line[key.end() :]
        if rest[:1] in ("'", '"'):
            while not _quoted(rest) and index < len(lines):
                rest, index = f"{rest}\n{lines[index]}", index + 1
            if not _quoted(rest):
                file.troubles.append((number, f"the quote after {key[1]}= is not closed"))
                continue
        variables = Variables({**(known or {}), **file.values}, "this file")
        file.values[key[1]], file.lines[key[1]] = _env_value(rest, variables), number
        file.troubles += [(number, what) for what in variables.troubles]
    return file


def _quoted(text: str) -> re.Match[str] | None:
    return re.match(rf"{text[0]}((?:[^{text[0]}\\]|\\.)*){text[0]}", text, re.DOTALL)


def _env_value(text: str, variables: Variables) -> str:
    if text[:1] in ("'", '"') and (quoted := _quoted(text)):
        if text[0] == "'":
            return quoted[1].replace("\\'", "'")
        unescaped = re.sub(r"\\(.)", lambda found: "$$" if found[1] == "$" else _ESCAPES.get(found[1], found[0]), quoted[1])
        return variables.expand(unescaped)
    return variables.expand(re.split(r"\s#", text, maxsplit=1)[0].rstrip())
