"""From flat inventory data to one typed spec per host, with every problem found at once. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from zerotoil.error_codes import Code
from zerotoil.errors import LabError, coded
from zerotoil.model import rules, wording
from zerotoil.model.k3s_cluster import clusters, held_back
from zerotoil.model.os_updates import turns
from zerotoil.model.spec import SECTIONS, HostSpec, keys

Layers = list[tuple[str, Mapping[str, Any]]]  # highest precedence first: ("--data", {…}), ("host data", {…}), …


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in the inventory: host, key, where the value came from, and what would be right."""

    host: str
    key: str
    source: str
    what: str
    code: Code

    def __str__(self) -> str:
        where = f" (from {self.source})" if self.source else ""
        return f"{self.host}: {self.key}{where}: {self.what}"

    @property
    def shown(self) -> str:
        """The line as people get it at the edges: with the code at its end."""
        return coded(str(self), self.code)


class Problems(LabError):
    """Several problems as one error, a line each; each line has its own code, the error has the first one's."""

    def __init__(self, found: Sequence[Problem]) -> None:
        self.found = list(found)
        super().__init__("\n".join(map(str, self.found)), code=self.found[0].code)

    @property
    def shown(self) -> str:
        """All lines, each with its code."""
        return "\n".join(problem.shown for problem in self.found)


@dataclass
class Declared:
    """What the inventory declares: the specs of the hosts that are right, and the problems of those that are not.

    `partly`: those hosts as far as they are right, so that all else that is wrong can be said at once. Never for a deploy.
    """

    specs: dict[str, HostSpec] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    layers: Mapping[str, Layers] = field(default_factory=dict)
    partly: dict[str, HostSpec] = field(default_factory=dict)

    def problems_of(self, host: str) -> list[Problem]:
        """The problems that concern one host."""
        return [problem for problem in self.problems if problem.host == host]

    def source(self, host: str, key: str) -> str:
        """Where a host's value of a key was written; empty for a default."""
        return _source(key, self.layers.get(host, []))


def declare(hosts: Mapping[str, Layers], also_known: Iterable[str] = ()) -> Declared:
    """Specs and problems of all hosts. `also_known` are keys of pyinfra itself; keys that start with "_" are the owner's."""
    declared = Declared(layers=hosts)
    for host, layers in hosts.items():
        spec, problems = _host(host, layers, frozenset(also_known))
        declared.problems += problems
        if spec and all(problem.code is Code.UNKNOWN_KEY for problem in problems):
            declared.specs[host] = spec
        elif spec:
            declared.partly[host] = spec
    _take_turns(declared)
    for host, key, what, code in rules.across_hosts(declared.specs):
        declared.problems.append(Problem(host, key, _source(key, hosts[host]), what, code))
    _join(declared)
    for name in dict.fromkeys(problem.host for problem in declared.problems if problem.host in declared.specs):
        declared.partly[name] = declared.specs.pop(name)
    return declared


def _join(declared: Declared) -> None:
    """Every host of a cluster is told of its cluster; where that is not known for certain, the host is left alone."""
    wrong: dict[str, bool] = {}
    for problem in declared.problems:
        wrong[problem.host] = wrong.get(problem.host, False) or problem.code is Code.K3S_CLUSTER
    of = {host: _cluster(host, layers) for host, layers in declared.layers.items() if _value("k3s_role", layers)}
    for host, key, what, code in held_back(of, wrong):
        declared.problems.append(Problem(host, key, declared.source(host, key), what, code))
    for host, cluster in clusters(declared.specs).items():
        declared.specs[host] = declared.specs[host].model_copy(update={"k3s_in": cluster})


def _take_turns(declared: Declared) -> None:
    """Every host is told when it is its turn in a window. A host that is declared wrong keeps its place among the others."""
    labs = {
        host: str(_value("lab_name", layers) or "lab") for host, layers in declared.layers.items() if _value("os_window", layers)
    }
    for host, turn in turns(labs).items():
        if host in declared.specs:
            declared.specs[host] = declared.specs[host].model_copy(update={"os_turn": turn})


def _cluster(host: str, layers: Layers) -> tuple[str, bool]:
    """The cluster that a host means, also where the rest of it is wrong; and whether it is a server."""
    return str(_value("k3s_cluster", layers) or host), _value("k3s_role", layers) != "agent"


def _value(key: str, layers: Layers) -> Any:
    return next((data[key] for _, data in layers if key in data), None)


def _host(name: str, layers: Layers, also_known: frozenset[str]) -> tuple[HostSpec | None, list[Problem]]:
    """The spec of one host, as far as it is right, and its problems."""
    known, problems = keys(), []
    raw: dict[str, Any] = {"name": name, **{section: {} for section in SECTIONS}}
    for source, data in reversed(layers):
        for key, value in data.items():
            if key in known:
                section, name_in_section = known[key]
                raw[section][name_in_section] = value
            elif key not in also_known and not str(key).startswith("_"):
                problems.append(Problem(name, str(key), source, _unknown(str(key), known), code=Code.UNKNOWN_KEY))
    try:
        return HostSpec.model_validate(raw), problems
    except ValidationError as error:
        found = error.errors(include_url=False)
        return _right_part(raw, found), problems + [_problem(name, layers, item) for item in found]


def _right_part(raw: dict[str, Any], wrong: Iterable[Any]) -> HostSpec | None:
    """The host with the default in place of each wrong value; None where that is no host either."""
    for section, key in filter(None, map(_key_of, wrong)):
        raw[section].pop(key, None)
    try:
        return HostSpec.model_validate(raw)
    except ValidationError:
        return None


def _key_of(item: Any) -> tuple[str, str] | None:
    section, *rest = wording.location(item) or ("name",)
    return (str(section), str(rest[0])) if rest else None


def _unknown(key: str, known: Mapping[str, object]) -> str:
    meant = wording.near(key.lower(), [name for name in known if "_" in name])
    return f"unknown key; did you mean {meant}?" if meant else "unknown key; docs/reference/keys.md lists all"


def _source(key: str, layers: Layers) -> str:
    return next((source for source, data in layers if key in data), "")


def _problem(host: str, layers: Layers, item: Any) -> Problem:
    """A pydantic error in the words of the inventory: flat key, then the place inside it."""
    section, *rest = wording.location(item) or ("name",)
    if not rest:
        return Problem(host, "host", "", wording.words(item, HostSpec, (section,)), wording.code(item))
    key = _written(section, rest[0], layers)
    if item["type"] == "missing" and not rest[1:]:
        return Problem(host, key, "", f"missing; {_description(section, rest[0])}", code=Code.MISSING_KEY)
    what = wording.words(item, SECTIONS[section], tuple(rest))
    inside = wording.inside(rest[1:])
    return Problem(host, key, _source(key, layers), f"{inside}: {what}" if inside else what, wording.code(item))


def _written(section: str, name: str, layers: Layers) -> str:
    """The key as the owner wrote it: some have a short name too."""
    names = [key for key, place in keys().items() if place == (section, name)]
    return next((key for _, data in layers for key in names if key in data), names[0])


def _description(section: str, name: str) -> str:
    return wording.lowered(SECTIONS[section].model_fields[name].description or "")
