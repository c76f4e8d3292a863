"""A cluster in words: its nodes, what its Plans lead to, and what is wrong with the command that mends it. Pure.

system-upgrade-controller uncordons a node only when its job has ended well, and makes a failed job again only when the Plan
changes: a node that is cordoned for ever is what that looks like.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_FOUND = "302"


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


def is_well(seen: Mapping[str, Any]) -> bool:
    """Are all nodes ready and taking pods, and do all channels answer as they must?"""
    nodes = all(node["ready"] and not node["cordoned"] for node in seen["nodes"])
    return nodes and all(answer["code"] == _FOUND for answer in seen["channels"].values())


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
    name, run = node["name"], f"zerotoil ssh {host} -- sudo k3s kubectl"
    jobs = [job for job in seen["jobs"] if job["node"] == name]
    failed = next((job for job in jobs if job["failed"]), None)
    plan = next((plan for plan in seen["plans"] if name in plan["applying"]), None)
    if failed or (plan and plan["complete"]["reason"] == "JobFailed"):
        of = failed["plan"] if failed else plan["name"] if plan else ""
        why = failed["failed"] if failed else plan["complete"]["message"] if plan else ""
        yield f"! {name} is cordoned since its upgrade by {of} failed ({why}): no new pod starts there, and nothing tries again"
        yield f"  let pods in again: {run} uncordon {name}"
        yield f"  try again: {run} -n system-upgrade label --overwrite plan {of} zerotoil-retry=$(date +%s)"
    elif plan:
        yield f"  {name} is cordoned while {plan['name']} upgrades it"
    else:
        yield f"! {name} is cordoned, by hand or by a Plan that is gone: no new pod starts there"
        yield f"  let pods in again: {run} uncordon {name}"
