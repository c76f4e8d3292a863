"""What a plan amounts to, in numbers. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from zerotoil.layers.layers import IN_GUEST
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
        for layer, change in ((of, change) for of in host.layers for change in of.changes):
            by_action[change.action].add((host.host, change.resource))
            if change.risk is Risk.RESTART and layer.title not in IN_GUEST:
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


def in_words(plan: LabPlan) -> str:
    """One line that sums the plan up."""
    total = counts(plan)
    text = f"{total.hosts} host{'s' if total.hosts != 1 else ''}: "
    parts = [f"{number} to {word}" for number, word in ((total.created, "create"), (total.changed, "change")) if number]
    parts += [f"{total.deleted} to delete"] if total.deleted else []
    text += ", ".join(parts) or "nothing to change"
    text += f" ({total.restarts} at the next start of their VM)" if total.restarts else ""
    text += f"; {total.notices} to know about" if total.notices else ""
    text += f"; {total.unreadable} host{'s' if total.unreadable != 1 else ''} could not be read" if total.unreadable else ""
    return text
