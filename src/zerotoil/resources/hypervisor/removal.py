"""What the hypervisor has of one host and nobody else's: found by name, removed in this order. No data is in any of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from zerotoil.clients.hypervisor import Hypervisor, network
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.spec import HostSpec
from zerotoil.render.domain_devices import secret_usage
from zerotoil.render.domain_storage import iscsi_pool_name
from zerotoil.resources.hypervisor import volumes
from zerotoil.resources.hypervisor.dhcp import reserved
from zerotoil.resources.hypervisor.observe import own_domain
from zerotoil.resources.hypervisor.rebuild import is_used


@dataclass(frozen=True)
class Part:
    """One thing on the hypervisor."""

    name: str
    remove: Callable[[], None]


def parts(spec: HostSpec, hypervisor: Hypervisor) -> list[Part]:
    """What is there now of the VM `spec.name`. Raises LabError for a VM that is not ours, or whose disks are not."""
    theirs = _keeps_login(spec, hypervisor)  # asked first of all: it refuses
    return list(_parts(spec, hypervisor, login_is_ours=not theirs and not spec.vm.adopt))


def _keeps_login(spec: HostSpec, hypervisor: Hypervisor) -> bool:
    """Does the VM log in to the NAS as somebody else set it up? Raises LabError for a VM that is not ours to destroy."""
    own = None if spec.name not in hypervisor.domains() else own_domain(spec, hypervisor)
    if own and own[1].adopted:
        raise LabError(
            f"{spec.name}: the VM was adopted and never migrated: its disks are not zerotoil's to delete",
            f"virsh shutdown {spec.name}; virsh undefine {spec.name}; its disks stay (virsh domblklist {spec.name} names them)",
            code=Code.DESTROY_OF_ADOPTED,
        )
    return own is not None and own[1].keeps_disk


def _parts(spec: HostSpec, hypervisor: Hypervisor, *, login_is_ours: bool) -> Iterator[Part]:
    pool, storage = spec.hypervisor.pool, hypervisor.storage
    files = [*sorted(volumes.overlays(spec, hypervisor).values()), *volumes.configs(spec, hypervisor)]
    for name in files:
        if is_used(hypervisor, name, but=spec.name):
            raise LabError(
                f"{spec.name}: {name} is in use by another VM", "look at virsh domblklist of the VMs", code=Code.STILL_IN_USE
            )
    if spec.name in hypervisor.domains():
        yield Part(f"VM {spec.name}", lambda: hypervisor.undefine(spec.name))
    for name in files:
        yield Part(f"{pool}/{name}", partial(storage.delete, pool, name))
    if login_is_ours and iscsi_pool_name(spec) in storage.pools():
        yield Part(f"iSCSI pool {iscsi_pool_name(spec)}", lambda: storage.forget_iscsi_pool(iscsi_pool_name(spec)))
    usage = secret_usage(spec)
    if login_is_ours and not hypervisor.is_test and usage in network.secrets(hypervisor):
        yield Part(f"CHAP secret {usage}", lambda: network.undefine_secret(hypervisor, usage))
    for index, nic in enumerate(spec.vm.nics):
        if nic.reserve and nic.network and (entry := reserved(hypervisor, nic.network, spec.mac(index))):
            yield Part(f"DHCP reservation {nic.network} {spec.mac(index)}", _unreserve(hypervisor, nic.network, entry))


def _unreserve(hypervisor: Hypervisor, name: str, entry: str) -> Callable[[], None]:
    return lambda: network.remove_dhcp_host(hypervisor, name, entry)
