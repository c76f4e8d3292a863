"""The Compose Specification's schema: what it says against a document, in words a person can act on. Pure.

README.md says where the schema is from. One mistake is one line: of an alternative ("text or a list") only the branch is
followed that the value was meant for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from zerotoil.model.compose.source import Place
from zerotoil.model.wording import inside, near, shown

if TYPE_CHECKING:
    from jsonschema import Draft7Validator

_Error = Any  # jsonschema's ValidationError; each of its fields may be anything

_KINDS = {"object": "a mapping", "array": "a list", "string": "text", "boolean": "true or false", "null": "nothing"}
_KINDS |= {"number": "a number", "integer": "a whole number"}
_FEW = 12  # known keys that are listed
_DURATION = re.compile(r"0|[-+]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|[smhdw]))+")
_TIMES = ("interval", "timeout", "start_period", "start_interval", "stop_grace_period")


def problems(document: Any) -> Iterator[tuple[Place, str]]:
    """(place, words) of everything that the schema refuses in a document."""
    if not isinstance(document, dict):
        yield (), "no compose file; write services: with a service in it"
        return
    for error in _validator().iter_errors(document):
        yield from _leaves(error, ())
    if not document.get("services") and not near("services", set(document) - {"services"}):
        yield (), "no services; write services: with at least one"
    yield from _durations(document)


def kind(value: Any) -> str:
    """What a value is, in words."""
    if isinstance(value, bool):
        return "true or false"
    names = {dict: "a mapping", list: "a list", str: "text", int: "a number", float: "a number", type(None): "empty"}
    return names.get(type(value), "something else")


@cache
def _validator() -> Draft7Validator:
    from jsonschema import Draft7Validator  # a tenth of a second, which only those pay who have apps

    return Draft7Validator(json.loads(resources.files(__name__).joinpath("compose-spec.json").read_text()))


def _leaves(error: _Error, above: Place) -> Iterator[tuple[Place, str]]:
    """The innermost errors, each with its place from the top of the document."""
    place = (*above, *error.relative_path)
    if error.validator in ("oneOf", "anyOf"):
        chosen = _branch(error)
        if chosen is None:
            yield place, _other_kind(error, place)
        else:
            for inner in chosen:
                yield from _leaves(inner, place)
    elif error.validator == "additionalProperties":
        yield from ((((*place, key)), words) for key, words in _unknown(error))
    else:
        yield place, f"{inside(place)}: {_words(error)}"


def _branch(error: _Error) -> list[_Error] | None:
    """The errors of the alternative that the value has the kind of; None if it has none's."""
    branches: dict[Any, list[_Error]] = {}
    for inner in error.context or ():
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    fitting = [found for found in branches.values() if not any(_wrong_kind(inner) for inner in found)]
    return min(fitting, key=len) if fitting else None


def _wrong_kind(error: _Error) -> bool:
    """Whether the whole value, not something in it, is of another kind than the alternative is for."""
    if error.relative_path:
        return False
    if error.validator in ("oneOf", "anyOf"):
        return _branch(error) is None
    return bool(error.validator == "type")


def _kinds(error: _Error) -> list[str]:
    if error.validator in ("oneOf", "anyOf"):
        return [name for inner in error.context or () if not inner.relative_path for name in _kinds(inner)]
    wanted = error.validator_value if error.validator == "type" else []
    return [wanted] if isinstance(wanted, str) else list(wanted)


def _other_kind(error: _Error, place: Place) -> str:
    kinds = dict.fromkeys(name for name in _kinds(error) if name != "null")
    if {"boolean", "integer"} & set(kinds):
        kinds.pop("string", None)  # it is allowed only for the sake of ${VARIABLE}
    wanted = " or ".join(_KINDS.get(name, name) for name in kinds)
    value = error.instance
    what = "is empty" if value is None else f"{shown(value)} is {kind(value)}"
    return f"{inside(place)}: {what}; write {wanted}"


def _unknown(error: _Error) -> Iterator[tuple[str, str]]:
    """(key, words) of the keys that are not known where the error is."""
    known = list(error.schema.get("properties", {}))
    patterns = [pattern for pattern in error.schema.get("patternProperties", {}) if pattern != "^x-"]
    for key in error.instance:
        if key in known or key.startswith("x-") or any(re.search(pattern, key) for pattern in patterns):
            continue
        where = f"{inside(error.absolute_path)}: " if error.absolute_path else ""
        meant = near(key, known)
        if patterns and not known:
            yield key, f"{where}{key!r} is no name; write letters, digits, dots, dashes and underscores"
        elif meant:
            yield key, f"{where}unknown key {key}; did you mean {meant}?"
        else:
            few = f"; the keys are {', '.join(known)}" if len(known) <= _FEW else ""
            yield key, f"{where}unknown key {key}{few}"


def _words(error: _Error) -> str:
    value, rule = shown(error.instance), error.validator_value
    if error.validator == "type":
        return _other_kind(error, ()).removeprefix(": ")
    if error.validator == "required":
        missing = [name for name in rule if name not in error.instance]
        return f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
    if error.validator == "enum":
        meant = near(str(error.instance), map(str, rule))
        return f"{value} is not known; " + (f"did you mean {meant}?" if meant else f"write {' or '.join(map(str, rule))}")
    if error.validator == "uniqueItems":
        twice = next((item for index, item in enumerate(error.instance) if item in error.instance[:index]), "")
        return f"{shown(twice)} is listed twice; remove one"
    if error.validator in ("minimum", "maximum"):
        return f"{value} is {'less' if error.validator == 'minimum' else 'more'} than {rule}"
    if error.validator == "pattern":
        return f"{value} is not of the form {rule}"
    return f"{value} is not what Compose takes ({error.validator}: {shown(rule)})"


def _durations(document: dict[str, Any]) -> Iterator[tuple[Place, str]]:
    """Compose checks durations itself; the schema only says that they are text."""
    services = document.get("services")
    for name, service in services.items() if isinstance(services, dict) else ():
        healthcheck = service.get("healthcheck") if isinstance(service, dict) else None
        for part, place in ((service, ()), (healthcheck, ("healthcheck",))):
            for key in _TIMES:
                value = part.get(key) if isinstance(part, dict) else None
                if isinstance(value, str) and not _DURATION.fullmatch(value):
                    where: Place = ("services", name, *place, key)
                    yield where, f"{inside(where)}: {value!r} is no duration; write for instance 30s or 1m30s"
