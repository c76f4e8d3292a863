"""Manifests as the owner writes them: read with line numbers, and everything that is wrong with them at once. Pure.

kubectl reads YAML 1.1, takes the last of two equal keys without a word, and lets a chart without a version move by itself.
Sources: sigs.k8s.io/yaml (goyaml.v2, resolve.go), helm.cattle.io/v1 (failurePolicy, version), kubernetes.io (names).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from zerotoil.error_codes import Code
from zerotoil.model.compose.findings import AppProblems, Finding
from zerotoil.model.compose.source import Place, Source, SourceError, read_all
from zerotoil.model.kubernetes.names import is_name
from zerotoil.model.kubernetes.objects import IMAGES, LABEL, Object

_TRAPS = re.compile(r"[yn]|[YN]|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF")
# Kinds whose names are freer: a path segment is enough.
_FREE_NAMES = {"Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"}
_SECRETS = "write it as cluster_secrets, whose values stay out of the project"


class ManifestProblems(AppProblems):
    """Several findings about manifests as one error."""


def read(text: str, file: str) -> tuple[list[Object], list[Finding]]:
    """The objects of one file, and everything that is wrong with it; a List is taken apart."""
    found: list[Finding] = []

    def trap(value: str, line: int) -> None:
        if _TRAPS.fullmatch(value):
            what = f"{value} without quotes is {_meant(value)} to kubectl and text to others; write {_meant(value)}, or quote it"
            found.append(Finding(Code.MANIFEST_MALFORMED, what, line, file))

    try:
        documents = read_all(text, trap)
    except SourceError as error:
        return [], [Finding(Code.MANIFEST_MALFORMED, str(error), error.line, file)]
    objects = []
    for source in documents:
        for value, place in _items(source):
            problem = _no_object(value, source, place, file)
            if problem:
                found.append(problem)
                continue
            made = Object(value, f"{file}:{source.lines[place]}")
            found += _rules(made, source, place, file)
            objects.append(made)
    return objects, found


def across(objects: Iterable[Object]) -> list[Finding]:
    """What is declared twice, by whatever files; both places are named."""
    first: dict[tuple[str, str, str, str], Object] = {}
    found = []
    for one in objects:
        other = first.setdefault(one.key, one)
        if other is not one:
            file, _, line = one.where.rpartition(":")
            what = f"{one.title} stands in {other.where} too; leave one of them out"
            place = (int(line), file) if line.isdigit() else (1, one.where)
            found.append(Finding(Code.MANIFEST_TWICE, what, *place))
    return found


def _meant(value: str) -> str:
    return "true" if value.lower() in ("y", "yes", "on") else "false"


def _items(source: Source) -> Iterator[tuple[Any, Place]]:
    value = source.value
    if isinstance(value, dict) and value.get("kind") == "List" and isinstance(value.get("items"), list):
        for index, item in enumerate(value["items"]):
            yield item, ("items", index)
    else:
        yield value, ()


def _no_object(value: Any, source: Source, place: Place, file: str) -> Finding | None:
    """Why a document is no object."""
    found = _misshapen(value)
    if found is None:
        return None
    what, *inside = found
    return Finding(Code.MANIFEST_MALFORMED, what, source.lines.get((*place, *inside), source.lines[place]), file)


def _misshapen(value: Any) -> tuple[str, ...] | None:
    """What is wrong, and where in it."""
    if not isinstance(value, dict):
        return ("this is no object; a manifest begins with apiVersion and kind",)
    for field in ("apiVersion", "kind"):
        if not isinstance(value.get(field), str) or not value[field]:
            return f"{field} is missing; an object has apiVersion, kind and metadata.name", field
    metadata = value.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("name") is None:
        more = "; generateName makes another one at every deploy" if "generateName" in (metadata or {}) else ""
        return f"metadata.name is missing; this {value['kind']} has no name{more}", "metadata"
    for field in ("name", "namespace"):
        if not isinstance(metadata.get(field) or "", str):
            return f"metadata.{field} is a {type(metadata[field]).__name__}; quote it", "metadata", field
    for field in ("labels", "annotations"):
        if not isinstance(metadata.get(field) or {}, dict):
            return f"metadata.{field} is no mapping", "metadata", field
    return None


def _rules(one: Object, source: Source, place: Place, file: str) -> Iterator[Finding]:
    """What the cluster would take, and should not get."""

    def broken(what: str, *inside: str) -> Finding:
        line = next((source.lines[at] for at in _towards((*place, *inside)) if at in source.lines), source.lines[()])
        return Finding(Code.MANIFEST_RULE, what, line, file)

    if one.kind not in _FREE_NAMES and not is_name(one.name):
        yield broken(f"{one.name!r} is no name of an object; use a-z, 0-9, '-' and '.'", "metadata", "name")
    if one.namespace and not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", one.namespace):
        yield broken(f"{one.namespace!r} is no name of a namespace; use a-z, 0-9 and '-'", "metadata", "namespace")
    for whose, *inside in _not_the_owners(one.body):
        yield broken(f"{inside[2] if inside[2:] else '.'.join(inside)} is {whose}; leave it out", *inside)
    if one.kind == "Secret" and one.group == "" and (one.body.get("data") or one.body.get("stringData")):
        yield broken(f"{one.title} has its data in the project; {_SECRETS}", "data" if one.body.get("data") else "stringData")
    if one.kind == "HelmChart" and one.group == "helm.cattle.io":
        yield from _chart(one, broken)


def _not_the_owners(body: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Whose a field is that stands in a manifest, and where."""
    metadata = body["metadata"]
    for kind, ours in (("labels", LABEL), ("annotations", IMAGES)):
        if ours in (metadata.get(kind) or {}):
            yield "zerotoil's own", "metadata", kind, ours
    for field in ("managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "selfLink"):
        if field in metadata:
            yield "the cluster's own", "metadata", field
    if "status" in body:
        yield "the cluster's own", "status"


def _chart(one: Object, broken: Any) -> Iterator[Finding]:
    spec = one.body.get("spec")
    spec = spec if isinstance(spec, dict) else {}
    where = str(spec.get("chart") or "")
    pinned = spec.get("version") or spec.get("chartContent") or where.endswith(".tgz")
    if not pinned:
        yield broken(f"{one.title} has no version: the chart would move by itself; write spec.version", "spec", "chart")
    if spec.get("version") is not None and not isinstance(spec["version"], str):
        yield broken(f"spec.version {spec['version']} is a number; quote it", "spec", "version")
    if spec.get("failurePolicy", "reinstall") == "reinstall":
        what = "uninstalls the chart, and what it keeps, when an upgrade fails; write failurePolicy: abort, or retry"
        told = f"failurePolicy {'reinstall' if 'failurePolicy' in spec else 'is not set, and its default, reinstall,'} {what}"
        yield broken(told, "spec", "failurePolicy")


def _towards(place: Place) -> Iterator[Place]:
    """The place, and all that it is in."""
    for length in range(len(place), -1, -1):
        yield place[:length]
