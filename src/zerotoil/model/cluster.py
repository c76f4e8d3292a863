"""What is declared about the objects in a host's cluster: values for templates, secrets, how long a rollout may take."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from zerotoil.model.kubernetes.names import check_name, is_name
from zerotoil.model.secret import SecretKey
from zerotoil.model.section import Section
from zerotoil.model.units import Seconds

_VALUE = (str, int, bool, list)


class ClusterSecret(BaseModel):
    """A Secret of the cluster; its values come from files or variables and travel on stdin alone."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    namespace: str = Field(description="Namespace that it is in")
    keys: dict[str, SecretKey] = Field(min_length=1, description='Its values: {"password": "file:PATH"}, or env:NAME')
    type: str = Field("Opaque", description="Type of the Secret, for instance kubernetes.io/dockerconfigjson")

    @field_validator("keys")
    @classmethod
    def _keys(cls, keys: dict[str, Any]) -> dict[str, Any]:
        for key in keys:
            if not re.fullmatch(r"[A-Za-z0-9._-]+", key):
                raise ValueError(f"{key!r} is no key of a Secret; use letters, digits, '.', '-' and '_'")
        return keys


class ClusterSpec(Section):
    """The objects in a cluster of k3s (the project's cluster/ folder); the first server's keys count."""

    values: dict[str, Any] = Field({}, description="What the templates of cluster/ are filled with, no secrets")
    secrets: dict[str, ClusterSecret] = Field(
        {}, description='Secrets by name: {"db": {"namespace": "web", "keys": {"password": "file:PATH"}}}'
    )
    storage_class: str = Field(
        "", description="A StorageClass of this name, whose volumes have a path that stays, NAMESPACE/CLAIM, and are kept"
    )
    uninstall: list[str] = Field(
        [], description='Charts that are declared no more and may go with the data of their claims: ["kube-system/keel"]'
    )
    timeout: Seconds = Field(300, description="How long what was changed may take until it is ready")

    @field_validator("values")
    @classmethod
    def _values(cls, values: dict[str, Any]) -> dict[str, Any]:
        for name, value in values.items():
            if not re.fullmatch(r"[a-z_][a-z0-9_]*", name):
                raise ValueError(f"{name!r} is not a name for a template; use a-z, 0-9 and '_', for instance domain")
            if isinstance(value, str) and value.partition(":")[0] in ("file", "env"):
                raise ValueError(f"{name} is a secret, and manifests are no place for one; write it as cluster_secrets")
            if not isinstance(value, _VALUE):
                raise ValueError(f"{name} is a {type(value).__name__}; write text, a number, True, False or a list")
        return values

    @field_validator("secrets")
    @classmethod
    def _names(cls, secrets: dict[str, ClusterSecret]) -> dict[str, ClusterSecret]:
        for name, secret in secrets.items():
            for word in (name, secret.namespace):
                check_name(word)
        return secrets

    @field_validator("uninstall")
    @classmethod
    def _charts(cls, charts: list[str]) -> list[str]:
        for chart in charts:
            namespace, _, name = chart.partition("/")
            if not (is_name(namespace) and is_name(name)):
                raise ValueError(f"{chart!r} is no HelmChart; write NAMESPACE/NAME, for instance kube-system/keel")
        return charts

    @field_validator("storage_class")
    @classmethod
    def _class(cls, name: str) -> str:
        if name:
            check_name(name)
        if name == "local-path":
            raise ValueError("local-path is k3s's own; write another name, for instance data")
        return name
