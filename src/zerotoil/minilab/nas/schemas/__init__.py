"""The published TrueNAS API schemas, per API version; README.md says where they come from.

`method` looks an entry up, `validate_args` and `validate_result` list what is wrong, `fill_defaults` does what the
server does before it runs a method, `prune` drops result fields that an older API version does not know.
Nothing here talks to a server; the client's tests use this module too.
"""

from __future__ import annotations

import gzip
import json
from functools import cache
from importlib import resources
from typing import Any

from jsonschema import Draft202012Validator

_SAME = {"v25.04.1": "v25.04.0"} | {f"v25.10.{n}": "v25.10.5" for n in range(1, 5)}
VERSIONS = ("v24.10", "v25.04.0", "v25.04.1", "v25.04.2", *(f"v25.10.{n}" for n in range(6)), "v26.0.0")


@cache
def methods(version: str) -> dict[str, dict[str, Any]]:
    """All entries of an API version such as "v25.10.5". Raises KeyError for one that is not in VERSIONS."""
    if version not in VERSIONS:
        raise KeyError(f"no schemas for API version {version!r}; known: {', '.join(VERSIONS)}")
    data = resources.files(__name__).joinpath(f"{_SAME.get(version, version)}.json.gz").read_bytes()
    loaded: dict[str, dict[str, Any]] = json.loads(gzip.decompress(data))
    return loaded


def method(version: str, name: str) -> dict[str, Any]:
    """One entry: {params, args, result (may be absent), job, removed_in (may be absent)}. KeyError if unknown."""
    try:
        return methods(version)[name]
    except KeyError as error:
        raise KeyError(f"{name} is not a method of API version {version}") from error


def has(version: str, name: str) -> bool:
    """Whether this API version publishes the method."""
    return name in methods(version)


def problems(version: str, name: str, positional: list[Any]) -> list[tuple[str, str]]:
    """What the arguments violate, as (attribute, message); attribute is dotted, as in the server's `extra`."""
    params = method(version, name)["params"]
    if len(positional) > len(params):
        return [("", f"Too many arguments (expected {len(params)}, found {len(positional)})")]
    given = dict(zip(params, positional, strict=False))
    found = []
    for error in _validator(version, name, "args").iter_errors(given):
        found += _leaves(error)
    return found


def validate_args(version: str, name: str, positional: list[Any]) -> list[str]:
    """Problems of a call's positional arguments, one line each; empty when the call is valid."""
    return [f"{where or name}: {message}" for where, message in problems(version, name, positional)]


def validate_result(version: str, name: str, result: Any) -> list[str]:
    """Problems of a return value; empty when valid or when upstream declares no result schema."""
    if "result" not in method(version, name):
        return []
    errors = _validator(version, name, "result").iter_errors({"result": result})
    return [f"{where}: {message}" for error in errors for where, message in _leaves(error)]


def fill_defaults(version: str, name: str, positional: list[Any]) -> list[Any]:
    """The arguments as the server's method sees them: missing ones and missing object fields set to their default."""
    entry = method(version, name)
    defs = entry["args"].get("$defs", {})
    filled = []
    for index, param in enumerate(entry["params"]):
        schema = entry["args"]["properties"][param]
        if index < len(positional):
            filled.append(_fill(schema, positional[index], defs))
        elif "default" in schema:
            filled.append(_fill(schema, schema["default"], defs))
        else:
            filled.append(_fill(schema, {}, defs) if schema.get("type") == "object" or "$ref" in schema else None)
    return filled


def prune(version: str, name: str, result: Any) -> Any:
    """The result without the object fields that this API version's schema does not know."""
    entry = method(version, name)
    if "result" not in entry:
        return result
    return _prune(entry["result"]["properties"]["result"], result, entry["result"].get("$defs", {}))


@cache
def _validator(version: str, name: str, part: str) -> Draft202012Validator:
    return Draft202012Validator(method(version, name)[part])


def _leaves(error: Any) -> list[tuple[str, str]]:
    """The innermost errors; of an anyOf only the branch that got furthest, so that one mistake is one line."""
    where = ".".join(str(part) for part in error.absolute_path)
    if error.context:
        branches: dict[int, list[Any]] = {}
        for inner in error.context:
            branches.setdefault(inner.schema_path[0], []).append(inner)
        best = min(branches.values(), key=lambda errors: (sum(_weight(e) for e in errors), len(errors)))
        return [leaf for inner in best for leaf in _leaves(inner)]
    if error.validator == "additionalProperties":
        extra = sorted(set(error.instance) - set(error.schema.get("properties", {})))
        return [(".".join(filter(None, (where, field))), "Extra inputs are not permitted") for field in extra]
    if error.validator == "required":
        field = next(f for f in error.validator_value if error.message.startswith(f"'{f}' "))
        return [(".".join(filter(None, (where, field))), "Field required")]
    return [(where, error.message)]


def _weight(error: Any) -> int:
    """A wrong discriminator (`type: VOLUME` against FILESYSTEM) says: this is not the branch that was meant."""
    return 10 if error.validator in ("const", "type") else 1


def _resolve(schema: dict[str, Any], defs: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = defs[schema["$ref"].rsplit("/", 1)[1]]
    return schema


def _fits(schema: dict[str, Any], value: Any, defs: dict[str, Any]) -> bool:
    return Draft202012Validator({**schema, "$defs": defs}).is_valid(value)


def _fill(schema: dict[str, Any], value: Any, defs: dict[str, Any]) -> Any:
    schema = _resolve(schema, defs)
    for branch in schema.get("anyOf", schema.get("oneOf", ())):
        if _fits(branch, value, defs):
            return _fill(branch, value, defs)
    if isinstance(value, dict):
        out = dict(value)
        for field, inner in schema.get("properties", {}).items():
            if field in value:
                out[field] = _fill(inner, value[field], defs)
            elif "default" in inner:
                out[field] = _fill(inner, inner["default"], defs)
        return out
    if isinstance(value, list):
        return [_fill(schema.get("items", {}), item, defs) for item in value]
    return value


def _prune(schema: dict[str, Any], value: Any, defs: dict[str, Any]) -> Any:
    schema = _resolve(schema, defs)
    branches = [_resolve(branch, defs) for branch in schema.get("anyOf", schema.get("oneOf", ()))]
    if branches:
        kind = "object" if isinstance(value, dict) else "array" if isinstance(value, list) else None
        matching = [branch for branch in branches if branch.get("type") == kind]
        if len(matching) == 1:
            return _prune(matching[0], value, defs)
        for branch in matching:
            pruned = _prune(branch, value, defs)
            if _fits(branch, pruned, defs):
                return pruned
        return value
    if isinstance(value, dict) and "properties" in schema:
        closed = schema.get("additionalProperties") is False
        known = schema["properties"]
        return {k: _prune(known.get(k, {}), v, defs) for k, v in value.items() if k in known or not closed}
    if isinstance(value, list):
        return [_prune(schema.get("items", {}), item, defs) for item in value]
    return value
