"""The typed spec of one host: one section per layer, made from flat inventory keys (`vm_memory` -> `vm.memory`).

A key is the section's name, an underscore and the field's name. Field descriptions are the reference documentation
(docs/reference/keys.md is generated from them).
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from pydantic import Field, field_validator, model_validator

from zerotoil.model import night
from zerotoil.model.apps import AppsSpec, ContainerSpec
from zerotoil.model.cluster import ClusterSpec
from zerotoil.model.data import DataSpec
from zerotoil.model.k3s import K3sSpec
from zerotoil.model.k3s_cluster import Cluster
from zerotoil.model.keel import KeelSpec
from zerotoil.model.more_data import check_more, with_defaults
from zerotoil.model.names import NAME, named
from zerotoil.model.nas import TARGET, IscsiSpec, NasSpec
from zerotoil.model.notify import NotifySpec
from zerotoil.model.os_updates import OsSpec, Turn
from zerotoil.model.registry import RegistrySpec
from zerotoil.model.section import Section, Wrong
from zerotoil.model.tailnet import TailnetSpec
from zerotoil.model.tailscale import TailscaleSpec
from zerotoil.model.units import Bool, Int
from zerotoil.model.upgrades import UpgradesSpec
from zerotoil.model.vm import HypervisorSpec, VmSpec
from zerotoil.model.watchtower import WatchtowerSpec

VIRTIO_SERIAL_BYTES = 20  # virtio-blk truncates beyond; facts: QEMU VIRTIO_BLK_ID_BYTES


class SshSpec(Section):
    """How the controller reaches the guest (pyinfra's own keys where they exist)."""

    user: str = Field("core", description="User that Ignition creates and pyinfra logs in as")
    key: str | None = Field(None, description="Private key file; default: your agent and ~/.ssh")
    port: Int = Field(22, ge=1, le=65535, description="Port")
    authorized_keys: list[str] = Field(min_length=1, description="Public keys that may log in (text or file:PATH)")

    @field_validator("user")
    @classmethod
    def _user_name(cls, name: str) -> str:
        if not re.fullmatch(r"[a-z_][a-z0-9_-]{0,31}", name):
            raise ValueError(f"{name!r} is not a user name; use a-z, 0-9, '_' and '-', at most 32, for instance core")
        return name


class DockerSpec(Section):
    """The container engine."""

    enabled: Bool = Field(True, description="Enable docker.service (on CoreOS only its socket is), so containers come back")


class LabSpec(Section):
    """The lab as a whole."""

    name: str = Field("lab", description="Marks what is ours on the NAS and the hypervisor")

    @field_validator("name")
    @classmethod
    def _lab_name(cls, name: str) -> str:
        return named(name, "a name of a lab", "home")


class HostSpec(Section):
    """Everything that is declared about one host."""

    name: str
    lab: LabSpec
    nas: NasSpec
    iscsi: IscsiSpec
    hypervisor: HypervisorSpec
    vm: VmSpec
    os: OsSpec
    data: DataSpec
    ssh: SshSpec
    docker: DockerSpec
    container: ContainerSpec
    watchtower: WatchtowerSpec
    apps: AppsSpec
    registry: RegistrySpec
    notify: NotifySpec
    k3s: K3sSpec
    cluster: ClusterSpec
    upgrades: UpgradesSpec
    keel: KeelSpec
    tailscale: TailscaleSpec
    tailnet: TailnetSpec
    k3s_in: Cluster | None = None  # no key: what the hosts of a cluster declare together
    os_turn: Turn = Turn()  # no key: what the hosts of a lab that restart in a window declare together

    @field_validator("name")
    @classmethod
    def _host_name(cls, name: str) -> str:
        return named(name, "a host name", "docker1")

    @model_validator(mode="before")
    @classmethod
    def _derived(cls, raw: Any) -> Any:
        """Fill what follows from the host's name, so that everything reads one place."""
        name = raw["name"]
        if not re.fullmatch(NAME, name):  # one message about the name is enough
            return raw
        iscsi, data = dict(raw["iscsi"]), dict(raw["data"])
        iscsi.setdefault("target", name)
        if isinstance(iscsi["target"], str) and re.fullmatch(TARGET, iscsi["target"]):  # else its own message is enough
            iscsi.setdefault("extent", iscsi["target"])
        data.setdefault("serial", f"{name}-data")
        if "more" in data:
            data["more"] = with_defaults(data["more"], name, iscsi.get("lun", 0))
        docker, watchtower = dict(raw["docker"]), dict(raw["watchtower"])
        if raw["container"].get("backend") == "podman":  # one engine and one updater on a host
            docker.setdefault("enabled", False)
            watchtower.setdefault("enabled", False)
        k3s = dict(raw["k3s"])
        if k3s.get("role"):  # it brings its own containerd
            docker.setdefault("enabled", False)
            watchtower.setdefault("enabled", False)
        k3s["cluster"] = k3s.get("cluster", "") or name
        tailnet = dict(raw["tailnet"])
        tailnet["hostname"] = tailnet.get("hostname", "") or name
        made = {"iscsi": iscsi, "data": data, "docker": docker, "watchtower": watchtower, "k3s": k3s, "tailnet": tailnet}
        return {**raw, **made}

    @model_validator(mode="after")
    def _serial_fits(self) -> HostSpec:
        if len(self.data.serial.encode()) > VIRTIO_SERIAL_BYTES:
            raise Wrong(
                f"{self.data.serial!r} is {len(self.data.serial.encode())} bytes, virtio keeps {VIRTIO_SERIAL_BYTES}; "
                "write a shorter data_serial",
                "data",
                "serial",
            )
        return self

    @model_validator(mode="after")
    def _volumes_go_together(self) -> HostSpec:
        check_more(self, VIRTIO_SERIAL_BYTES)
        return self

    @model_validator(mode="after")
    def _watchtower_is_within_the_airgap(self) -> HostSpec:
        needed = self.docker.enabled and self.watchtower.enabled
        if needed and (outside := self.registry.outside(self.watchtower.image)):
            raise Wrong(outside, "watchtower", "image")
        return self

    @model_validator(mode="after")
    def _snapshots_cover_the_volume(self) -> HostSpec:
        if not f"{self.zvol}/".startswith(f"{self.snapshot_dataset}/"):
            what = f"{self.snapshot_dataset} does not hold the volume {self.zvol}; write {self.zvol}, or a dataset above it"
            raise Wrong(what, "data", "snapshot_dataset")
        return self

    @model_validator(mode="after")
    def _restore_point_before_updates(self) -> HostSpec:
        data = self.data
        tiers = [tier.schedule for tier in data.snapshot_tiers.values()]
        what = night.without_restore_point([data.snapshot_schedule, *tiers], self.watchtower.schedule)
        updated = self.watchtower.enabled or self.container.backend == "podman"  # podman updates at the same hour
        if what and self.apps.run and updated:
            after = "data_snapshot_schedule" + (" or one of data_snapshot_tiers" if tiers else "")
            raise Wrong(f"{what}; let it come 10 minutes to 12 hours after {after}", "watchtower", "schedule")
        return self

    @model_validator(mode="after")
    def _one_updater(self) -> HostSpec:
        if self.container.backend == "podman" and (self.watchtower.enabled or self.docker.enabled):
            key = "watchtower" if self.watchtower.enabled else "docker"
            raise Wrong("podman runs the containers and updates them itself (container_backend); leave it False", key, "enabled")
        return self

    @model_validator(mode="after")
    def _one_engine(self) -> HostSpec:
        if not self.k3s.role:
            return self
        why = "k3s runs the containers of this host (k3s_role)"
        if self.docker.enabled or self.watchtower.enabled:
            key = "docker" if self.docker.enabled else "watchtower"
            raise Wrong(f"{why}, and Docker's firewall cuts pods off; leave it False", key, "enabled")
        if self.container.backend == "podman":
            raise Wrong(f"{why}; leave podman to another host", "container", "backend")
        if self.apps.run:
            raise Wrong(f"{why}, and apps are Compose files; give them to another host", "apps", "run")
        return self

    @model_validator(mode="after")
    def _upgrades_of_a_cluster(self) -> HostSpec:
        if not self.upgrades.enabled:
            return self
        if not self.k3s.role:
            raise Wrong("this host runs no k3s (k3s_role); leave it False", "upgrades", "enabled")
        hour, minute = self.upgrades.start.split(":")
        tiers = [tier.schedule for tier in self.data.snapshot_tiers.values()]
        what = night.without_restore_point([self.data.snapshot_schedule, *tiers], f"0 {int(minute)} {int(hour)} * * *")
        if what:
            raise Wrong(f"{what}; let the window open 10 minutes to 12 hours after data_snapshot_schedule", "upgrades", "start")
        return self

    @property
    def runs_cluster(self) -> bool:
        """Is this the server by which the cluster's objects are kept: its first?"""
        return self.k3s_in is not None and self.k3s_in.first == self.name

    @property
    def os_offset(self) -> int:
        """Seconds after the start of a window at which this host's turn begins."""
        return self.os_turn.number * self.os.stagger

    @property
    def owner(self) -> str:
        """The mark that says whose a thing is, on the NAS and the hypervisor: "LAB/HOST"."""
        return f"{self.lab.name}/{self.name}"

    @property
    def dataset(self) -> str:
        """The host's dataset, under which its volumes live."""
        return f"{self.nas.dataset}/{self.name}"

    @property
    def zvol(self) -> str:
        """The data volume."""
        return self.data.volume or f"{self.dataset}/data"

    @property
    def snapshot_dataset(self) -> str:
        """What the snapshot task is on: the host's dataset, or a volume that lies elsewhere (its dataset is shared)."""
        return self.data.snapshot_dataset or self.data.volume or self.dataset

    @property
    def iscsi_pool(self) -> str:
        """libvirt's pool that logs in to the host's target."""
        return f"{self.name}-data"

    def by_path(self, iqn: str) -> str:
        """The device that udev makes on the hypervisor when its kernel has logged in to the target."""
        iscsi = self.iscsi
        return f"/dev/disk/by-path/ip-{iscsi.connect_to}:{iscsi.port}-iscsi-{iqn}-lun-{iscsi.lun}"

    def mac(self, index: int) -> str:
        """MAC of the nth card: as declared, or derived from lab and host so that it never changes."""
        declared = self.vm.nics[index].mac
        digest = hashlib.sha256(f"{self.owner}/{index}".encode()).hexdigest()
        return declared or f"52:54:00:{digest[:2]}:{digest[2:4]}:{digest[4:6]}"


SECTIONS: dict[str, type[Section]] = {
    "lab": LabSpec, "nas": NasSpec, "iscsi": IscsiSpec, "hypervisor": HypervisorSpec, "vm": VmSpec, "os": OsSpec,
    "data": DataSpec, "ssh": SshSpec, "docker": DockerSpec, "container": ContainerSpec, "registry": RegistrySpec,
    "watchtower": WatchtowerSpec, "apps": AppsSpec, "notify": NotifySpec, "k3s": K3sSpec,
    "cluster": ClusterSpec, "upgrades": UpgradesSpec, "keel": KeelSpec, "tailscale": TailscaleSpec,
    "tailnet": TailnetSpec,
}  # fmt: skip


def keys() -> dict[str, tuple[str, str]]:
    """Every inventory key: `vm_memory` -> ("vm", "memory")."""
    found = {f"{section}_{field}": (section, field) for section, model in SECTIONS.items() for field in model.model_fields}
    return found | {"restart": ("vm", "restart"), "apps": ("apps", "run")}  # short: the one for the command line, the other daily
