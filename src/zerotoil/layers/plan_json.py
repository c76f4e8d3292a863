"""A plan for programs. Version 1 of the format: plan.schema.json beside this file, docs/reference/plan.md. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib import resources
from typing import Any

from zerotoil.errors import LabError
from zerotoil.layers.plan import HostPlan, LabPlan
from zerotoil.layers.summary import counts
from zerotoil.model.secret import Secret
from zerotoil.resources.resource import Change

VERSION = 1


def as_text(plan: LabPlan) -> str:
    """The plan as JSON."""
    return json.dumps(as_data(plan), indent=2, ensure_ascii=False)


def as_data(plan: LabPlan) -> dict[str, Any]:
    """The plan as plain data."""
    return {
        "version": VERSION,
        "exit_code": plan.exit_code,
        "summary": asdict(counts(plan)),
        "hosts": [_host(host) for host in plan.hosts],
        "problems": [asdict(problem) | {"code": str(problem.code)} for problem in plan.problems],
    }


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the format."""
    text = resources.files("zerotoil.layers").joinpath("plan.schema.json").read_text()
    return json.loads(text)  # type: ignore[no-any-return]


def _host(host: HostPlan) -> dict[str, Any]:
    return {
        "host": host.host,
        "layers": [
            {
                "layer": layer.title,
                "changes": [_change(change) for change in layer.changes],
                "problems": [_problem(problem) for problem in layer.problems],
            }
            for layer in host.layers
        ],
        "notices": [
            {
                "resource": notice.resource,
                "kind": str(notice.kind),
                "what": notice.what,
                "command": notice.command,
                "changes": [_change(change) for change in notice.changes],
            }
            for notice in host.notices
        ],
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "resource": change.resource,
        "action": str(change.action),
        "field": change.field,
        "before": _plain(change.before),
        "after": _plain(change.after),
        "risk": str(change.risk),
    }


def _problem(problem: LabError) -> dict[str, str]:
    return {"what": problem.what, "remedy": problem.remedy, "code": str(problem.code)}


def _plain(value: Any) -> Any:
    """JSON's own types as they are; a secret as its mask, anything else in words."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return repr(value) if isinstance(value, Secret) else str(value)
