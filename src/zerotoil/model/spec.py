"""The typed spec of one host: one section per layer, made from flat inventory keys (`vm_memory` -> `vm.memory`).

A key is the section's name, an underscore and the field's name. Field descriptions are the reference documentation
(docs/reference/keys.md is generated from them).
"""

from __future__ import annotations

import hashlib
import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from zerotoil.model.data import DataSpec
from zerotoil.model.network import Nic, shared
from zerotoil.model.secret import Secret, SecretKey
from zerotoil.model.section import Section, Wrong
from zerotoil.model.units import Bool, Int, Seconds, Size
from zerotoil.model.watchtower import WatchtowerSpec

NAME = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
IQN = r"(iqn\.\d{4}-\d{2}\.[a-z0-9.-]+(:[^\s,]+)?|eui\.[0-9A-Fa-f]{16}|naa\.[0-9A-Fa-f]{16,32})"
_HOST_OR_ADDRESS = r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*"
_TARGET = r"[-a-z0-9.:]{1,120}"
VIRTIO_SERIAL_BYTES = 20  # virtio-blk truncates beyond; facts: QEMU VIRTIO_BLK_ID_BYTES

GiB = 1024**3
Files = Annotated[list[str], Field(default_factory=list)]


def _named(name: str, what: str, example: str) -> str:
    """The name; refused when it could not be part of a host name, a dataset and a target alike."""
    if not re.fullmatch(NAME, name):
        raise ValueError(f"{name!r} is not {what}; use a-z, 0-9 and '-' inside, at most 63, for instance {example}")
    return name


class NasSpec(Section):
    """The TrueNAS that holds the data volumes."""

    url: str = Field(description='API address, TLS only: "wss://nas.lan" (a key sent in plain text is revoked)')
    user: str = Field(description="User the API key belongs to")
    api_key: SecretKey = Field(description='API key: "file:PATH", "env:NAME" or Secret(…)')
    ca: Path | None = Field(None, description="CA certificate (PEM) that signed the NAS's own; default: the system's CAs")
    fingerprint: str | None = Field(None, description="SHA-256 of the NAS's certificate, pinned instead of a CA")
    dataset: str = Field(description='Dataset under which each host gets its own: "tank/lab" -> tank/lab/HOST')
    timeout: Seconds = Field(30, description="Deadline of one call to the NAS")

    @field_validator("url")
    @classmethod
    def _tls_only(cls, url: str) -> str:
        if url.startswith(("ws://", "http://")):
            raise ValueError(f"{url} is plain text: TrueNAS revokes a key sent that way; write wss://{url.split('://', 1)[1]}")
        if "@" in url:  # not shown: a password may be in it
            raise ValueError("an address without a user; write for instance wss://nas.lan, and nas_user and nas_api_key")
        if not re.fullmatch(r"(wss|https)://[^/\s?#@]+/?", url):
            raise ValueError(f"{url!r} is not an address of a NAS; write for instance wss://nas.lan")
        return "wss://" + url.split("://", 1)[1].rstrip("/")

    @field_validator("fingerprint")
    @classmethod
    def _sha256(cls, text: str | None) -> str | None:
        plain = text.replace(":", "").lower() if text else None
        if plain and not re.fullmatch(r"[0-9a-f]{64}", plain):
            raise ValueError(
                f"{text!r} is not a SHA-256 fingerprint (64 hex digits, colons allowed), as printed by "
                "openssl x509 -fingerprint -sha256"
            )
        return plain

    @field_validator("dataset")
    @classmethod
    def _dataset_name(cls, name: str) -> str:
        if not re.fullmatch(r"[A-Za-z][\w.:-]*(/[\w.:-]+)*", name):
            raise ValueError(f"{name!r} is not a dataset name; write for instance tank/lab")
        return name

    @property
    def pool(self) -> str:
        """The ZFS pool: the first part of the dataset's name."""
        return self.dataset.split("/", 1)[0]


