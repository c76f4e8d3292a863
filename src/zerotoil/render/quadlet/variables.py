"""Variables in a compose file (${NAME:-default}), put in as Compose does. Pure.

Source: the Compose specification, "Interpolation"; compose-go, template. One thing is stricter: a variable that is not set
and has no default is an error, where Compose warns and goes on with nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from zerotoil.error_codes import Code
from zerotoil.render.quadlet.text import Refused

Place = tuple[Any, ...]
Report = Callable[[Place, Refused], None]
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATORS = (":-", ":?", ":+", "-", "?", "+")


def resolved(value: Any, env: Mapping[str, str], report: Report, place: Place = ()) -> Any:
    """A copy with the variables in all values (never in keys) put in; what cannot be is reported with its place."""
    if isinstance(value, Mapping):
        return {
            name: inner if str(name).startswith("x-") else resolved(inner, env, report, (*place, name))
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [resolved(inner, env, report, (*place, index)) for index, inner in enumerate(value)]
    if not isinstance(value, str) or "$" not in value:
        return value
    try:
        return put_in(value, env)
    except Refused as refused:
        report(place, refused)
        return value


def put_in(text: str, env: Mapping[str, str]) -> str:
    """One text with its variables put in. Raises Refused for one that has no value, or is written wrongly."""
    made: list[str] = []
    at = 0
    while True:
        found = text.find("$", at)
        if found < 0:
            return "".join([*made, text[at:]])
        made.append(text[at:found])
        value, at = _one(text, found + 1, env)
        made.append(value)


def _one(text: str, at: int, env: Mapping[str, str]) -> tuple[str, int]:
    """The value of what follows a $ at `at`, and where it ends."""
    if text[at : at + 1] == "$":
        return "$", at + 1
    if text[at : at + 1] == "{":
        end = _closing(text, at)
        return _braced(text, text[at + 1 : end], env), end + 1
    name = _NAME.match(text, at)
    if not name:
        return "$", at  # Compose leaves a $ alone that begins no variable
    return _value(name[0], env), name.end()


def _closing(text: str, at: int) -> int:
    depth = 0
    for index in range(at, len(text)):
        if text[index] == "{" and text[index - 1] == "$":
            depth += 1
        elif text[index] == "}":
            depth -= 1
            if not depth:
                return index
    raise _malformed(text)


def _braced(text: str, inside: str, env: Mapping[str, str]) -> str:
    name = _NAME.match(inside)
    if not name:
        raise _malformed(text)
    rest = inside[name.end() :]
    if not rest:
        return _value(name[0], env)
    operator = next((known for known in _OPERATORS if rest.startswith(known)), None)
    if not operator:
        raise _malformed(text)
    return _chosen(name[0], operator, rest[len(operator) :], env)


def _chosen(name: str, operator: str, operand: str, env: Mapping[str, str]) -> str:
    given = bool(env.get(name)) if operator[0] == ":" else name in env
    kind = operator[-1]
    if kind == "+":
        return put_in(operand, env) if given else ""
    if given:
        return env[name]
    if kind == "-":
        return put_in(operand, env)
    said = put_in(operand, env)
    raise Refused(f"the variable {name} must be set" + (f" ({said})" if said else ""), _SET_IT, Code.QUADLET_VARIABLE)


def _value(name: str, env: Mapping[str, str]) -> str:
    if name in env:
        return env[name]
    raise Refused(f"the variable {name} is not set", f"{_SET_IT}, or give a default: ${{{name}:-…}}", Code.QUADLET_VARIABLE)


def _malformed(text: str) -> Refused:
    return Refused(f"{text!r} is no variable of Compose", "write ${NAME:-default}, or $$ for a plain $", Code.QUADLET_VARIABLE)


_SET_IT = "set it in the app's .env"
