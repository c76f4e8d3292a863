"""The hypervisor, the virtual machine and its operating system, as declared."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from zerotoil.model.network import Nic, shared
from zerotoil.model.section import Section, Wrong
from zerotoil.model.units import Bool, Int, Seconds, Size

GiB = 1024**3
Files = Annotated[list[str], Field(default_factory=list)]


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


class OsImage(Section):
    """The operating system image and its first-boot configuration."""

    stream: str = Field("stable", description="Fedora CoreOS stream")
    stream_url: str = Field("https://builds.coreos.fedoraproject.org/streams/", description="Where stream metadata is read")
    image: str | None = Field(None, description="Image by URL or path (.qcow2, .qcow2.xz) instead of a stream")
    image_sha256: str | None = Field(None, description="SHA-256 of os_image as it is stored there")
    keyring: Path | None = Field(None, description="GPG keyring; when set, the stream image's signature is checked too")
    disk_size: Size = Field(20 * GiB, description="Size of the OS disk (it holds no data and is replaced at rebuilds)")
    keep: Int = Field(1, ge=0, le=20, description="Old OS disks kept after a migration or rebuild")
    butane: Files = Field(description="Your own Butane fragments (text or paths): users, files, directories, units")

    @field_validator("stream")
    @classmethod
    def _name_of_a_stream(cls, stream: str) -> str:
        if not re.fullmatch(r"[a-z][a-z0-9-]*", stream):
            raise ValueError(f"{stream!r} is not the name of a stream; write stable, testing or next")
        return stream

    @field_validator("stream_url")
    @classmethod
    def _address_of_streams(cls, url: str) -> str:
        if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", url):
            raise ValueError(f"{url!r} is not an address of streams; write for instance https://mirror.lan/streams/")
        return url

    @model_validator(mode="after")
    def _image_has_checksum(self) -> OsImage:
        if self.image and not re.fullmatch(r"[0-9a-f]{64}", self.image_sha256 or ""):
            field = "image_sha256" if self.image_sha256 else "image"
            raise Wrong("os_image needs os_image_sha256 (64 hex digits): an image is never booted unverified", field)
        if self.image_sha256 and not self.image:
            raise Wrong("os_image_sha256 without os_image; remove it, a stream brings its own checksums", "image_sha256")
        return self
