"""What a plan amounts to, in numbers. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from zerotoil.layers.plan import LabPlan
from zerotoil.resources.resource import Action, Risk


@dataclass(frozen=True)
class Counts:
    """Resources, not fields: `created`, `changed`, `deleted`. `restarts`: how many of them wait for a start of their VM."""

    hosts: int
    created: int
    changed: int
    deleted: int
    restarts: int
    notices: int
    unreadable: int


def counts(plan: LabPlan) -> Counts:
    """Count it."""
    by_action: dict[Action, set[tuple[str, str]]] = {action: set() for action in Action}
    restarts = set()
    for host in plan.hosts:
        for change in host.changes:
            by_action[change.action].add((host.host, change.resource))
            if change.risk is Risk.RESTART:
                restarts.add((host.host, change.resource))
    unreadable = {host.host for host in plan.hosts if host.problems} | {problem.host for problem in plan.problems}
    return Counts(
        hosts=len({host.host for host in plan.hosts} | {problem.host for problem in plan.problems}),
        created=len(by_action[Action.CREATE]),
        changed=len(by_action[Action.UPDATE] - by_action[Action.CREATE]),
        deleted=len(by_action[Action.DELETE]),
        restarts=len(restarts),
        notices=sum(len(host.notices) for host in plan.hosts),
        unreadable=len(unreadable),
    )
