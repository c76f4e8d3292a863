"""A cluster in words: its nodes, what its Plans lead to, and what is wrong with the command that mends it. Pure.

system-upgrade-controller uncordons a node only when its job has ended well, and makes a failed job again only when the Plan
changes: a node that is cordoned for ever is what that looks like.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from zerotoil.resources.cluster.approvals import waiting_lines

_FOUND, _FAILED, _SPACE = "302", "JobFailed", "system-upgrade"


def lines(host: str, cluster: str, seen: Mapping[str, Any]) -> Iterator[str]:
    """What there is to say, line by line; what is wrong begins with "!"."""
    nodes, plans = seen["nodes"], seen["plans"]
    yield f"{cluster}: {len(nodes)} node{'' if len(nodes) == 1 else 's'}"
    width = max((len(node["name"]) for node in nodes), default=0)
    for node in nodes:
        yield f"  {node['name']:{width}}  {node['version']}  {_state(node)}"
    for plan in plans:
        yield from _plan(plan, seen)
    if not plans:
        yield "no Plan: it does not upgrade itself (upgrades_enabled)"
    for node in nodes:
        yield from _cordoned(host, node, seen)
    for plan in plans:
        yield from _failed(host, plan, seen)
    yield from waiting_lines(host, seen.get("approvals", ()))


def is_well(seen: Mapping[str, Any]) -> bool:
    """Are all nodes ready and taking pods, did no upgrade fail, and does Keel answer, and all channels as they must?"""
    nodes = all(node["ready"] and not node["cordoned"] for node in seen["nodes"])
    failed = any(plan["complete"] and plan["complete"]["reason"] == _FAILED for plan in seen["plans"])
    failed = failed or any(job["failed"] for job in seen["jobs"])
    keel = seen.get("approvals", ()) is not None
    return nodes and keel and not failed and all(answer["code"] == _FOUND for answer in seen["channels"].values())


def _state(node: Mapping[str, Any]) -> str:
    words = ["ready" if node["ready"] else "NOT READY", "server" if node["server"] else "agent"]
    return ", ".join(words + (["cordoned"] if node["cordoned"] else []))


def _plan(plan: Mapping[str, Any], seen: Mapping[str, Any]) -> Iterator[str]:
    aim = plan["version"] or plan["channel"].rpartition("/")[2]
    latest = str(plan["latest"] or "not known yet").replace("-k3s", "+k3s")
    now = f"; now on {', '.join(plan['applying'])}" if plan["applying"] else ""
    yield f"{plan['name']}: {aim} is {latest}{now}"
    answer = seen["channels"].get(plan["channel"])
    if answer and answer["code"] != _FOUND:
        said = f"answers {answer['code']}" if answer["code"].strip("0") else "does not answer"
        more = f", and an image tagged {aim} would be run" if answer["code"] in ("200", "301") else ""
        yield f"! {plan['channel']} {said}, where only a redirect (302) names a release{more}: mend upgrades_channel"


def _cordoned(host: str, node: Mapping[str, Any], seen: Mapping[str, Any]) -> Iterator[str]:
    if not node["cordoned"]:
        return
    name = node["name"]
    plan = next((plan for plan in seen["plans"] if name in plan["applying"]), None)
    mend = f"  let pods in again: {_run(host)} uncordon {name}"
    if failed := _failure(name, seen):
        of, why = failed
        yield f"! {name} is cordoned since its upgrade by {of} failed ({why}): no new pod starts there, and nothing tries again"
        yield mend
        yield _again(host, of)
    elif plan:
        yield f"  {name} is cordoned while {plan['name']} upgrades it"
    else:
        yield f"! {name} is cordoned, by hand or by a Plan that is gone: no new pod starts there"
        yield mend


def _failure(node: str, seen: Mapping[str, Any]) -> tuple[str, str] | None:
    """(Plan, why) of a node's upgrade that failed; the job itself may be gone by now."""
    for job in seen["jobs"]:
        if job["node"] == node and job["failed"]:
            return job["plan"], job["failed"]
    for plan in seen["plans"]:
        if node in plan["applying"] and plan["complete"]["reason"] == _FAILED:
            return plan["name"], plan["complete"]["message"]
    return None


def _failed(host: str, plan: Mapping[str, Any], seen: Mapping[str, Any]) -> Iterator[str]:
    """A job may fail before it cordons its node, in the Plan's prepare step."""
    told = [node["name"] for node in seen["nodes"] if node["cordoned"]]
    failed = {job["node"]: job["failed"] for job in seen["jobs"] if job["plan"] == plan["name"] and job["failed"]}
    if plan["complete"] and plan["complete"]["reason"] == _FAILED:
        failed = dict.fromkeys(plan["applying"] or ["a node"], plan["complete"]["message"]) | failed
    left = {node: why for node, why in failed.items() if node not in told}
    for node, why in left.items():
        yield f"! the upgrade of {node} by {plan['name']} failed ({why}): it runs what it ran before, and nothing tries again"
    if left:
        yield f"  look: {_run(host)} -n {_SPACE} get events --field-selector involvedObject.name={plan['name']}"
        yield _again(host, plan["name"])


def _again(host: str, plan: str) -> str:
    return f"  try again: {_run(host)} -n {_SPACE} label --overwrite plan {plan} zerotoil-retry=$(date +%s)"


def _run(host: str) -> str:
    return f"zerotoil ssh {host} -- sudo k3s kubectl"
