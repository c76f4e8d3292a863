"""libvirt networks and secrets of a hypervisor, by name and by usage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import libvirt
from lxml import etree

if TYPE_CHECKING:
    from zerotoil.clients.hypervisor.connection import Hypervisor


@dataclass(frozen=True)
class Lease:
    """An address handed out by a libvirt network; `expires` in seconds since 1970."""

    mac: str
    address: str
    expires: int


def networks(hypervisor: Hypervisor) -> dict[str, bool]:
    """Every libvirt network: name -> is it started."""

    def read() -> dict[str, bool]:
        return {network.name(): bool(network.isActive()) for network in hypervisor.connection.listAllNetworks(0)}

    return hypervisor.cached("networks", lambda: hypervisor.run("list networks", read))


def network_xml(hypervisor: Hypervisor, name: str) -> str:
    """The network's definition, as it will start next."""
    flags = 0 if hypervisor.is_test else libvirt.VIR_NETWORK_XML_INACTIVE
    read = lambda: str(hypervisor.connection.networkLookupByName(name).XMLDesc(flags))  # noqa: E731
    return hypervisor.cached(("network", name), lambda: hypervisor.run(f"read network {name}", read))


def update_dhcp_host(hypervisor: Hypervisor, name: str, *, add: bool, host: str) -> None:
    """Add (or change, by MAC) one `<host>` of a network's DHCP, at once and for good."""
    command = libvirt.VIR_NETWORK_UPDATE_COMMAND_ADD_LAST if add else libvirt.VIR_NETWORK_UPDATE_COMMAND_MODIFY

    _update_dhcp(hypervisor, name, command, host)


def remove_dhcp_host(hypervisor: Hypervisor, name: str, host: str) -> None:
    """Remove one `<host>` of a network's DHCP, at once and for good."""
    _update_dhcp(hypervisor, name, libvirt.VIR_NETWORK_UPDATE_COMMAND_DELETE, host)


def _update_dhcp(hypervisor: Hypervisor, name: str, command: int, host: str) -> None:
    def update() -> None:
        network = hypervisor.connection.networkLookupByName(name)
        flags = libvirt.VIR_NETWORK_UPDATE_AFFECT_CONFIG
        flags |= libvirt.VIR_NETWORK_UPDATE_AFFECT_LIVE if network.isActive() else 0
        network.update(command, libvirt.VIR_NETWORK_SECTION_IP_DHCP_HOST, -1, host, flags)

    hypervisor.write("network", f"DHCP reservation in network {name}", update)


def leases(hypervisor: Hypervisor, name: str, mac: str) -> list[Lease]:
    """The addresses a network gave to a MAC, newest first: old leases stay listed until they expire. Read afresh."""
    found: list[dict[str, Any]] = hypervisor.run(
        f"leases of network {name}", lambda: hypervisor.connection.networkLookupByName(name).DHCPLeases(mac)
    )
    known = [Lease(str(lease["mac"]), str(lease["ipaddr"]), int(lease["expirytime"])) for lease in found]
    return sorted(known, key=lambda lease: -lease.expires)


def neighbours(hypervisor: Hypervisor, domain: str, mac: str) -> list[str]:
    """Addresses of a running VM's card that the hypervisor's ARP table knows (for bridges, where no lease is ours)."""
    source = libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP
    read = lambda: hypervisor.connection.lookupByName(domain).interfaceAddresses(source)  # noqa: E731
    cards = hypervisor.run(f"addresses of VM {domain}", read) or {}
    return [str(entry["addr"]) for card in cards.values() if card.get("hwaddr") == mac for entry in card.get("addrs") or []]


def secrets(hypervisor: Hypervisor) -> dict[str, str]:
    """Every iSCSI secret: usage -> UUID."""

    def read() -> dict[str, str]:
        kind = libvirt.VIR_SECRET_USAGE_TYPE_ISCSI
        return {s.usageID(): s.UUIDString() for s in hypervisor.connection.listAllSecrets(0) if s.usageType() == kind}

    return hypervisor.cached("secrets", lambda: hypervisor.run("list secrets", read))


def secret_value(hypervisor: Hypervisor, usage: str) -> bytes | None:
    """A secret's value, None when none was set. Never cached, never printed."""

    def read() -> bytes | None:
        try:
            return bytes(_secret(hypervisor, usage).value(0))
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_SECRET:
                return None
            raise

    return hypervisor.run(f"compare secret {usage}", read)


def define_secret(hypervisor: Hypervisor, usage: str, value: bytes) -> None:
    """Define an iSCSI secret where it is missing and set its value."""
    secret = etree.Element("secret", ephemeral="no", private="no")
    etree.SubElement(secret, "description").text = f"CHAP secret of {usage}"
    place = etree.SubElement(secret, "usage", type="iscsi")
    etree.SubElement(place, "target").text = usage
    known = secrets(hypervisor)

    def put() -> None:
        if usage not in known:
            hypervisor.connection.secretDefineXML(etree.tostring(secret, encoding="unicode"), 0)
        _secret(hypervisor, usage).setValue(value, 0)

    hypervisor.write("secret", f"set secret {usage}", put)


def undefine_secret(hypervisor: Hypervisor, usage: str) -> None:
    """Forget an iSCSI secret with its value."""
    hypervisor.write("secret", f"undefine secret {usage}", lambda: _secret(hypervisor, usage).undefine())


def _secret(hypervisor: Hypervisor, usage: str) -> Any:
    return hypervisor.connection.secretLookupByUsage(libvirt.VIR_SECRET_USAGE_TYPE_ISCSI, usage)
