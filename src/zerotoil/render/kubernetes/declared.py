"""Secrets and the StorageClass that are declared by keys. Reveals the secrets, unless only their names matter.

Sources: rancher/local-path-provisioner README (pathPattern); k3s's default folder /var/lib/rancher/k3s/storage lies on the data
disk, where k3s-selinux labels it for containers: another folder would not be.
"""

from __future__ import annotations

import base64
from typing import Any

from zerotoil.model.kubernetes.objects import Object
from zerotoil.model.secret import MASK
from zerotoil.model.spec import HostSpec


def secrets(spec: HostSpec, offline: bool = False) -> list[Object]:
    """The declared Secrets. `data`, not stringData: with that, a key that is taken out would stay."""
    made = []
    for name, secret in spec.cluster.secrets.items():
        values = {key: MASK if offline else value.reveal() for key, value in secret.keys.items()}
        data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
        metadata = {"name": name, "namespace": secret.namespace}
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": secret.type, "data": data}
        made.append(Object(body, f"cluster_secrets[{name}]"))
    return made


def storage(spec: HostSpec) -> list[Object]:
    """A StorageClass whose volumes are found again: their folder is named after their claim, and stays without it."""
    if not spec.cluster.storage_class:
        return []
    body: dict[str, Any] = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": spec.cluster.storage_class},
        "provisioner": "rancher.io/local-path",
        "parameters": {"pathPattern": "{{ .PVC.Namespace }}/{{ .PVC.Name }}"},
        "reclaimPolicy": "Retain",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    return [Object(body, "cluster_storage_class")]
