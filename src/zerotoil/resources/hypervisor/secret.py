"""The CHAP secret as libvirt keeps it, found by its usage.

It is defined with private='no', so that it can be compared and a second run writes nothing. That gives nothing away:
reading it needs the same full access to libvirt that could read the VM's memory; the file is root's own, mode 0600.
"""

from __future__ import annotations

from zerotoil.clients.hypervisor import Hypervisor, network
from zerotoil.model.secret import MASK
from zerotoil.model.spec import HostSpec
from zerotoil.render.domain_devices import secret_usage
from zerotoil.resources.hypervisor.observe import keeps_disk
from zerotoil.resources.resource import Action, Change, created, must_match


class ChapSecret:
    """The secret that the hypervisor proves itself with to the NAS."""

    def __init__(self, spec: HostSpec, hypervisor: Hypervisor) -> None:
        self.spec, self.hypervisor, self.usage = spec, hypervisor, secret_usage(spec)

    @property
    def key(self) -> str:
        """Natural key: the usage."""
        return f"CHAP secret {self.usage}"

    def plan(self) -> list[Change]:
        """Missing, or of another value. An adopted VM keeps the secret it has."""
        if keeps_disk(self.spec, self.hypervisor):
            return []
        if self.usage not in network.secrets(self.hypervisor):
            return created(self.key, {"value": MASK})
        if network.secret_value(self.hypervisor, self.usage) == self._value():
            return []
        return [Change(self.key, Action.UPDATE, "value", MASK, MASK)]

    def apply(self) -> list[Change]:
        """Define it and set its value."""
        self.hypervisor.forget()
        if changes := self.plan():
            network.define_secret(self.hypervisor, self.usage, self._value())
            must_match(self.key, self.plan())
        return changes

    def _value(self) -> bytes:
        secret = self.spec.iscsi.chap_secret
        return secret.reveal().encode() if secret else b""
