"""Names on the tailnet: as the operator would give them, and as it has given them."""

from typing import Any

import pytest

from tests.resources.cluster.conftest import Node
from zerotoil.model.kubernetes.objects import Object
from zerotoil.resources.cluster.endpoints import endpoint
from zerotoil.resources.resource import Kind


def ingress(**spec: Any) -> dict[str, Any]:
    metadata = {"name": "blog", "namespace": "web"}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": spec}


def service(spec: dict[str, Any], **notes: str) -> dict[str, Any]:
    annotations = {f"tailscale.com/{name}": value for name, value in notes.items()}
    metadata = {"name": "db", "namespace": "web", "annotations": annotations}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (ingress(ingressClassName="tailscale", tls=[{"hosts": ["news"]}]), "https://news"),
        (ingress(ingressClassName="tailscale", defaultBackend={}), "https://web-blog-ingress"),
        (service({"type": "LoadBalancer", "loadBalancerClass": "tailscale"}), "web-db"),
        (service({}, expose="true", hostname="store"), "store"),
        (ingress(ingressClassName="traefik"), None),
        (service({}, hostname="store"), None),
    ],
)
def test_the_name_that_it_will_have(body: dict[str, Any], name: str | None) -> None:
    made = endpoint(Object(body, "cluster/a.yaml:1"), None, "k3s1")
    assert (made.what if made else None) == (name and f"to be {name} and your tailnet's name, once the operator has made it")


def test_a_plan_tells_the_name_that_it_has(node: Node) -> None:
    node.put("Namespace", "web")
    body = ingress(ingressClassName="tailscale", tls=[{"hosts": ["news"]}])
    node.objects(body).apply()
    live = node.get("Ingress", "blog", "networking.k8s.io/v1", "web")
    status = {"loadBalancer": {"ingress": [{"hostname": "news.tail1234.ts.net"}]}}
    node.change(objects={**node.data["objects"], "networking.k8s.io/v1 Ingress web blog": {**live, "status": status}})
    objects = node.objects(body)
    assert objects.plan() == []
    assert [(notice.kind, notice.what) for notice in objects.notices()] == [
        (Kind.ENDPOINT, "on the tailnet as https://news.tail1234.ts.net")
    ]
