"""Under which names declared objects are on the tailnet. Pure.

Source: tailscale.com kb/1439 (Ingress: the first host of spec.tls), kb/1236 (Service: annotations, loadBalancerClass).
The operator writes the whole name into the status of an Ingress or a Service of its class, once it is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zerotoil.model.kubernetes.objects import Object
from zerotoil.resources.resource import Kind, Notice

_CLASS = "tailscale"


def endpoint(one: Object, live: str | None, host: str) -> Notice | None:
    """The endpoint that an object makes; None of one that makes none. `live`: the name in its status."""
    name = _name(one)
    if name is None:
        return None
    scheme = "https://" if one.kind == "Ingress" else ""
    look = f"zerotoil ssh {host} -- sudo k3s kubectl -n {one.namespace or 'default'} describe {one.kind.lower()} {one.name}"
    if live:
        return Notice(one.title, Kind.ENDPOINT, f"on the tailnet as {scheme}{live}", look)
    return Notice(one.title, Kind.ENDPOINT, f"to be {scheme}{name} and your tailnet's name, once the operator has made it", look)


def _name(one: Object) -> str | None:
    spec, notes = _mapping(one.body.get("spec")), _mapping(one.body["metadata"].get("annotations"))
    default = f"{one.namespace or 'default'}-{one.name}"
    if one.kind == "Ingress" and (spec.get("ingressClassName") or notes.get("kubernetes.io/ingress.class")) == _CLASS:
        hosts = [host for tls in spec.get("tls") or [] for host in _mapping(tls).get("hosts") or []]
        return str(hosts[0]).partition(".")[0] if hosts else f"{default}-ingress"
    if one.kind != "Service" or one.group:
        return None
    if spec.get("loadBalancerClass") == _CLASS or str(notes.get("tailscale.com/expose")).lower() == "true":
        return str(notes.get("tailscale.com/hostname") or default)
    return None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
