"""Kubernetes on a host: k3s, as one node of a cluster. What several nodes must agree on is in `k3s_cluster`. Pure.

Sources: docs.k3s.io cli/server, cli/agent, installation/configuration, advanced (SELinux), datastore/ha-embedded.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from zerotoil.model.names import named
from zerotoil.model.secret import SecretKey
from zerotoil.model.section import Section, Wrong

RELEASES = "https://github.com/k3s-io/k3s/releases/download"
VERSION = r"v(\d+)\.(\d+)\.(\d+)(?:-[a-z0-9.]+)?\+k3s\d+"
_SHA256 = r"[0-9a-f]{64}"
_DISK = "the datastore lies on the data disk, at /var/lib/rancher, where SELinux's policy and an undo find it"
_TOKEN = "write k3s_token, which is kept in a file that only root reads"
_JOIN = "it follows from k3s_role, k3s_cluster and k3s_datastore"
_SECRET = "config.yaml is no place for a key; name a Secret of the cluster by etcd-s3-config-secret"
_SPLIT = "a server without it would not count where an odd number of servers is asked for"
# Keys of config.yaml that are ours, and why.
OURS = {
    "token": _TOKEN, "token-file": _TOKEN, "agent-token": _TOKEN, "agent-token-file": _TOKEN,
    "data-dir": _DISK, "datastore-endpoint": _DISK, "datastore-cafile": _DISK, "datastore-certfile": _DISK,
    "datastore-keyfile": _DISK,
    "write-kubeconfig": "it stays where k3s itself looks for it",
    "write-kubeconfig-mode": "it opens the whole cluster: 0600, for root alone",
    "write-kubeconfig-group": "it opens the whole cluster: 0600, for root alone",
    "selinux": "it stays on: containers that are not confined see the whole host",
    "server": _JOIN, "cluster-init": _JOIN, "cluster-reset": "zerotoil undo brings an earlier state back",
    "cluster-reset-restore-path": "zerotoil undo brings an earlier state back",
    "node-name": "a node is called as its host", "with-node-id": "a node is called as its host",
    "private-registry": "registry_mirrors and registry_logins make that file",
    "disable-default-registry-endpoint": "write registry_airgapped",
    "disable-etcd": _SPLIT, "disable-apiserver": _SPLIT, "disable-controller-manager": _SPLIT, "disable-scheduler": _SPLIT,
    "etcd-s3-access-key": _SECRET, "etcd-s3-secret-key": _SECRET, "etcd-s3-session-token": _SECRET,
    "vpn-auth": "config.yaml is no place for a key; write vpn-auth-file",
    "docker": "k3s brings its own containerd, and the host has no Docker",
    "rootless": "k3s runs as root; its service is a system's",
    "config": "config.yaml is what k3s_config makes",
}  # fmt: skip


def _check_release(version: str) -> str:
    if not re.fullmatch(VERSION, version):
        raise ValueError(f"{version!r} is not a release of k3s; write for instance v1.36.3+k3s1")
    return version


Release = Annotated[str, AfterValidator(_check_release)]


class K3sSpec(Section):
    """Kubernetes by k3s: this host as a node of a cluster."""

    role: Literal["server", "agent"] | None = Field(
        None, description="server (the first that is declared is the one that others join) or agent; unset: no k3s on this host"
    )
    cluster: str = Field("", description="Name of the cluster: hosts of one name form one; default: the host's name")
    version: Release = Field(
        "v1.36.3+k3s1",
        description="Version of the first install; later ones come from the upgrade controller, not from a deploy",
    )
    datastore: Literal["sqlite", "etcd"] | None = Field(
        None,
        description="sqlite or etcd; default: sqlite with one server, etcd with more. sqlite becomes etcd, never back",
    )
    token: SecretKey | None = Field(
        None, description="What nodes join with, as file:PATH or env:NAME; needed from the second node on"
    )
    config: dict[str, Any] = Field(
        default_factory=dict, description='More of config.yaml, by the names of k3s\'s flags: {"disable": ["traefik"]}'
    )
    url: str = Field(RELEASES, description="Where VERSION/k3s and VERSION/sha256sum-amd64.txt are: upstream, or a mirror")
    sha256: str | None = Field(None, description="SHA-256 of the binary; default: as sha256sum-amd64.txt beside it says")
    airgap_images: str | None = Field(None, description="URL of k3s's own images as a tarball, put where k3s loads them from")
    airgap_sha256: str | None = Field(None, description="SHA-256 of that tarball")

    @field_validator("cluster")
    @classmethod
    def _cluster_name(cls, name: str) -> str:
        return named(name, "a name of a cluster", "home") if name else name

    @field_validator("url", "airgap_images")
    @classmethod
    def _http(cls, url: str | None) -> str | None:
        if url is not None and not re.fullmatch(r"https?://[^\s'\"\\@]+", url):
            shown = "a login in it is shown to everybody" if "@" in url else f"{url!r} is no URL"
            raise ValueError(f"{shown}; write for instance https://mirror.lan/k3s")
        return url.rstrip("/") if url else url

    @field_validator("airgap_images")
    @classmethod
    def _tarball(cls, url: str | None) -> str | None:
        if url and not re.search(r"\.tar(\.zst|\.gz|\.bz2|\.lz4)?$", url):  # k3s goes by the name
            raise ValueError(f"{url!r} is no tarball; write for instance https://mirror.lan/k3s-airgap-images-amd64.tar.zst")
        return url

    @field_validator("sha256", "airgap_sha256")
    @classmethod
    def _checksum(cls, sha256: str | None) -> str | None:
        if sha256 is not None and not re.fullmatch(_SHA256, sha256.lower()):
            raise ValueError(f"{sha256!r} is not a SHA-256; write its 64 hex digits")
        return sha256.lower() if sha256 else sha256

    @field_validator("config")
    @classmethod
    def _flags(cls, config: dict[str, Any]) -> dict[str, Any]:
        for key, value in config.items():
            flag = key.removesuffix("+")
            if flag.lstrip("-").replace("_", "-") in OURS:
                raise ValueError(f"{key} is zerotoil's: {OURS[flag.lstrip('-').replace('_', '-')]}; leave it out")
            if not re.fullmatch(r"[a-z][a-z0-9-]*\+?", key):  # k3s skips what it does not know
                meant = re.sub(r"[^a-z0-9-]", "-", key.lower().strip("-_"))
                raise ValueError(f"{key!r} is no flag of k3s; write {meant!r}, as k3s server --help does without its dashes")
            for item in value if isinstance(value, list) else [value]:
                if not isinstance(item, str | int | float | bool):
                    kind = type(item).__name__
                    raise ValueError(f"{key} is a {kind}; write text, a number, True or False, or a list of them")
        return config

    @model_validator(mode="after")
    def _fits(self) -> K3sSpec:
        if self.role != "server" and self.datastore:
            raise Wrong("only a server has a datastore; leave it out", "datastore")
        if bool(self.airgap_images) != bool(self.airgap_sha256):
            missing, there = ("airgap_sha256", "images") if self.airgap_images else ("airgap_images", "checksum")
            raise Wrong(f"the {there} alone is not enough; write k3s_{missing} too", missing)
        return self

    @property
    def minor(self) -> tuple[int, int]:
        """The release without its patch: (1, 36)."""
        found = re.fullmatch(VERSION, self.version)
        assert found
        return int(found[1]), int(found[2])
