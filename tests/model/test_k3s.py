"""k3s as it is declared: what one host may say, and what the hosts of a cluster must agree on."""

from typing import Any

import pytest

from tests.conftest import RIGHT, make_spec
from zerotoil.error_codes import Code
from zerotoil.model.inventory import Declared, declare
from zerotoil.model.secret import Secret
from zerotoil.model.spec import HostSpec

TOKEN = Secret("join-me")


def lab(**hosts: dict[str, Any]) -> Declared:
    """Hosts of the cluster `home`, each at an address of its own."""
    data = {}
    for number, (name, more) in enumerate(hosts.items(), 1):
        nics = [{"bridge": "br0", "address": f"192.0.2.{number}/24"}]
        data[name] = [("host data", {**RIGHT, "vm_nics": nics, "k3s_cluster": "home", "k3s_token": TOKEN, **more})]
    return declare(data)


def said(**hosts: dict[str, Any]) -> list[str]:
    return [str(problem) for problem in lab(**hosts).problems]


def server(**more: Any) -> dict[str, Any]:
    return {"k3s_role": "server", **more}


def agent(**more: Any) -> dict[str, Any]:
    return {"k3s_role": "agent", **more}


def wrong(**keys: Any) -> str:
    (problem,) = declare({"matrix": [("host data", {**RIGHT, "k3s_role": "server", **keys})]}).problems
    return str(problem)


def test_without_a_word_there_is_no_k3s() -> None:
    spec = make_spec()
    assert (spec.k3s.role, spec.k3s_in, spec.docker.enabled) == (None, None, True)


def test_one_server_is_a_cluster_of_its_own_on_sqlite_and_has_no_docker() -> None:
    spec = make_spec(k3s_role="server")
    assert spec.k3s_in and (spec.k3s_in.name, spec.k3s_in.first, spec.k3s_in.datastore) == ("matrix", "matrix", "sqlite")
    assert not spec.docker.enabled and not spec.watchtower.enabled


def test_three_servers_are_on_etcd_and_join_the_first_that_is_declared() -> None:
    declared = lab(c=server(), a=server(), b=server(), worker=agent())
    assert not declared.problems
    found = [spec.k3s_in for spec in declared.specs.values()]
    assert len(set(found)) == 1 and found[0]
    assert (found[0].servers, found[0].agents, found[0].datastore) == (("c", "a", "b"), ("worker",), "etcd")
    assert found[0].url == "https://192.0.2.1:6443"


def test_an_address_of_ipv6_is_written_in_brackets() -> None:
    nics = [{"bridge": "br0", "address": "2001:db8::7/64"}]
    spec = lab(a=server(vm_nics=nics), b=agent()).specs["b"]
    assert spec.k3s_in and spec.k3s_in.url == "https://[2001:db8::7]:6443"


@pytest.mark.parametrize(
    ("hosts", "line"),
    [
        (
            {"a": server(), "b": server()},
            "b: k3s_role (from host data): home has 2 servers; write 1 or 3: half of an even number is no majority",
        ),
        (
            {"a": agent()},
            "a: k3s_role (from host data): the cluster home has agents and no server; give one of its hosts k3s_role server",
        ),
        (
            {"a": server(k3s_datastore="sqlite"), "b": server(), "c": server()},
            "b: k3s_datastore: home has 3 servers, and sqlite is for one; write etcd, or leave it out",
        ),
        (
            {"a": server(), "b": agent(k3s_token=None)},
            "b: k3s_token (from host data): home has 2 nodes, which join by it; write it",
        ),
        (
            {"a": server(), "b": agent(k3s_token="file:~/other")},
            "b: k3s_token (from host data): another one than a's; the nodes of home share one",
        ),
        (
            {"a": server(vm_nics=[{"bridge": "br0"}]), "b": agent()},
            "a: vm_nics (from host data): the other nodes of home join at a, which has no address that is known beforehand; "
            "declare one",
        ),
        (
            {
                "a": server(k3s_config={"cluster-cidr": "10.1.0.0/16"}),
                "b": server(),
                "c": server(k3s_config={"cluster-cidr": "10.1.0.0/16"}),
            },
            "b: k3s_config: cluster-cidr: not set, and 10.1.0.0/16 on a; all servers of a cluster need the same",
        ),
        (
            {
                "a": server(k3s_config={"disable": ["servicelb", "traefik"]}),
                "b": server(k3s_config={"disable": "servicelb"}),
                "c": server(),
            },
            "c: k3s_config: disable: not set, and servicelb on a; all servers of a cluster need the same",
        ),
        (
            {"a": server(), "b": server(k3s_version="v1.34.9+k3s1"), "c": server()},
            "b: k3s_version (from host data): v1.34.9+k3s1 is too far from a's v1.36.3+k3s1; servers are at most one minor apart",
        ),
        (
            {"a": server(), "b": agent(k3s_version="v1.37.0+k3s1")},
            "b: k3s_version (from host data): v1.37.0+k3s1 is newer than the server a's v1.36.3+k3s1; write that",
        ),
        (
            {"a": server(), "b": agent(k3s_version="v1.32.9+k3s1")},
            "b: k3s_version (from host data): v1.32.9+k3s1 is more than 3 minor releases older than the server a's v1.36.3+k3s1; "
            "write that",
        ),
    ],
)
def test_a_cluster_that_cannot_be_is_one_line_and_all_its_hosts_are_left_alone(hosts: dict[str, Any], line: str) -> None:
    declared = lab(**hosts, other={"k3s_cluster": "", "k3s_token": None})
    first, *rest = [str(problem) for problem in declared.problems]
    assert first == line
    named = line.partition(":")[0]
    mates = [host for host in hosts if host != named]
    assert rest == [
        f"{host}: k3s_cluster (from host data): {named}, of the same cluster, is declared wrong; "
        "nothing of home is touched until that is mended"
        for host in mates
    ]
    assert list(declared.specs) == ["other"]
    assert {problem.code for problem in declared.problems} == {Code.K3S_CLUSTER}


