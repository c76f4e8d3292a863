"""Two states of an object, field by field; and whose a field is, by what the API server keeps of its managers. Pure.

Source: kubernetes.io reference/using-api/server-side-apply (fieldsV1: "f:NAME", "k:{…}" of an associative list, "v:…", ".").
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

OURS = "zerotoil"
# They do their work in objects of ours; whoever else writes is a person, or a tool that a person runs.
CONTROLLERS = frozenset({
    "k3s", "helm-controller", "kube-controller-manager", "kube-scheduler", "kubelet", "suc", "system-upgrade-controller", "keel",
})  # fmt: skip
_TOOLS = ("kubernetes.io/", "cattle.io/", "keel.sh/")  # what they note in labels and annotations is for themselves
Path = tuple[str, ...]


def differences(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(path, value before, value after) of every field that differs; items of a list go by their name where all have one."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from _entry(before, after, key, joined(path, key))
        return
    if isinstance(before, list) and isinstance(after, list):
        one, two = _by_name(before), _by_name(after)
        if one is not None and two is not None and list(one) == list(two):  # their order counts, too
            for name in one:
                yield from differences(one[name], two[name], f"{path}[{name}]")
            return
        if len(before) == len(after):
            for index, (old, new) in enumerate(zip(before, after, strict=True)):
                yield from differences(old, new, f"{path}[{index}]")
            return
    if before != after or type(before) is not type(after):  # 1 is not True
        yield path, before, after


def _entry(before: Mapping[str, Any], after: Mapping[str, Any], key: str, path: str) -> Iterator[tuple[str, Any, Any]]:
    if key in before and key in after:
        yield from differences(before[key], after[key], path)
    else:
        yield path, before.get(key), after.get(key)


def joined(path: str, key: str) -> str:
    """A path with one more key; a key that is no word stands in quotes."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+", key):
        return f"{path}[{json.dumps(key, ensure_ascii=False)}]"
    return f"{path}.{key}" if path else key


def _by_name(items: list[Any]) -> dict[str, Any] | None:
    if not all(isinstance(item, dict) and isinstance(item.get("name"), str) for item in items):
        return None
    found = {item["name"]: item for item in items}
    return found if len(found) == len(items) else None


def foreign(managed: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """(manager, path) of every field that is somebody else's alone, and no controller's, metadata of its kind left out."""
    ours: set[Path] = set()
    for entry in managed:
        if entry.get("manager") == OURS and entry.get("operation") == "Apply":
            ours |= set(_leaves(entry.get("fieldsV1") or {}))
    found = {}
    for entry in managed:
        who = str(entry.get("manager") or "somebody")
        if who == OURS or who in CONTROLLERS or who.startswith("deploy@"):
            continue
        for path in _leaves(entry.get("fieldsV1") or {}):
            if path not in ours and not _known(path):
                found[shown(path)] = who
    return sorted((who, path) for path, who in found.items())


def _known(path: Path) -> bool:
    """Fields that tools keep for themselves."""
    if path[:1] == ("f:metadata",):
        return len(path) < 3 or path[1] in ("f:finalizers", "f:ownerReferences") or any(of in path[2] for of in _TOOLS)
    return path[:1] == ("f:status",)


def _leaves(fields: Mapping[str, Any], path: Path = ()) -> Iterator[Path]:
    inner = {key: value for key, value in fields.items() if key != "."}
    if not inner and path:
        yield path
    for key, value in inner.items():
        yield from _leaves(value or {}, (*path, key))


def shown(path: Iterable[str]) -> str:
    """A path of fieldsV1 in the notation of `differences`."""
    text = ""
    for part in path:
        kind, _, rest = part.partition(":")
        if kind == "f":
            text = joined(text, rest)
        elif kind == "k":
            keys = json.loads(rest)
            text += f"[{keys.get('name', ','.join(str(value) for value in keys.values()))}]"
        else:
            text += f"[{rest}]"
    return text
