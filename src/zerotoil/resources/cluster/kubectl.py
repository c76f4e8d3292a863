"""kubectl on a cluster's first server: one script per question, the objects in it on stdin. See scripts/kubectl.sh."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.places import K3S
from zerotoil.resources.guest.guest import Guest
from zerotoil.resources.guest.packaged import sent

_NOTE = f"{K3S}/objects"
# Kinds that may be taken away again: never a Namespace, a definition of kinds, or a volume or its claim.
PRUNABLE = (
    "v1 ConfigMap", "v1 LimitRange", "v1 ResourceQuota", "v1 Secret", "v1 Service", "v1 ServiceAccount",
    "apps/v1 DaemonSet", "apps/v1 Deployment", "apps/v1 StatefulSet",
    "autoscaling/v2 HorizontalPodAutoscaler", "batch/v1 CronJob", "batch/v1 Job",
    "helm.cattle.io/v1 HelmChart", "helm.cattle.io/v1 HelmChartConfig",
    "networking.k8s.io/v1 Ingress", "networking.k8s.io/v1 NetworkPolicy", "policy/v1 PodDisruptionBudget",
    "rbac.authorization.k8s.io/v1 ClusterRole", "rbac.authorization.k8s.io/v1 ClusterRoleBinding",
    "rbac.authorization.k8s.io/v1 Role", "rbac.authorization.k8s.io/v1 RoleBinding",
    "scheduling.k8s.io/v1 PriorityClass", "storage.k8s.io/v1 StorageClass", "upgrade.cattle.io/v1 Plan",
)  # fmt: skip


def is_used(guest: Guest) -> bool:
    """Was anything ever applied there? A cluster for which nothing is declared is not asked at all."""
    return guest.ask(f'[ ! -e "${{ZEROTOIL_NOTE:-{_NOTE}}}" ] || echo used\n').strip() == "used"


def look(guest: Guest, bodies: Sequence[Mapping[str, Any]], owner: str) -> dict[str, Any]:
    """What there is, and what a dry run would make of it; {"absent": true} of a node that has no k3s yet.

    Raises LabError where the cluster does not answer.
    """
    return _answer(guest.name, guest.ask(_script({"objects": bodies, "prunable": PRUNABLE}, "plan", owner)))


def apply(guest: Guest, bodies: Sequence[Mapping[str, Any]], gone: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Apply and take away; what was refused. Raises LabError where the cluster does not answer."""
    return _answer(guest.name, guest.write(_script({"objects": bodies, "delete": gone}, "apply")))


def waiting(guest: Guest, stubs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What is not ready, after some seconds in the guest."""
    found: list[dict[str, Any]] = _answer(guest.name, guest.ask(_script({"objects": stubs}, "ready")))["waiting"]
    return found


def status(guest: Guest) -> dict[str, Any]:
    """Nodes, Plans, jobs, channels and approvals. Raises LabError where the cluster does not answer."""
    return _answer(guest.name, guest.ask(_script({}, "status", parts=("keel.sh",))))


def approve(guest: Guest, identifier: str, action: str) -> dict[str, Any]:
    """Take or reject an update that waits for it; those that waited before, and those that wait now."""
    return _answer(guest.name, guest.write(_script({"identifier": identifier, "action": action}, "approve", parts=("keel.sh",))))


def _script(given: Mapping[str, Any], *arguments: str, parts: Sequence[str] = ()) -> str:
    text = json.dumps(given, ensure_ascii=False, separators=(",", ":"))
    return f"given() {{ cat <<'END-OF-OBJECTS'\n{text}\nEND-OF-OBJECTS\n}}\n{sent('kubectl.sh', *arguments, parts=parts)}"


def _answer(host: str, answer: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(answer)
    except json.JSONDecodeError as error:
        raise LabError(
            f"{host}: the cluster's node answered no JSON ({answer[:200]!r})",
            "is jq in its OS image?",
            code=Code.GUEST_COMMAND_FAILED,
        ) from error
    if "down" in found:
        raise LabError(
            f"{host}: its cluster does not answer ({plain(found['down']) or 'no word'})",
            f"nothing in it was changed; look: zerotoil ssh {host} -- journalctl -u k3s",
            code=Code.CLUSTER_SILENT,
        )
    return found


def plain(said: str) -> str:
    """kubectl's sentence without what stands before it, in one line."""
    text = " ".join(said.split())
    for start in ("error: ", "Error from server: ", "Error from server "):
        text = text.removeprefix(start)
    if text.startswith("(") and "): " in text:
        text = text.partition("): ")[2]
    while text.startswith("error when ") and '": ' in text:
        text = text.partition('": ')[2]
    return text
