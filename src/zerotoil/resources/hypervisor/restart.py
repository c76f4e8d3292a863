"""A restart that was asked for (`--data restart=now`): graceful, and only where a change waits for it."""

from __future__ import annotations

from zerotoil.clients.hypervisor import Hypervisor
from zerotoil.model.spec import HostSpec
from zerotoil.resources.hypervisor.domain import pending
from zerotoil.resources.hypervisor.observe import shutdown
from zerotoil.resources.resource import Action, Change, Risk, must_match


class Restart:
    """The VM runs with its present definition."""

    def __init__(self, spec: HostSpec, hypervisor: Hypervisor, iqn: str) -> None:
        self.spec, self.hypervisor, self.iqn = spec, hypervisor, iqn

    @property
    def key(self) -> str:
        """Natural key: the name."""
        return f"running VM {self.spec.name}"

    def plan(self) -> list[Change]:
        """One change that names the fields which the running VM does not have yet."""
        waiting = pending(self.spec, self.hypervisor, self.iqn)
        if not waiting:
            return []
        fields = ", ".join(change.field for change in waiting)
        return [Change(self.key, Action.UPDATE, "restart", f"runs without the new {fields}", "now", Risk.RESTART)]

    def apply(self) -> list[Change]:
        """Shut it down gracefully, start it again. Raises LabError when the guest does not shut down."""
        self.hypervisor.forget()
        changes = self.plan()
        if changes:
            shutdown(self.spec, self.hypervisor)
            self.hypervisor.start(self.spec.name)
            must_match(self.key, self.plan())
        return changes
