"""What pydantic found wrong, in words that say what would be right for this key. Pure.

pydantic speaks of its own types ("Input should be a valid integer, unable to parse string as an integer"); a person who
writes an inventory knows keys. Every type of error that our specs can raise has its sentence here.
"""

from __future__ import annotations

import difflib
import re
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from zerotoil.error_codes import Code
from zerotoil.model.section import Wrong

_LONGEST = 60  # of a value that is shown
_NUMBER = ("int_type", "int_parsing", "int_from_float", "greater_than_equal", "less_than_equal")


def near(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant."""
    found = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return found[0] if found else None


def location(item: Mapping[str, Any]) -> tuple[Any, ...]:
    """Where the error is: pydantic's place, and the field that a rule over several fields names."""
    error = (item.get("ctx") or {}).get("error")
    return (*item["loc"], *(error.field if isinstance(error, Wrong) else ()))


def inside(place: Iterable[Any]) -> str:
    """A place inside a value, as Python writes it: (0, "gateway") -> "[0].gateway"."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")


def code(item: Mapping[str, Any]) -> Code:
    """The kind of one pydantic error."""
    if isinstance((item.get("ctx") or {}).get("error"), Wrong):
        return Code.KEYS_CONTRADICT
    return {"extra_forbidden": Code.UNKNOWN_KEY, "missing": Code.MISSING_KEY}.get(item["type"], Code.WRONG_VALUE)


def words(item: Mapping[str, Any], model: type[BaseModel], place: tuple[Any, ...]) -> str:
    """The sentence for one pydantic error at `place` (field first) of `model`."""
    kind = item["type"]
    if kind == "value_error":
        return str(item["ctx"]["error"])
    if kind == "extra_forbidden":
        return _unknown_field(str(place[-1]), _model_at(model, place[:-1]))
    field = _field_at(model, place)
    if kind in _NUMBER:
        return f"{shown(item['input'])} is not {_range(field)}"
    if kind == "literal_error":
        return _choice(item["input"], field)
    make = _SENTENCES.get(kind)
    return make(item["input"], field) if make else str(item["msg"])


def shown(value: Any) -> str:
    """A value as it was written, cut when it is long."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def described(field: FieldInfo | None) -> str:
    """The field's description, as the continuation of a sentence."""
    text = re.sub(r" \(([^()]*)\)", r", \1", (field.description if field else None) or "")  # it stands in parentheses itself
    return lowered(text)


def lowered(text: str) -> str:
    """The text as the continuation of a sentence; abbreviations stay as they are."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def _text(value: Any, field: FieldInfo | None) -> str:
    if isinstance(value, list):
        return f"{shown(value)} is a list; write one text in quotes ({described(field)})"
    return f"{shown(value)} is not text; write it in quotes ({described(field)})"


def _list(value: Any, field: FieldInfo | None) -> str:
    fits = isinstance(value, str) or (isinstance(value, dict) and field and _inner(field.annotation))
    right = f"write [{shown(value)}]" if fits else "write […]"
    return f"{shown(value)} is not a list; {right} ({described(field)})"


def _empty(_value: Any, field: FieldInfo | None) -> str:
    return f"an empty list; write at least one ({described(field)})"


def _blank(_value: Any, field: FieldInfo | None) -> str:
    return f"empty; write it in quotes ({described(field)})"


def _bool(value: Any, field: FieldInfo | None) -> str:
    return f"{shown(value)} is neither True nor False; write one of them without quotes ({described(field)})"


def _path(value: Any, field: FieldInfo | None) -> str:
    return f"{shown(value)} is not a path; write it in quotes ({described(field)})"


def _dict(_value: Any, field: FieldInfo | None) -> str:
    return f"not a mapping; write {{…}} ({described(field)})"  # the value is not shown: it may be a password


def _mapping(value: Any, field: FieldInfo | None) -> str:
    model = _inner(field.annotation) if field else None
    required = [name for name, inner in model.model_fields.items() if inner.is_required()] if model else []
    if required:
        return f"not a mapping; write its fields {' and '.join(required)}"
    return f'{shown(value)} is not a card; write its fields, for instance {{"network": "default"}}'


def _missing(_value: Any, field: FieldInfo | None) -> str:
    return f"missing; {described(field)}"


_SENTENCES: dict[str, Callable[[Any, FieldInfo | None], str]] = {
    "string_type": _text,
    "list_type": _list,
    "dict_type": _dict,
    "missing": _missing,
    "string_too_short": _blank,
    "too_short": _empty,
    "bool_type": _bool,
    "path_type": _path,
    "model_type": _mapping,
    "model_attributes_type": _mapping,
}


def _range(field: FieldInfo | None) -> str:
    limits = field.metadata if field else []
    low = next((limit.ge for limit in limits if hasattr(limit, "ge")), None)
    high = next((limit.le for limit in limits if hasattr(limit, "le")), None)
    span = f" from {low} to {high}" if high is not None else f" of at least {low}" if low is not None else ""
    return f"a whole number{span} ({described(field)})"


def _choice(value: Any, field: FieldInfo | None) -> str:
    known = list(_choices(field.annotation)) if field else []
    return f"{shown(value)} is not known; write {' or '.join(map(repr, known))}"


def _choices(annotation: Any) -> Iterator[str]:
    """The words of a Literal, also of one that may be left out."""
    for argument in typing.get_args(annotation):
        if isinstance(argument, str):
            yield argument
        else:
            yield from _choices(argument)


def _unknown_field(name: str, model: type[BaseModel]) -> str:
    known = list(model.model_fields)
    meant = near(name, known)
    return "unknown field; " + (f"did you mean {meant}?" if meant else f"the fields are {', '.join(known)}")


def _model_at(model: type[BaseModel], place: tuple[Any, ...]) -> type[BaseModel]:
    """The model that the fields at a place belong to."""
    for part in place:
        if isinstance(part, str) and part in model.model_fields:
            model = _inner(model.model_fields[part].annotation) or model
    return model


def _field_at(model: type[BaseModel], place: tuple[Any, ...]) -> FieldInfo | None:
    """The innermost field of a place; keys of a mapping and indexes of a list are none."""
    found: FieldInfo | None = None
    for part in place:
        if isinstance(part, str) and part in model.model_fields:
            found = model.model_fields[part]
            model = _inner(found.annotation) or model
    return found


def _inner(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for argument in typing.get_args(annotation) if (found := _inner(argument))), None)
