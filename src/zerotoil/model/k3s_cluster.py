"""Clusters of k3s: which hosts form one, and what they must agree on before anything of it is changed. Pure.

Sources: docs.k3s.io datastore/ha-embedded (an odd number of servers; "Critical Configuration Values" of cli/server: what must
be the same on all servers), installation/network-options (flannel), kubernetes.io releases/version-skew-policy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zerotoil.error_codes import Code

if TYPE_CHECKING:
    from zerotoil.model.spec import HostSpec

# Flags that must be the same on all servers. Of `disable` that holds for servicelb alone.
ALIKE = (
    "cluster-cidr", "cluster-dns", "cluster-domain", "disable", "disable-cloud-controller", "disable-helm-controller",
    "disable-kube-proxy", "disable-network-policy", "egress-selector-mode", "embedded-registry", "flannel-backend",
    "flannel-external-ip", "flannel-ipv6-masq", "secrets-encryption", "secrets-encryption-provider", "service-cidr",
)  # fmt: skip
_PORT = 6443
_OLDEST_AGENT = 3  # minor releases that a kubelet may be behind
Told = tuple[str, str, str, Code]


@dataclass(frozen=True)
class Cluster:
    """One cluster. `first` is the server that the others join: the first that is declared; `address` is where it is."""

    name: str
    servers: tuple[str, ...]
    agents: tuple[str, ...]
    datastore: str
    address: str

    @property
    def first(self) -> str:
        """The server that the others join."""
        return self.servers[0]

    @property
    def size(self) -> int:
        """How many nodes it has."""
        return len(self.servers) + len(self.agents)

    @property
    def url(self) -> str:
        """Where nodes join."""
        return f"https://[{self.address}]:{_PORT}" if ":" in self.address else f"https://{self.address}:{_PORT}"


def clusters(specs: Mapping[str, HostSpec]) -> dict[str, Cluster]:
    """The cluster of every host that is in one with a server."""
    found: dict[str, Cluster] = {}
    for name, members in _members(specs).items():
        servers, agents = _by_role(members)
        if servers:
            first = servers[0]
            datastore = first.k3s.datastore or ("sqlite" if len(servers) == 1 else "etcd")
            address = next((nic.ip for nic in first.vm.nics if nic.ip), "")
            cluster = Cluster(name, _names(servers), _names(agents), datastore, address)
            found |= dict.fromkeys([spec.name for spec in members], cluster)
    return found


def cluster_problems(specs: Mapping[str, HostSpec]) -> Iterator[Told]:
    """(host, key, what is wrong, its code) of every cluster that cannot be as it is declared."""
    for name, members in _members(specs).items():
        servers, agents = _by_role(members)
        yield from _roles(name, servers, agents)
        yield from _tokens(name, members)
        yield from _flags(servers)
        yield from _versions(servers, agents)


def held_back(clusters_of: Mapping[str, tuple[str, bool]], wrong: Mapping[str, bool]) -> Iterator[Told]:
    """What keeps a host from being touched though it is right itself.

    `clusters_of`: host -> (its cluster, whether it is a server); `wrong`: host -> whether it is its cluster that is wrong.
    A server that cannot be read may be the one that all others join; a wrong agent is nobody's matter but its own.
    """
    for host, (cluster, _) in clusters_of.items():
        others = [other for other, (name, server) in clusters_of.items() if name == cluster and (server or wrong.get(other))]
        why = next((other for other in others if other != host and other in wrong), None)
        if why and host not in wrong:
            what = f"{why}, of the same cluster, is declared wrong; nothing of {cluster} is touched until that is mended"
            yield host, "k3s_cluster", what, Code.K3S_CLUSTER


def _members(specs: Mapping[str, HostSpec]) -> dict[str, list[HostSpec]]:
    found: dict[str, list[HostSpec]] = {}
    for spec in specs.values():
        if spec.k3s.role:
            found.setdefault(spec.k3s.cluster, []).append(spec)
    return found


def _by_role(members: Sequence[HostSpec]) -> tuple[list[HostSpec], list[HostSpec]]:
    return [spec for spec in members if spec.k3s.role == "server"], [spec for spec in members if spec.k3s.role == "agent"]


def _names(specs: Sequence[HostSpec]) -> tuple[str, ...]:
    return tuple(spec.name for spec in specs)


def _roles(name: str, servers: Sequence[HostSpec], agents: Sequence[HostSpec]) -> Iterator[Told]:
    if not servers:
        what = f"the cluster {name} has agents and no server; give one of its hosts k3s_role server"
        yield agents[0].name, "k3s_role", what, Code.K3S_CLUSTER
        return
    first, many = servers[0], len(servers)
    if many % 2 == 0:
        what = f"{name} has {many} servers; write {many - 1} or {many + 1}: half of an even number is no majority"
        yield servers[-1].name, "k3s_role", what, Code.K3S_CLUSTER
    for server in servers[1:]:
        if server.k3s.datastore == "sqlite" or first.k3s.datastore == "sqlite":
            what = f"{name} has {many} servers, and sqlite is for one; write etcd, or leave it out"
            yield server.name, "k3s_datastore", what, Code.K3S_CLUSTER
            break
    if many + len(agents) > 1 and not any(nic.ip for nic in first.vm.nics):
        what = f"the other nodes of {name} join at {first.name}, which has no address that is known beforehand; declare one"
        yield first.name, "vm_nics", what, Code.K3S_CLUSTER


def _tokens(name: str, members: Sequence[HostSpec]) -> Iterator[Told]:
    if len(members) == 1:
        return
    first = None
    for spec in members:
        token = spec.k3s.token
        if token is None:
            yield (
                spec.name,
                "k3s_token",
                f"{name} has {len(members)} nodes, which join by it; write it",
                Code.K3S_CLUSTER,
            )
            continue
        said = token.source or token.literal
        first = first or (spec.name, said)
        if said != first[1]:
            yield spec.name, "k3s_token", f"another one than {first[0]}'s; the nodes of {name} share one", Code.K3S_CLUSTER


def _flags(servers: Sequence[HostSpec]) -> Iterator[Told]:
    for server in servers[1:]:
        first, mine = servers[0].k3s.config, server.k3s.config
        for flag in ALIKE:
            have, want = (_value(config, flag) for config in (mine, first))
            if have != want:
                what = f"{flag}: {_said(have)}, and {_said(want)} on {servers[0].name}; all servers of a cluster need the same"
                yield server.name, "k3s_config", what, Code.K3S_CLUSTER


def _value(config: Mapping[str, object], flag: str) -> object:
    """What a flag is set to, in any order; None where it is not."""
    given = [config[key] for key in (flag, f"{flag}+") if key in config]
    flat = [item for value in given for item in (value if isinstance(value, list) else str(value).split(","))]
    return [item for item in sorted(map(str, flat)) if flag != "disable" or item == "servicelb"] or None


def _said(value: object) -> str:
    return ",".join(value) if isinstance(value, list) else "not set"


def _versions(servers: Sequence[HostSpec], agents: Sequence[HostSpec]) -> Iterator[Told]:
    if not servers:
        return
    first = servers[0]
    for spec in servers[1:]:
        if abs(spec.k3s.minor[1] - first.k3s.minor[1]) > 1 or spec.k3s.minor[0] != first.k3s.minor[0]:
            what = f"{spec.k3s.version} is too far from {first.name}'s {first.k3s.version}; servers are at most one minor apart"
            yield spec.name, "k3s_version", what, Code.K3S_CLUSTER
    oldest = min(servers, key=lambda spec: spec.k3s.minor)
    for spec in agents:
        behind = oldest.k3s.minor[1] - spec.k3s.minor[1]
        if not 0 <= behind <= _OLDEST_AGENT or spec.k3s.minor[0] != oldest.k3s.minor[0]:
            limit = "newer than" if behind < 0 else f"more than {_OLDEST_AGENT} minor releases older than"
            what = f"{spec.k3s.version} is {limit} the server {oldest.name}'s {oldest.k3s.version}; write that"
            yield spec.name, "k3s_version", what, Code.K3S_CLUSTER
