"""The Tailscale operator of a cluster: an Ingress of class `tailscale` becomes an HTTPS endpoint on the tailnet. Pure.

Sources: tailscale.com kb/1236 (OAuth client, tags), its chart's values.yaml (a Secret operator-oauth is taken as it is).
"""

from __future__ import annotations

import re

from pydantic import Field, field_validator, model_validator

from zerotoil.model.kubernetes.names import ChartRepo
from zerotoil.model.secret import SecretKey
from zerotoil.model.section import Section, Wrong
from zerotoil.model.units import Bool


class TailscaleSpec(Section):
    """The Tailscale operator of a cluster: endpoints on the tailnet; its first server's keys count (a host: `tailnet_*`)."""

    enabled: Bool = Field(False, description="Install the operator in the cluster; of a host: `tailnet_enabled`")
    client_id: SecretKey | None = Field(None, description="Id of the OAuth client, as file:PATH or env:NAME")
    client_secret: SecretKey | None = Field(None, description="Its secret, as file:PATH or env:NAME")
    operator_tag: str = Field("tag:k8s-operator", description="Tag of the operator; it has to own the other")
    tag: str = Field("tag:k8s", description="Tag of what it makes reachable")
    version: str = Field("1.96.5", description="Version of the chart")
    repo: ChartRepo = Field("https://pkgs.tailscale.com/helmcharts", description="Where the chart is: upstream, or a mirror")

    @field_validator("operator_tag", "tag")
    @classmethod
    def _tag(cls, tag: str) -> str:
        if not re.fullmatch(r"tag:[a-zA-Z][a-zA-Z0-9-]*", tag):
            raise ValueError(f"{tag!r} is no tag; write for instance tag:k8s")
        return tag

    @model_validator(mode="after")
    def _client(self) -> TailscaleSpec:
        if self.enabled and not (self.client_id and self.client_secret):
            missing = "client_id" if not self.client_id else "client_secret"
            raise Wrong("missing; make an OAuth client (scopes Devices Core, Auth Keys, Services: write)", missing)
        return self
