"""Network cards of a VM."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from zerotoil.model.section import Wrong
from zerotoil.model.units import Bool


class Nic(BaseModel):
    """One card: on a libvirt `network` or a host `bridge`; its address static, reserved in the network, or by DHCP."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    network: str | None = Field(None, description="libvirt network")
    bridge: str | None = Field(None, description="bridge of the hypervisor")
    mac: str | None = Field(None, description="MAC address; default: derived from lab and host, so it never changes")
    address: str | None = Field(None, description='"192.168.1.20/24": static, set inside the guest; absent: DHCP')
    reserve: Bool = Field(False, description="the libvirt network's DHCP hands out `address` instead (no change in the guest)")
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
        try:
            interface = ipaddress.ip_interface(address)
        except ValueError:
            raise ValueError(f"{address!r} is not an address with a prefix; write for instance 192.168.1.20/24") from None
        network = interface.network
        if network.num_addresses > 2 and interface.ip in (network.network_address, network.broadcast_address):
            raise ValueError(f"{address!r} is no address of a machine: first and last of {network} are the network's own")
        return str(interface)

    @field_validator("gateway", "dns")
    @classmethod
    def _addresses(cls, value: str | list[str] | None) -> str | list[str] | None:
        for address in [value] if isinstance(value, str) else value or []:
            try:
                ipaddress.ip_address(address)
            except ValueError:
                raise ValueError(f"{address!r} is not an address; write for instance 192.168.1.1 (no prefix)") from None
        return value

    @model_validator(mode="after")
    def _one_place(self) -> Nic:
        if bool(self.network) == bool(self.bridge):
            raise ValueError('a card is on either a network or a bridge; write {"network": "default"} or {"bridge": "br0"}')
        if self.reserve and not (self.network and self.address):
            raise Wrong("reserve needs a libvirt network and an address; on a bridge, reserve it in your router", "reserve")
        if (self.gateway or self.dns) and (self.reserve or not self.address):
            field = "gateway" if self.gateway else "dns"
            raise Wrong(f"{field} belongs to a static address; write an address, without reserve", field)
        return self

    @model_validator(mode="after")
    def _gateway_in_reach(self) -> Nic:
        """A gateway outside the address's network makes a guest that nobody reaches."""
        if not self.gateway or not self.address:
            return self
        interface, gateway = ipaddress.ip_interface(self.address), ipaddress.ip_address(self.gateway)
        if gateway == interface.ip:
            raise Wrong(f"{gateway} is the card's own address; write the router's", "gateway")
        single = interface.network.num_addresses == 1  # /32 and /128: no gateway can be inside
        if gateway not in interface.network and not gateway.is_link_local and not single:
            raise Wrong(f"{gateway} is outside {interface.network}, the network of {self.address}; write one inside", "gateway")
        return self

    @property
    def ip(self) -> str | None:
        """The address without its prefix length, when it is known beforehand."""
        return self.address.split("/")[0] if self.address else None

    @property
    def is_static(self) -> bool:
        """Is the address set inside the guest?"""
        return self.address is not None and not self.reserve


def shared(nics: Sequence[Nic]) -> Iterator[tuple[int, str]]:
    """(index, what is wrong) of every card that has a MAC or address of an earlier one."""
    for index, nic in enumerate(nics):
        for kind, mine, earlier in (
            ("MAC", nic.mac, [other.mac for other in nics[:index]]),
            ("address", nic.ip, [other.ip for other in nics[:index]]),
        ):
            if mine and mine in earlier:
                yield index, f"{kind} {mine} is card [{earlier.index(mine)}]'s too; every card needs its own"