class IscsiSpec(Section):
    """How the data volume travels from the NAS to the hypervisor."""

    portal: list[str] = Field(min_length=1, description="Addresses the NAS listens on; the portal is found by them")
    address: str = Field("", description="Address the hypervisor connects to; default: the first of iscsi_portal")
    port: Int = Field(3260, ge=1, le=65535, description="Port of the portal (TrueNAS has one for all portals)")
    initiators: list[str] = Field(min_length=1, description="IQNs of the hypervisor; nobody else may log in")
    target: str = Field("", description="Name of the target; default: the host's name")
    extent: str = Field("", description="Name of the extent, at most 64 characters; default: the target's")
    group: str = Field("", description="Comment of an existing initiator group to use; default: a group of the host's own")
    lun: Int = Field(0, ge=0, le=16382, description="LUN of the data volume")
    chap_user: str | None = Field(None, description="CHAP user; CHAP is off without it")
    chap_secret: SecretKey | None = Field(None, description="CHAP secret, 12 to 16 characters, no '#'")
    chap_peer_user: str | None = Field(None, description="User the NAS proves itself with (mutual CHAP)")
    chap_peer_secret: SecretKey | None = Field(None, description="Secret the NAS proves itself with (mutual CHAP)")
    chap_tag: Int = Field(100, ge=1, description="Tag of the CHAP entry on the NAS (its group of credentials)")

    @field_validator("portal")
    @classmethod
    def _listen_addresses(cls, addresses: list[str]) -> list[str]:
        for address in addresses:
            try:
                ip_address(address)
            except ValueError:
                raise ValueError(f"{address!r} is not an address the NAS listens on; write for instance 192.168.1.10") from None
        return addresses

    @field_validator("address")
    @classmethod
    def _reachable_address(cls, address: str) -> str:
        if address and not re.fullmatch(_HOST_OR_ADDRESS, address):
            raise ValueError(
                f"{address!r} is not a host or an address; write for instance 192.168.1.10, and the port in iscsi_port"
            )
        return address

    @field_validator("chap_secret", "chap_peer_secret")
    @classmethod
    def _chap_secret(cls, secret: Secret | None) -> Secret | None:
        known = secret.literal if secret else None  # a file is read when it is needed, not here
        if known is not None and (not 12 <= len(known) <= 16 or "#" in known):
            raise ValueError("TrueNAS takes a CHAP secret of 12 to 16 characters without '#'")
        return secret

    @field_validator("initiators")
    @classmethod
    def _iqns(cls, names: list[str]) -> list[str]:
        for name in names:
            if not re.fullmatch(IQN, name):
                raise ValueError(f"{name!r} is not an initiator name; it looks like iqn.1993-08.org.debian:01:abcdef")
        return names

    @field_validator("target")
    @classmethod
    def _target_name(cls, name: str) -> str:
        if name and not re.fullmatch(_TARGET, name):
            raise ValueError(f"{name!r} is not a target name; use a-z, 0-9, '-', '.' and ':'")
        return name

    @field_validator("extent")
    @classmethod
    def _extent_name(cls, name: str) -> str:
        if len(name) > 64 or '"' in name:
            raise ValueError(f"{name!r} is not the name of an extent; write at most 64 characters, without '\"'")
        return name

    @model_validator(mode="after")
    def _pairs(self) -> IscsiSpec:
        if bool(self.chap_user) != bool(self.chap_secret):
            given, absent = ("chap_user", "chap_secret") if self.chap_user else ("chap_secret", "chap_user")
            raise Wrong(f"iscsi_chap_user and iscsi_chap_secret go together; write iscsi_{absent} too", given)
        if bool(self.chap_peer_user) != bool(self.chap_peer_secret):
            given, absent = (
                ("chap_peer_user", "chap_peer_secret") if self.chap_peer_user else ("chap_peer_secret", "chap_peer_user")
            )
            raise Wrong(f"iscsi_chap_peer_user and iscsi_chap_peer_secret go together; write iscsi_{absent} too", given)
        if self.chap_peer_user and not self.chap_user:
            raise Wrong("mutual CHAP (iscsi_chap_peer_user) needs iscsi_chap_user too", "chap_peer_user")
        if not self.address and self.portal[0] in ("0.0.0.0", "::"):
            raise Wrong(f"iscsi_address is needed, since the portal {self.portal[0]} is no address to connect to", "portal")
        return self

    @property
    def connect_to(self) -> str:
        """The address the hypervisor connects to."""
        return self.address or self.portal[0]


