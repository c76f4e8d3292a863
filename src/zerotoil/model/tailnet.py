"""Tailscale on a host itself: a machine of a tailnet. The operator of a cluster is another thing (`tailscale`). Pure.

Sources: tailscale.com kb/1241 (tailscale up), kb/1080 (CLI: set, serve), kb/1068 (tags), kb/1215 (OAuth clients), kb/1103 (exit
nodes), kb/1019 (subnets); cmd/tailscale/cli of its source (up.go, set.go, serve_v2.go).
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from pydantic import Field, field_validator, model_validator

from zerotoil.model.names import NAME, plain_url
from zerotoil.model.secret import SecretKey
from zerotoil.model.section import Section, Wrong
from zerotoil.model.units import Bool


class TailnetSpec(Section):
    """The host as a machine of a tailnet (Tailscale on the host; the operator of a cluster is `tailscale_*`)."""

    enabled: Bool = Field(
        False,
        description="Join the host to a tailnet; False after True: leave it, its state stays. The operator: `tailscale_enabled`",
    )
    auth_key: SecretKey | None = Field(
        None,
        description="Auth key (tskey-auth-…) or OAuth client's secret (tskey-client-…), file:PATH or env:NAME; read only to join",
    )
    tags: list[str] = Field(
        default_factory=list,
        description='Tags to join with: ["tag:lab"]; needed with an OAuth client; later ones need a new login',
    )
    hostname: str = Field("", description="Name on the tailnet; default: the host's name")
    accept_routes: Bool = Field(False, description="Use the routes that others of the tailnet offer")
    accept_dns: Bool = Field(True, description="Use the tailnet's DNS")
    advertise_routes: list[str] = Field(
        default_factory=list, description='Networks that it offers to the tailnet: ["192.0.2.0/24"]'
    )
    advertise_exit_node: Bool = Field(False, description="Offer to be an exit node")
    exit_node: str | None = Field(None, description="The exit node that it uses: name or address on the tailnet")
    ssh: Bool = Field(False, description="Let Tailscale answer SSH on the tailnet; OpenSSH stays at the host's other addresses")
    login_server: str | None = Field(
        None, description="URL of another control server, such as Headscale; default: Tailscale's own"
    )
    serve: dict[int, int] = Field(
        default_factory=dict,
        description='HTTPS endpoints on the tailnet, port there to port here: {"443": 8080}; HTTPS has to be on in the tailnet',
    )

    @field_validator("tags")
    @classmethod
    def _tags(cls, tags: list[str]) -> list[str]:
        for tag in tags:
            if not re.fullmatch(r"tag:[a-zA-Z][a-zA-Z0-9-]*", tag):
                raise ValueError(f"{tag!r} is no tag; write for instance tag:lab")
        return sorted(set(tags))

    @field_validator("hostname")
    @classmethod
    def _hostname(cls, name: str) -> str:
        if name and not re.fullmatch(NAME, name):
            raise ValueError(f"{name!r} is no name on a tailnet; use a-z, 0-9 and '-' inside, at most 63, for instance docker1")
        return name

    @field_validator("advertise_routes")
    @classmethod
    def _routes(cls, routes: list[str]) -> list[str]:
        return sorted({_network(route) for route in routes})

    @field_validator("exit_node")
    @classmethod
    def _exit_node(cls, node: str | None) -> str | None:
        if node is not None and not (_is_address(node) or re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", node.lower())):
            raise ValueError(f"{node!r} is neither a name nor an address; write for instance nas or 100.64.0.7")
        return node.lower() if node else node

    @field_validator("login_server")
    @classmethod
    def _url(cls, url: str | None) -> str | None:
        return plain_url(url, "https://headscale.lan")

    @field_validator("serve", mode="before")
    @classmethod
    def _ports(cls, serve: Any) -> Any:
        """Ports of the tailnet may be text, as keys of a mapping often are."""
        if not isinstance(serve, dict):
            return serve
        for port, local in serve.items():
            if not _is_port(port):
                raise ValueError(f'{port!r} is no port; write for instance {{"443": 8080}}')
            if not _is_port(local) or isinstance(local, str):
                raise ValueError(f'{local!r} is no port; write for instance {{"{port}": 8080}}')
        return {int(port): serve[port] for port in sorted(serve, key=int)}

    @model_validator(mode="after")
    def _one_way_out(self) -> TailnetSpec:
        if self.exit_node and self.advertise_exit_node:
            raise Wrong("a host that is an exit node uses none; leave one of them out (tailnet_advertise_exit_node)", "exit_node")
        return self

    @property
    def forwards(self) -> bool:
        """Does the host pass on packets of others?"""
        return bool(self.advertise_routes) or self.advertise_exit_node


def _is_port(given: Any) -> bool:
    return not isinstance(given, bool) and bool(re.fullmatch(r"[0-9]{1,5}", str(given))) and 0 < int(given) < 65536


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _network(route: str) -> str:
    """One network as Tailscale notes it."""
    try:
        found = ipaddress.ip_network(route, strict=False)
    except ValueError:
        raise ValueError(f"{route!r} is no network; write for instance 192.0.2.0/24") from None
    if found.prefixlen == 0:
        raise ValueError(f"{route} is everything; write tailnet_advertise_exit_node")
    if "/" not in route or ipaddress.ip_interface(route).ip != found.network_address:
        raise ValueError(f"{route!r} is an address and no network; write {found}")
    return str(found)
