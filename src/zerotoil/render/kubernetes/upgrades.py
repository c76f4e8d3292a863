"""system-upgrade-controller and its Plans, from what is declared. Pure.

Sources: upgrade.cattle.io/v1 (PlanSpec), pkg/upgrade/job/job.go (prepare comes before cordon and drain, the host's root is
at /host, an image without a tag gets the release's), docs.k3s.io upgrades/automated (the pair of Plans).
"""

from __future__ import annotations

import copy
import json
from importlib import resources
from typing import Any

from zerotoil.model.kubernetes.objects import Object
from zerotoil.model.spec import HostSpec
from zerotoil.model.upgrades import UpgradesSpec

VERSION = "v0.20.1"
NAMESPACE = "system-upgrade"
SERVERS, AGENTS = "server-plan", "agent-plan"
_HERE = resources.files("zerotoil.render.kubernetes")
_CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
_HOSTNAME = "kubernetes.io/hostname"


def objects(spec: HostSpec) -> list[Object]:
    """The controller and the Plans of a cluster; none where it does not upgrade itself."""
    if not spec.upgrades.enabled:
        return []
    where = f"upgrades_{'version' if spec.upgrades.version else 'channel'}"
    return [*_controller(spec.upgrades), *(Object(plan, where) for plan in plans(spec))]


def _controller(upgrades: UpgradesSpec) -> list[Object]:
    found = json.loads(_HERE.joinpath("system-upgrade-controller.json").read_text())
    for body in found:
        if body["kind"] == "Deployment":
            (container,) = body["spec"]["template"]["spec"]["containers"]
            container["image"] = f"{upgrades.controller_image}:{VERSION}"
        if body["kind"] == "ConfigMap":
            body["data"]["SYSTEM_UPGRADE_JOB_KUBECTL_IMAGE"] = upgrades.kubectl_image
            body["data"]["SYSTEM_UPGRADE_JOB_IMAGE_PULL_POLICY"] = "IfNotPresent"
            body["data"]["SYSTEM_UPGRADE_JOB_BACKOFF_LIMIT"] = "3"  # upstream's 99 would try all night, with the node cordoned
    return [Object(body, "upgrades_enabled") for body in found]


def plans(spec: HostSpec) -> list[dict[str, Any]]:
    """The servers' Plan; the agents', which waits for it, where the cluster has agents."""
    cluster, upgrades = spec.k3s_in, spec.upgrades
    assert cluster is not None
    servers = _plan(SERVERS, upgrades, {"key": _CONTROL_PLANE, "operator": "In", "values": ["true"]}, 1)
    script = _HERE.joinpath("before-upgrade.sh").read_text()
    servers["spec"]["prepare"] = {
        "image": upgrades.image, "command": ["chroot", "/host", "sh", "-c"], "args": [script],
        "securityContext": {"privileged": True},  # the controller gives it to `upgrade` alone; confined, it cannot write there
    }  # fmt: skip
    if not cluster.agents:
        return [servers]
    agents = _plan(AGENTS, upgrades, {"key": _CONTROL_PLANE, "operator": "DoesNotExist"}, upgrades.concurrency)
    agents["spec"]["prepare"] = {"image": upgrades.image, "args": ["prepare", SERVERS]}
    return [servers, agents]


def _plan(name: str, upgrades: UpgradesSpec, nodes: dict[str, Any], concurrency: int) -> dict[str, Any]:
    selected = [nodes]
    if upgrades.exclude:
        selected.append({"key": _HOSTNAME, "operator": "NotIn", "values": sorted(upgrades.exclude)})
    spec: dict[str, Any] = {
        "concurrency": concurrency,
        "serviceAccountName": "system-upgrade",
        "nodeSelector": {"matchExpressions": selected},
        "window": {
            "days": list(upgrades.days), "startTime": upgrades.start, "endTime": upgrades.end, "timeZone": upgrades.timezone,
        },
        "upgrade": {"image": upgrades.image},
    }  # fmt: skip
    spec |= {"version": upgrades.version} if upgrades.version else {"channel": upgrades.channel_url}
    if upgrades.drain:
        spec["drain"] = _drain(upgrades)
    else:
        spec["cordon"] = True
    metadata = {"name": name, "namespace": NAMESPACE}
    return copy.deepcopy({"apiVersion": "upgrade.cattle.io/v1", "kind": "Plan", "metadata": metadata, "spec": spec})


def _drain(upgrades: UpgradesSpec) -> dict[str, Any]:
    drain = upgrades.drain
    assert drain is not None
    made = {
        "force": drain.force, "deleteEmptydirData": drain.delete_emptydir_data, "deleteLocalData": drain.delete_local_data,
        "gracePeriod": drain.grace_period, "timeout": drain.timeout, "disableEviction": drain.disable_eviction,
    }  # fmt: skip
    return {"ignoreDaemonSets": True} | {name: value for name, value in made.items() if value is not None}
