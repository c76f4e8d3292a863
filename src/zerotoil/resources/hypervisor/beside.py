"""A disk that is plugged into the running VM beside its data, and the hypervisor's login that serves it (block form).

The disk is no part of the VM's definition, and the login is not started with the hypervisor: no next start depends on them.
"""

from __future__ import annotations

from lxml import etree

from zerotoil.clients.hypervisor import Hypervisor, network
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.restore import Restore, name_in, name_of_target
from zerotoil.model.spec import HostSpec
from zerotoil.render.domain_devices import beside_disk, secret_usage
from zerotoil.render.domain_storage import render_iscsi_pool
from zerotoil.resources.hypervisor.adopted import iscsi_disks
from zerotoil.resources.hypervisor.hot_disk import attach, detach, live_disks
from zerotoil.resources.hypervisor.iscsi_disk import iscsi_disk


class BesideDisk:
    """The hypervisor's side of one restore. `iqn` is its target's full name."""

    def __init__(self, restore: Restore, hypervisor: Hypervisor, iqn: str) -> None:
        self.restore, self.hypervisor, self.iqn = restore, hypervisor, iqn
        self.spec, self.vm = restore.spec, restore.spec.name

    def is_attached(self) -> bool:
        """Does the running VM have it (read afresh)?"""
        return self.restore.serial in live_disks(self.hypervisor, self.vm)

    def attach(self) -> None:
        """Log in where the form needs it, and plug the disk in. Raises LabError."""
        self._secret()
        if self.spec.data.attach == "block":
            self._login()
        disk = beside_disk(self.spec, self.iqn, self.restore.serial)
        attach(self.hypervisor, self.vm, etree.tostring(disk, encoding="unicode"))

    def detach(self) -> None:
        """Take the disk out, where the running VM has it. Who calls this has seen to it that the guest does not use it.

        Raises LabError when the guest does not let go, and for a disk of that serial that reads something else.
        """
        disk = live_disks(self.hypervisor, self.vm).get(self.restore.serial)
        if disk is None:
            return
        lun = iscsi_disk(disk, {})
        if lun is None or lun.iqn != self.iqn:
            raise LabError(
                f"{self.vm}: the disk {self.restore.serial} of the running VM reads something else than {self.iqn}",
                f"it was left alone; look at virsh domblklist {self.vm} --details",
                code=Code.DISK_NOT_ATTACHED,
            )
        detach(self.hypervisor, self.vm, self.restore.serial)

    def pool_is_there(self) -> bool:
        """Is the login defined? Raises LabError for a pool of that name that is something else."""
        name = self.restore.pool
        self.hypervisor.forget()
        if name not in self.hypervisor.storage.pools():
            return False
        if _target_of(self.hypervisor.storage.pool_xml(name)) != self.iqn:
            raise LabError(
                f"iSCSI pool {name}: the hypervisor has another pool of that name",
                f"rename the pool {name}, or choose another name (--as)",
                code=Code.STORAGE_POOL_KIND,
            )
        return True

    def logout(self) -> None:
        """Stop and forget the login, where there is one. Raises LabError while the VM still has the disk."""
        if not self.pool_is_there():
            return
        name, storage = self.restore.pool, self.hypervisor.storage
        if is_on(self.spec, self.hypervisor) and self.is_attached():
            raise LabError(f"{self.vm}: the disk {self.restore.serial} is still attached", "run again", code=Code.STILL_IN_USE)
        storage.forget_iscsi_pool(name)
        if name in storage.pools():
            raise _not_made(f"iSCSI pool {name}: the hypervisor forgot it, and still has it")

    def _login(self) -> None:
        name, storage = self.restore.pool, self.hypervisor.storage
        if not self.pool_is_there():
            storage.define_pool(name, render_iscsi_pool(self.spec, self.iqn, name))
        if not storage.pools()[name][0]:
            storage.start_pool(name)
        if not storage.pools().get(name, (False, False))[0]:
            raise _not_made(f"iSCSI pool {name}: the hypervisor started it, and it is not started")

    def _secret(self) -> None:
        """An adopted VM logs in with a secret of its own, so ours may not be there yet."""
        usage, secret = secret_usage(self.spec), self.spec.iscsi.chap_secret
        if secret and not self.hypervisor.is_test and usage not in network.secrets(self.hypervisor):
            network.define_secret(self.hypervisor, usage, secret.reveal().encode())


def is_on(spec: HostSpec, hypervisor: Hypervisor) -> bool:
    """Is the VM on, paused or not (asked afresh)?"""
    hypervisor.forget()
    state = hypervisor.domains().get(spec.name)
    return bool(state and state.active)


def attached_names(spec: HostSpec, hypervisor: Hypervisor) -> set[str]:
    """The NAMEs of all restores that the running VM has a disk of, by what the disks read."""
    if not is_on(spec, hypervisor):
        return set()
    tree = etree.fromstring(hypervisor.domain_xml(spec.name, live=True).encode())
    return {name for _, lun in iscsi_disks(tree, hypervisor) if (name := name_of_target(spec, lun.iqn))}


def pool_names(spec: HostSpec, hypervisor: Hypervisor) -> set[str]:
    """The NAMEs of all restores that the hypervisor has a login of."""
    storage = hypervisor.storage
    names = {name: pool for pool in storage.pools() if (name := name_in(pool, spec.iscsi_pool))}
    return {name for name, pool in names.items() if name_of_target(spec, _target_of(storage.pool_xml(pool))) == name}


def _target_of(pool_xml: str) -> str:
    """The target that a pool logs in to; empty for a pool of another kind."""
    pool = etree.fromstring(pool_xml.encode())
    device = pool.find("source/device")
    return device.get("path", "") if pool.get("type") == "iscsi" and device is not None else ""


def _not_made(what: str) -> LabError:
    return LabError(what, "look at libvirt's log on the hypervisor, then run again", code=Code.CHANGE_NOT_MADE)