def test_a_mistake_of_a_server_holds_its_cluster_back_and_one_of_an_agent_only_itself() -> None:
    """A server that cannot be read may be the one that all others join: without it the second would found another cluster."""
    assert list(lab(a=server(vm_cpus=0), b=server(), c=server()).specs) == []
    assert list(lab(a=server(vm_memry="1 GiB"), b=agent()).specs) == []
    assert list(lab(a=server(), b=agent(vm_cpus=0), c=agent()).specs) == ["a", "c"]


def test_components_that_only_one_server_lacks_are_its_own_matter() -> None:
    assert said(a=server(k3s_config={"disable": ["traefik"]}), b=server(), c=server()) == []


def test_flags_that_must_match_may_be_written_in_another_form() -> None:
    one, other = {"cluster-cidr": "10.1.0.0/16,2001:db8::/64"}, {"cluster-cidr": ["2001:db8::/64", "10.1.0.0/16"]}
    assert said(a=server(k3s_config=one), b=server(k3s_config=other), c=server(k3s_config=one)) == []


@pytest.mark.parametrize(
    ("keys", "part"),
    [
        ({"k3s_version": "1.36"}, "'1.36' is not a release of k3s; write for instance v1.36.3+k3s1"),
        ({"k3s_version": "v1.36.3"}, "is not a release of k3s"),
        ({"k3s_cluster": "Home"}, "is not a name of a cluster"),
        ({"k3s_url": "ftp://mirror.lan"}, "'ftp://mirror.lan' is no URL; write for instance https://mirror.lan/k3s"),
        ({"k3s_url": "https://me:pw@mirror.lan"}, "a login in it is shown to everybody; write for instance"),
        ({"k3s_sha256": "abc"}, "is not a SHA-256"),
        ({"k3s_role": "master"}, "'master' is not known; write 'server' or 'agent'"),
        ({"k3s_token": "s3cret"}, "a secret is not written in the inventory"),
        ({"k3s_airgap_images": "https://m.lan/images.zip", "k3s_airgap_sha256": "0" * 64}, "is no tarball"),
        ({"k3s_airgap_images": "https://m.lan/images.tar.zst"}, "the images alone is not enough; write k3s_airgap_sha256 too"),
        ({"k3s_role": "agent", "k3s_datastore": "etcd"}, "only a server has a datastore"),
        ({"docker_enabled": True}, "k3s runs the containers of this host (k3s_role), and Docker's firewall cuts pods off"),
        ({"watchtower_enabled": True}, "watchtower_enabled (from host data): k3s runs the containers"),
        ({"container_backend": "podman"}, "leave podman to another host"),
        ({"apps": ["web"]}, "apps are Compose files; give them to another host"),
    ],
)
def test_what_one_host_cannot_be_is_said_with_what_would_be_right(keys: dict[str, Any], part: str) -> None:
    assert part in wrong(**keys)


@pytest.mark.parametrize(
    ("config", "part"),
    [
        ({"selinux": False}, "selinux is zerotoil's: it stays on"),
        ({"token": "x"}, "write k3s_token"),
        ({"data-dir": "/srv"}, "the datastore lies on the data disk"),
        ({"write_kubeconfig_mode": "0644"}, "it opens the whole cluster: 0600, for root alone"),
        ({"--cluster-init": True}, "it follows from k3s_role, k3s_cluster and k3s_datastore"),
        ({"server": "https://x"}, "it follows from"),
        ({"datastore-endpoint+": "mysql://"}, "the datastore lies on the data disk"),
        ({"etcd-s3-secret-key": "x"}, "config.yaml is no place for a key"),
        ({"Cluster_CIDR": "x"}, "'Cluster_CIDR' is no flag of k3s; write 'cluster-cidr'"),
        ({"tls-san": {"a": 1}}, "tls-san is a dict; write text, a number, True or False, or a list of them"),
    ],
)
def test_what_is_ours_in_config_yaml_is_refused_with_the_reason(config: dict[str, Any], part: str) -> None:
    assert part in wrong(k3s_config=config)


def test_every_key_has_its_reason() -> None:
    from zerotoil.model.k3s import OURS

    for key in OURS:
        assert f"{key} is zerotoil's: {OURS[key]}; leave it out" in wrong(k3s_config={key: "x"})


def test_what_hosts_declare_together_is_no_key() -> None:
    assert "unknown key" in wrong(k3s_in="x")
    assert isinstance(make_spec(k3s_role="server"), HostSpec)
