"""Keel and the Tailscale operator, as objects for k3s's own helm controller. Reveals secrets, unless only names matter.

A chart's secret values come from a Secret (`valuesSecrets`), never from the HelmChart, which everybody may read who may read
the cluster. Sources: helm.cattle.io/v1; the charts' values.yaml.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import yaml

from zerotoil.error_codes import Code
from zerotoil.model.compose.findings import Finding
from zerotoil.model.keel import read_by_keel
from zerotoil.model.kubernetes.objects import GENERATED, IMAGES, PLACEHOLDER, Object
from zerotoil.model.secret import MASK, Secret
from zerotoil.model.spec import HostSpec

_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
_SECRET, _LOGIN = "keel-values", "login.yaml"


def keel(spec: HostSpec, offline: bool = False) -> list[Object]:
    """Keel: namespace, chart, and the Secret with its password and sinks."""
    if not spec.keel.enabled:
        return []
    values = {
        "helmProvider": {"enabled": False},
        "polling": {"enabled": True, "defaultSchedule": f"@every {spec.keel.poll}s"},
        "service": {"enabled": True, "type": "ClusterIP"},
        "persistence": {"enabled": True, "storageClass": spec.keel.storage_class, "size": "1Gi"},
    }
    chart = _chart("keel", "keel", spec.keel.repo, spec.keel.version, values)
    login = {"basicauth": {"enabled": True, "user": "keel", "password": PLACEHOLDER}}
    urls = [MASK if offline else sink.reveal() for sink in spec.notify.sinks]
    secret = {_LOGIN: yaml.safe_dump(login), "sinks.yaml": yaml.safe_dump({"shoutrrr": {"urls": " ".join(urls)}})}
    chart["spec"]["valuesSecrets"] = [{"name": _SECRET, "keys": list(secret)}]
    made = [_space("keel"), _secret("kube-system", _SECRET, secret), chart]
    made[1]["metadata"]["annotations"] = {GENERATED: _LOGIN}
    return [Object(body, "keel_enabled") for body in made]


def tailscale(spec: HostSpec, offline: bool = False) -> list[Object]:
    """The operator: namespace, chart, and the Secret with its OAuth client."""
    wanted = spec.tailscale
    if not wanted.enabled:
        return []
    values = {
        "operatorConfig": {"defaultTags": [wanted.operator_tag], "hostname": f"{spec.k3s.cluster}-operator"},
        "proxyConfig": {"defaultTags": wanted.tag},
    }
    client = {"client_id": _text(wanted.client_id, offline), "client_secret": _text(wanted.client_secret, offline)}
    chart = _chart("tailscale-operator", "tailscale", wanted.repo, wanted.version, values)
    made = [_space("tailscale"), _secret("tailscale", "operator-oauth", client), chart]
    return [Object(body, "tailscale_enabled") for body in made]


def with_policies(spec: HostSpec, objects: list[Object]) -> tuple[list[Object], list[Finding]]:
    """The workloads with what Keel reads on them, and what is declared of workloads that nobody declares."""
    wanted, made = dict(spec.keel.workloads), []
    for one in objects:
        policy = wanted.pop(f"{one.namespace or 'default'}/{one.name}", "") if one.kind in _WORKLOADS else ""
        if policy:
            one = one.annotated(**read_by_keel(policy))
        made.append(_with_images(one))
    found = [_absent(name) for name in wanted]
    return made, found + [finding for one in made for finding in _lint(one)]


def _absent(name: str) -> Finding:
    what = f"{name} is no Deployment, StatefulSet or DaemonSet of cluster/"
    return Finding(Code.MANIFEST_RULE, what, 1, f"keel_workloads[{name}]")


def _lint(one: Object) -> Iterator[Finding]:
    """Annotations that the owner wrote, too."""
    notes = one.body["metadata"].get("annotations") or {}
    if notes.get("keel.sh/policy") == "force" and str(notes.get("keel.sh/matchTag")).lower() != "true":
        file, _, line = one.where.rpartition(":")
        what = f'{one.title}: policy force without keel.sh/matchTag: "true" takes any tag that is pushed, also an older one'
        yield Finding(Code.MANIFEST_RULE, what, int(line) if line.isdigit() else 1, file or one.where)


def _with_images(one: Object) -> Object:
    """The declared images as a note: those that Keel chooses stay as long as these are declared."""
    notes = one.body["metadata"].get("annotations") or {}
    if one.kind not in _WORKLOADS or notes.get("keel.sh/policy", "never") == "never":
        return one
    pod = ((one.body.get("spec") or {}).get("template") or {}).get("spec") or {}
    containers = [*(pod.get("initContainers") or []), *(pod.get("containers") or [])]
    return one.annotated(**{IMAGES: " ".join(f"{item.get('name')}={item.get('image')}" for item in containers)})


def risky(objects: list[Object]) -> Iterator[tuple[Object, str]]:
    """Workloads that a new major version may reach without being asked for."""
    for one in objects:
        notes = one.body["metadata"].get("annotations") or {}
        if notes.get("keel.sh/policy") in ("major", "all") and not str(notes.get("keel.sh/approvals", "0")).strip("0"):
            yield one, "a new major version is taken without asking; major+approve asks first"


def _chart(name: str, space: str, repo: str, version: str, values: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "helm.cattle.io/v1",
        "kind": "HelmChart",
        "metadata": {"name": name, "namespace": "kube-system"},
        "spec": {
            "chart": name, "repo": repo, "version": version, "targetNamespace": space, "failurePolicy": "abort",
            "valuesContent": yaml.safe_dump(values, sort_keys=False),
        },
    }  # fmt: skip


def _space(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _secret(space: str, name: str, values: dict[str, str]) -> dict[str, Any]:
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": space}, "type": "Opaque", "data": data}


def _text(secret: Secret | None, offline: bool) -> str:
    assert secret is not None
    return MASK if offline else secret.reveal()
