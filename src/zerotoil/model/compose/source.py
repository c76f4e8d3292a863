"""A YAML text as values, and the line of each. Pure.

Compose reads YAML by go-yaml, which takes `off` for text, `22:22` for text and 0o17 for a number; PyYAML's own rules
(YAML 1.1) would make them False, 1342 and text. So the rules for plain scalars are written out here, after go-yaml's
resolve.go. What Compose does besides: keys become text, `<<` merges, a key that stands twice is an error.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import yaml

Place = tuple[str | int, ...]  # ("services", "web", "ports", 0)

_LARGEST = 20_000  # values; aliases may make a short text a huge one
_INT = r"[-+]?(?:0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)"
_FLOAT = r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
_PLAIN: tuple[tuple[str, str], ...] = (
    ("null", r"~|null|Null|NULL|"),
    ("bool", r"true|True|TRUE|false|False|FALSE"),
    ("int", _INT),
    ("float", _FLOAT),
    ("merge", r"<<"),
)
_TAG = "tag:yaml.org,2002:"


class SourceError(ValueError):
    """The text is no YAML that Compose would read. `line` counts from 1."""

    def __init__(self, what: str, line: int) -> None:
        self.line = line
        super().__init__(what)


@dataclass
class Source:
    """The values of a text, and where they stand."""

    value: Any = None
    lines: dict[Place, int] = field(default_factory=dict)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """PyYAML's parser with go-yaml's rules for plain scalars."""

    yaml_implicit_resolvers: ClassVar[Any] = {None: [(_TAG + name, re.compile(rf"(?:{pattern})\Z")) for name, pattern in _PLAIN]}


def read(text: str) -> Source:
    """The text's values. Raises SourceError."""
    try:
        documents = list(yaml.compose_all(text, Loader=_Loader))
    except yaml.YAMLError as error:
        raise SourceError(*_said(error)) from error
    if len(documents) > 1:
        raise SourceError("a second document begins with ---; write one", documents[1].start_mark.line + 1)
    source = Source(lines={(): 1})
    if documents:
        source.value = _Reader(source.lines).value(documents[0], ())
    return source


def read_all(text: str, plain: Callable[[str, int], None] = lambda _text, _line: None) -> list[Source]:
    """Every document of a text that holds something. `plain` is told of each value without quotes. Raises SourceError."""
    try:
        documents = list(yaml.compose_all(text, Loader=_Loader))
    except yaml.YAMLError as error:
        raise SourceError(*_said(error)) from error
    found = []
    for document in documents:
        source = Source(lines={(): document.start_mark.line + 1})
        source.value = _Reader(source.lines, plain).value(document, ())
        if source.value is not None:
            found.append(source)
    return found


def _said(error: yaml.YAMLError) -> tuple[str, int]:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read")
    if "character '\\t'" in problem or "found character that cannot start any token" in problem:
        problem += " (a tab? YAML is indented by spaces)"
    begun = getattr(error, "context_mark", None)
    if mark and begun and begun.line < mark.line:
        problem += f", {getattr(error, 'context', None) or 'in what begins'} from line {begun.line + 1}"
    return problem, mark.line + 1 if mark else 1


class _Reader:
    """Nodes to values. Lines go to `lines`: of a mapping's entry that of its key, of a list's item its own."""

    def __init__(self, lines: dict[Place, int], plain: Callable[[str, int], None] = lambda _text, _line: None) -> None:
        self._lines = lines
        self._plain = plain
        self._open: list[int] = []
        self._count = 0

    def value(self, node: yaml.Node, place: Place) -> Any:
        self._count += 1
        if self._count > _LARGEST:
            raise SourceError(f"more than {_LARGEST} values; aliases repeat too much", node.start_mark.line + 1)
        if isinstance(node, yaml.ScalarNode):
            if not node.style:
                self._plain(node.value, node.start_mark.line + 1)
            return _scalar(node)
        if id(node) in self._open:
            raise SourceError("an alias is inside what it stands for", node.start_mark.line + 1)
        self._open.append(id(node))
        made = self._list(node, place) if isinstance(node, yaml.SequenceNode) else self._mapping(node, place)
        self._open.pop()
        return made

    def _list(self, node: yaml.SequenceNode, place: Place) -> list[Any]:
        made = []
        for index, item in enumerate(node.value):
            self._lines[(*place, index)] = item.start_mark.line + 1
            made.append(self.value(item, (*place, index)))
        return made

    def _mapping(self, node: yaml.Node, place: Place) -> dict[str, Any]:
        own: dict[str, Any] = {}
        for key, item in node.value:
            if key.tag == _TAG + "merge":
                continue
            name, line = _key(key), key.start_mark.line + 1
            if name in own:
                raise SourceError(f"{name} stands twice, first in line {self._lines[(*place, name)]}", line)
            self._lines[(*place, name)] = line
            own[name] = self.value(item, (*place, name))
        for merged, item in self._merged(node):
            if merged not in own:
                self._lines[(*place, merged)] = item.start_mark.line + 1
                own[merged] = self.value(item, (*place, merged))
        return own

    def _merged(self, node: yaml.Node) -> Iterator[tuple[str, yaml.Node]]:
        """The entries that `<<` brings, the first of each name being the one that counts."""
        for key, item in node.value:
            if key.tag != _TAG + "merge":
                continue
            for one in item.value if isinstance(item, yaml.SequenceNode) else [item]:
                if not isinstance(one, yaml.MappingNode):
                    raise SourceError("<< takes a mapping, or a list of mappings", key.start_mark.line + 1)
                if id(one) in self._open:
                    raise SourceError("an alias is inside what it stands for", key.start_mark.line + 1)
                self._open.append(id(one))
                yield from ((_key(name), value) for name, value in one.value if name.tag != _TAG + "merge")
                yield from self._merged(one)
                self._open.pop()


def _key(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise SourceError("a key is a list or a mapping; write text", node.start_mark.line + 1)
    return str(node.value)


def _scalar(node: yaml.ScalarNode) -> Any:
    text, kind = node.value, node.tag.removeprefix(_TAG)
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind == "int":
        return _int(text.replace("_", ""))
    if kind == "float":
        return _float(text)
    return text  # text, and whatever tag else there may be: Compose reads the text behind it


def _int(text: str) -> int:
    sign, digits = (-1, text[1:]) if text[:1] == "-" else (1, text.lstrip("+"))
    if re.fullmatch(r"0[0-7]+", digits):
        return sign * int(digits, 8)  # go-yaml still takes 0777 for octal
    return sign * (int(digits, 0) if digits[:2].lower() in ("0b", "0o", "0x") else int(digits))


def _float(text: str) -> float:
    if text.lower().lstrip("+-").startswith((".inf", ".nan")):
        return float(text.lower().replace(".", ""))
    number = float(text)
    return number if math.isfinite(number) else math.inf
