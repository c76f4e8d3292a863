"""Published ports of a service, in Compose's short and long syntax. Pure.

Source: docker/go-connections nat.ParsePortSpec, and the Compose Specification's `ports`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_SHORT = re.compile(
    r"(?:(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<four>\d+(?:\.\d+){3})):)?(?:(?P<host>\d+(?:-\d+)?)?:)?(?P<inside>\d+(?:-\d+)?)(?:/(?P<protocol>\w+))?"
)
_PROTOCOLS = ("tcp", "udp", "sctp")
_RIGHT = 'write for instance "8080:80", "127.0.0.1:8080:80" or "53:53/udp"'


@dataclass(frozen=True)
class Port:
    """One port of a container. `published` is None where the engine picks a free one; `host_ip` is empty for all addresses."""

    target: int
    published: int | None = None
    host_ip: str = ""
    protocol: str = "tcp"
    index: int = 0  # in the service's list

    def clashes(self, other: Port) -> bool:
        """Whether the host cannot publish both."""
        same = self.published is not None and self.published == other.published and self.protocol == other.protocol
        return same and _families(self.host_ip) & _families(other.host_ip) != set() and _one_address(self.host_ip, other.host_ip)

    def __str__(self) -> str:
        address = f"[{self.host_ip}]" if ":" in self.host_ip else self.host_ip or "every address"
        return f"{address}:{self.published}/{self.protocol}" if self.host_ip else f"{self.published}/{self.protocol}"


def read_ports(given: Any, index: int) -> list[Port]:
    """The ports of one entry. Raises ValueError in words."""
    if isinstance(given, dict):
        host_ip, protocol = str(given.get("host_ip") or ""), str(given.get("protocol") or "tcp").lower()
        if not given.get("target"):
            raise ValueError("target is missing; write the container's port")
        return list(_expanded(str(given["target"]), str(given.get("published") or ""), host_ip, protocol, index))
    match = _SHORT.fullmatch(str(given))
    if not match:
        raise ValueError(f"{given!r} is no port mapping; {_RIGHT}")
    host_ip, protocol = match["six"] or match["four"] or "", (match["protocol"] or "tcp").lower()
    return list(_expanded(match["inside"], match["host"] or "", host_ip, protocol, index))


def _expanded(inside: str, host: str, host_ip: str, protocol: str, index: int) -> Iterator[Port]:
    if protocol not in _PROTOCOLS:
        raise ValueError(f"{protocol!r} is no protocol; write tcp or udp")
    if host_ip:
        try:
            ipaddress.ip_address(host_ip)
        except ValueError:
            raise ValueError(f"{host_ip!r} is no address of the host; {_RIGHT}") from None
    targets, published = _range(inside), _range(host) if host else []
    if published and len(targets) == 1 and len(published) > 1:
        published = []  # the engine picks one of them
    if published and len(published) != len(targets):
        raise ValueError(f"{host} and {inside} are ranges of different lengths")
    for number, target in enumerate(targets):
        yield Port(target, published[number] if published else None, host_ip, protocol, index)


def _range(text: str) -> list[int]:
    first, _, last = text.partition("-")
    if not first.isdigit() or not (last or first).isdigit():
        raise ValueError(f"{text!r} is no port; {_RIGHT}")
    low, high = int(first), int(last or first)
    if not (low <= high <= 65535):
        raise ValueError(f"{text} is not within 0-65535, in rising order")
    return list(range(low, high + 1))


def _families(host_ip: str) -> set[int]:
    return {4, 6} if not host_ip else {ipaddress.ip_address(host_ip).version}


def _one_address(one: str, other: str) -> bool:
    every = [not address or ipaddress.ip_address(address).is_unspecified for address in (one, other)]
    return any(every) or ipaddress.ip_address(one) == ipaddress.ip_address(other)
