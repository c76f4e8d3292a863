"""What is outdated, for programs. Version 1: updates.schema.json beside this file, docs/reference/updates.md. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib import resources
from typing import Any

from zerotoil.errors import LabError
from zerotoil.layers.updates.found import HostUpdates, Update, Version, exit_code
from zerotoil.model.inventory import Problem

VERSION = 1


def as_text(hosts: Sequence[HostUpdates], problems: Sequence[Problem] = ()) -> str:
    """All hosts, and the problems of those that are not declared right, as JSON."""
    content = {
        "version": VERSION,
        "exit_code": exit_code(hosts, len(problems)),
        "hosts": [_host(host) for host in hosts],
        "problems": [asdict(problem) | {"code": str(problem.code)} for problem in problems],
    }
    return json.dumps(content, indent=2, ensure_ascii=False)


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the format."""
    text = resources.files("zerotoil.layers.updates").joinpath("updates.schema.json").read_text()
    return json.loads(text)  # type: ignore[no-any-return]


def _host(host: HostUpdates) -> dict[str, Any]:
    return {
        "host": host.host,
        "os": _update(host.os) if host.os else None,
        "containers": [_update(update) for update in host.containers],
        "problems": [_problem(problem) for problem in host.problems],
    }


def _update(update: Update) -> dict[str, Any]:
    return {
        "app": update.app,
        "service": update.service,
        "container": update.container,
        "image": update.image,
        "policy": update.policy,
        "outdated": update.outdated,
        "running": _version(update.running),
        "same_tag": _version(update.same_tag),
        "newer_tag": _version(update.newer_tag),
        "why": list(update.why),
        "problem": _problem(update.problem) if update.problem else None,
    }


def _version(version: Version | None) -> dict[str, str | None] | None:
    if version is None:
        return None
    created = version.created.isoformat() if version.created else None
    return {"tag": version.tag, "version": version.version, "digest": version.digest, "created": created}


def _problem(problem: LabError) -> dict[str, str]:
    return {"what": problem.what, "remedy": problem.remedy, "code": str(problem.code)}
