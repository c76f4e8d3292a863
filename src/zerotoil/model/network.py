"""Network cards of a VM."""

from __future__ import annotations

import ipaddress
import re

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class Nic(BaseModel):
    """One card: on a libvirt `network` or a host `bridge`; its address static, reserved in the network, or by DHCP."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    network: str | None = Field(None, description="libvirt network")
    bridge: str | None = Field(None, description="bridge of the hypervisor")
    mac: str | None = Field(None, description="MAC address; default: derived from lab and host, so it never changes")
    address: str | None = Field(None, description='"192.168.1.20/24": static, set inside the guest; absent: DHCP')
    reserve: bool = Field(False, description="the libvirt network's DHCP hands out `address` instead (no change in the guest)")
    gateway: str | None = Field(None, description="default route of a static address")
    dns: list[str] = Field(default_factory=list, description="name servers of a static address")

    @field_validator("mac")
    @classmethod
    def _unicast_mac(cls, mac: str | None) -> str | None:
        if mac and (not re.fullmatch(r"([0-9a-f]{2}:){5}[0-9a-f]{2}", mac.lower()) or int(mac[:2], 16) & 1):
            raise ValueError(f"{mac!r} is not a unicast MAC address; write for instance 52:54:00:12:34:56")
        return mac.lower() if mac else None

    @field_validator("address")
    @classmethod
    def _interface(cls, address: str | None) -> str | None:
        if address is None:
            return None
        if "/" not in address:
            raise ValueError(f'{address!r} has no prefix length; write for instance "{address}/24"')
        return str(ipaddress.ip_interface(address))

    @field_validator("gateway", "dns")
    @classmethod
    def _addresses(cls, value: str | list[str] | None) -> str | list[str] | None:
        for address in [value] if isinstance(value, str) else value or []:
            ipaddress.ip_address(address)
        return value

    @model_validator(mode="after")
    def _one_place(self) -> Nic:
        if bool(self.network) == bool(self.bridge):
            raise ValueError("a card is on either a network or a bridge")
        if self.reserve and not (self.network and self.address):
            raise ValueError("reserve needs a libvirt network and an address")
        if (self.gateway or self.dns) and (self.reserve or not self.address):
            raise ValueError("gateway and dns belong to a static address")
        return self

    @property
    def ip(self) -> str | None:
        """The address without its prefix length, when it is known beforehand."""
        return self.address.split("/")[0] if self.address else None

    @property
    def is_static(self) -> bool:
        """Is the address set inside the guest?"""
        return self.address is not None and not self.reserve
