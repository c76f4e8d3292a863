"""Addresses that a libvirt network's DHCP keeps for a card: `<host mac ip>` of the network, live and for good."""

from __future__ import annotations

from lxml import etree

from zerotoil.clients.hypervisor import Hypervisor, network
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.spec import HostSpec
from zerotoil.resources.resource import Change, created, must_match, updated


class DhcpReservation:
    """One card's reserved address. Reservations of other machines stay untouched."""

    def __init__(self, spec: HostSpec, hypervisor: Hypervisor, nic: int) -> None:
        self.hypervisor, self.mac, self.host = hypervisor, spec.mac(nic), spec.name
        self.network, self.ip = spec.vm.nics[nic].network or "", spec.vm.nics[nic].ip or ""

    @property
    def key(self) -> str:
        """Natural key: network and MAC."""
        return f"DHCP reservation {self.network} {self.mac}"

    def plan(self) -> list[Change]:
        """Missing, or of another address. Raises LabError for an address that another card has."""
        hosts = self._hosts()
        if hosts.get(self.mac) == self.ip:
            return []
        taken = next((mac for mac, ip in hosts.items() if ip == self.ip), None)
        if taken:
            raise LabError(
                f"{self.host}: {self.ip} is reserved for {taken} in network {self.network}",
                "choose another address",
                code=Code.RESERVATION,
            )
        want = {"address": self.ip}
        return updated(self.key, want, {"address": hosts[self.mac]}) if self.mac in hosts else created(self.key, want)

    def apply(self) -> list[Change]:
        """Add or change it."""
        self.hypervisor.forget()
        if changes := self.plan():
            entry = etree.Element("host", mac=self.mac, name=self.host, ip=self.ip)
            xml = etree.tostring(entry, encoding="unicode")
            network.update_dhcp_host(self.hypervisor, self.network, add=self.mac not in self._hosts(), host=xml)
            must_match(self.key, self.plan())
        return changes

    def _hosts(self) -> dict[str, str]:
        known = network.networks(self.hypervisor)
        if self.network not in known:
            raise missing_network(self.host, self.network, known)
        root = etree.fromstring(network.network_xml(self.hypervisor, self.network).encode())
        if root.find("ip/dhcp") is None:
            raise LabError(
                f"{self.host}: network {self.network} has no DHCP", "set the address without reserve", code=Code.RESERVATION
            )
        return {host.get("mac", "").lower(): host.get("ip", "") for host in root.findall("ip/dhcp/host")}


def reserved(hypervisor: Hypervisor, name: str, mac: str) -> str:
    """The reservation of a MAC in a network, as XML; empty where there is none."""
    if name not in network.networks(hypervisor):
        return ""
    root = etree.fromstring(network.network_xml(hypervisor, name).encode())
    found = [host for host in root.findall("ip/dhcp/host") if host.get("mac", "").lower() == mac]
    return etree.tostring(found[0], encoding="unicode", with_tail=False) if found else ""


def missing_network(host: str, name: str, known: dict[str, bool]) -> LabError:
    """The error for a network that the hypervisor does not have."""
    return LabError(
        f"{host}: the hypervisor has no network {name!r} (it has: {', '.join(sorted(known)) or 'none'})",
        "name one of these in vm_nics, or create it",
        code=Code.NO_NETWORK,
    )
