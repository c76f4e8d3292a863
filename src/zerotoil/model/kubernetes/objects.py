"""One object of a cluster as it is declared, and the label that says whose it is. Pure.

Sources: kubernetes.io concepts/overview/working-with-objects/names (RFC 1123) and /labels (syntax of a value).
"""

from __future__ import annotations

import copy
import hashlib
from dataclasses import dataclass, replace
from typing import Any

import yaml

from zerotoil.model.secret import MASK

LABEL = "zerotoil/managed"  # its value: LAB.CLUSTER
IMAGES = "zerotoil/images"  # on what Keel updates: the images that are declared, so that those which it chose stay
GENERATED = "zerotoil/generated"  # on a Secret: in this key the placeholder becomes a password, made once, in the cluster
PLACEHOLDER = "@GENERATED@"
_LONGEST = 63  # a label's value


@dataclass(frozen=True)
class Object:
    """One object. `where` is FILE:LINE of its manifest, or the key that it comes from. A secret's data is never shown."""

    body: dict[str, Any]
    where: str

    @property
    def kind(self) -> str:
        """For instance Deployment."""
        return str(self.body["kind"])

    @property
    def api(self) -> str:
        """Group and version, for instance apps/v1."""
        return str(self.body["apiVersion"])

    @property
    def group(self) -> str:
        """The group alone; empty for the core's."""
        return self.api.rpartition("/")[0]

    @property
    def namespace(self) -> str:
        """As it is written; empty where none is."""
        return str(self.body["metadata"].get("namespace") or "")

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.body["metadata"]["name"])

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes it another object than another one; the version of an API does not."""
        return self.group, self.kind, self.namespace or "default", self.name

    @property
    def title(self) -> str:
        """Its natural key in words, for instance "Deployment web/web"."""
        return title(self.kind, self.namespace, self.name)

    @property
    def stub(self) -> dict[str, Any]:
        """As much of it as finds it."""
        metadata = {"name": self.name} | ({"namespace": self.namespace} if self.namespace else {})
        return {"apiVersion": self.api, "kind": self.kind, "metadata": metadata}

    def shown(self) -> str:
        """The manifest as a person may see it."""
        body = self.body
        if self.kind == "Secret":
            body = body | {"data": dict.fromkeys(body.get("data") or {}, MASK)}
        return yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=1000)

    def labelled(self, owner: str) -> Object:
        """The same with the label that says whose it is."""
        body = copy.deepcopy(self.body)
        labels = body["metadata"].get("labels") or {}
        body["metadata"]["labels"] = {**labels, LABEL: owner}
        return replace(self, body=body)

    def annotated(self, **more: str) -> Object:
        """The same with more annotations."""
        body = copy.deepcopy(self.body)
        body["metadata"]["annotations"] = {**(body["metadata"].get("annotations") or {}), **more}
        return replace(self, body=body)


def title(kind: str, namespace: str, name: str) -> str:
    """An object in words."""
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


def managed(lab: str, cluster: str) -> str:
    """The label's value for one cluster. A long one is cut, and told from others by its hash."""
    value = f"{lab}.{cluster}"
    if len(value) <= _LONGEST:
        return value
    digest = hashlib.sha256(value.encode()).hexdigest()[:8]
    return f"{value[: _LONGEST - 9].rstrip('-.')}-{digest}"