class HypervisorSpec(Section):
    """The libvirt host that runs the VM."""

    uri: str = Field("qemu:///system", description="libvirt address: qemu:///system or qemu+ssh://user@host/system")
    pool: str = Field("default", description="libvirt storage pool for OS images, overlays and Ignition configs")
    timeout: Seconds = Field(30, description="Deadline for an answer of the hypervisor")

    @field_validator("uri")
    @classmethod
    def _uri(cls, uri: str) -> str:
        if not re.fullmatch(r"(qemu|test)(\+(ssh|libssh2?|tls|unix))?://\S*", uri):
            raise ValueError(f"{uri!r} is not a libvirt address; write qemu:///system or qemu+ssh://root@hv1/system")
        return uri


class VmSpec(Section):
    """The virtual machine."""

    memory: Size = Field(2 * GiB, description="Memory")
    cpus: Int = Field(2, ge=1, le=512, description="Virtual CPUs")
    nics: list[Nic] = Field(
        default_factory=lambda: [Nic(network="default")],
        min_length=1,
        description="Network cards such as {'network': 'default'} or {'bridge': 'br0'}",
    )
    autostart: Bool = Field(True, description="Start with the hypervisor")
    restart: Literal["later", "now"] = Field(
        "later",
        description="When a change needs a restart: later, at the VM's next start, or now, gracefully (`--data restart=now`)",
    )
    adopt: Bool = Field(False, description="Take over a VM and a volume that zerotoil did not make (docs/guides/adopt.md)")
    firmware: Literal["bios", "uefi"] = Field("bios", description="Firmware")
    accel: Literal["auto", "kvm", "emulated"] = Field("auto", description="auto: KVM where a guest really starts under it")
    usb: list[str] = Field(default_factory=list, description='USB devices handed to the guest, "vendor:product": "10c4:ea60"')
    pci: list[str] = Field(default_factory=list, description='PCI devices handed to the guest: "0000:01:00.0"')
    xml: str | None = Field(None, description="Elements added to <domain>, as XML text or the path of a file")
    shutdown_timeout: Seconds = Field(120, description="How long a graceful shutdown may take")
    boot_timeout: Seconds = Field(600, description="How long the first boot may take until SSH answers")

    @field_validator("memory")
    @classmethod
    def _memory_in_kib(cls, size: int) -> int:
        if size % 1024**2 or size < 512 * 1024**2:
            raise ValueError('memory is a whole number of MiB, at least 512 MiB; write for instance "4 GiB"')
        return size

    @field_validator("nics")
    @classmethod
    def _own_addresses(cls, nics: list[Nic]) -> list[Nic]:
        for index, what in shared(nics):
            raise Wrong(what, index)
        return nics

    @field_validator("usb", "pci")
    @classmethod
    def _once(cls, devices: list[str]) -> list[str]:
        for device in devices:
            if devices.count(device) > 1:
                raise ValueError(f"{device} is written twice; write it once")
        return devices

    @field_validator("usb")
    @classmethod
    def _usb_ids(cls, devices: list[str]) -> list[str]:
        for device in devices:
            if not re.fullmatch(r"[0-9a-f]{4}:[0-9a-f]{4}", device):
                raise ValueError(f'{device!r} is not "vendor:product" in hex, as lsusb prints it: "10c4:ea60"')
        return devices

    @field_validator("pci")
    @classmethod
    def _pci_addresses(cls, devices: list[str]) -> list[str]:
        for device in devices:
            if not re.fullmatch(r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]", device):
                raise ValueError(f'{device!r} is not a PCI address, as lspci -D prints it: "0000:01:00.0"')
        return devices


class OsSpec(Section):
    """The operating system image and its first-boot configuration."""

    stream: str = Field("stable", description="Fedora CoreOS stream")
    stream_url: str = Field("https://builds.coreos.fedoraproject.org/streams/", description="Where stream metadata is read")
    image: str | None = Field(None, description="Image by URL or path (.qcow2, .qcow2.xz) instead of a stream")
    image_sha256: str | None = Field(None, description="SHA-256 of os_image as it is stored there")
    keyring: Path | None = Field(None, description="GPG keyring; when set, the stream image's signature is checked too")
    disk_size: Size = Field(20 * GiB, description="Size of the OS disk (it holds no data and is replaced at rebuilds)")
    keep: Int = Field(1, ge=0, le=20, description="Old OS disks kept after a rebuild")
    butane: Files = Field(description="Your own Butane fragments (text or paths): users, files, directories, units")

    @model_validator(mode="after")
    def _image_has_checksum(self) -> OsSpec:
        if self.image and not re.fullmatch(r"[0-9a-f]{64}", self.image_sha256 or ""):
            field = "image_sha256" if self.image_sha256 else "image"
            raise Wrong("os_image needs os_image_sha256 (64 hex digits): an image is never booted unverified", field)
        if self.image_sha256 and not self.image:
            raise Wrong("os_image_sha256 without os_image; remove it, a stream brings its own checksums", "image_sha256")
        return self


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
        return _named(name, "a name of a lab", "home")


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
    watchtower: WatchtowerSpec

    @field_validator("name")
    @classmethod
    def _host_name(cls, name: str) -> str:
        return _named(name, "a host name", "docker1")

    @model_validator(mode="before")
    @classmethod
    def _derived(cls, raw: Any) -> Any:
        """Fill what follows from the host's name, so that everything reads one place."""
        name = raw["name"]
        if not re.fullmatch(NAME, name):  # one message about the name is enough
            return raw
        iscsi, data = dict(raw["iscsi"]), dict(raw["data"])
        iscsi.setdefault("target", name)
        if isinstance(iscsi["target"], str) and re.fullmatch(_TARGET, iscsi["target"]):  # else its own message is enough
            iscsi.setdefault("extent", iscsi["target"])
        data.setdefault("serial", f"{name}-data")
        return {**raw, "iscsi": iscsi, "data": data}

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
    def _snapshots_cover_the_volume(self) -> HostSpec:
        if not f"{self.zvol}/".startswith(f"{self.snapshot_dataset}/"):
            raise ValueError(f"data_snapshot_dataset {self.snapshot_dataset} does not hold the volume {self.zvol}")
        return self

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

    def mac(self, index: int) -> str:
        """MAC of the nth card: as declared, or derived from lab and host so that it never changes."""
        declared = self.vm.nics[index].mac
        digest = hashlib.sha256(f"{self.owner}/{index}".encode()).hexdigest()
        return declared or f"52:54:00:{digest[:2]}:{digest[2:4]}:{digest[4:6]}"


SECTIONS: dict[str, type[Section]] = {
    "lab": LabSpec, "nas": NasSpec, "iscsi": IscsiSpec, "hypervisor": HypervisorSpec, "vm": VmSpec, "os": OsSpec,
    "data": DataSpec, "ssh": SshSpec, "docker": DockerSpec, "watchtower": WatchtowerSpec,
}  # fmt: skip


def keys() -> dict[str, tuple[str, str]]:
    """Every inventory key: `vm_memory` -> ("vm", "memory")."""
    found = {f"{section}_{field}": (section, field) for section, model in SECTIONS.items() for field in model.model_fields}
    return found | {"restart": ("vm", "restart")}  # short, since it is for the command line
