"""Rules that no host can break alone: two hosts never share what must be one host's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from zerotoil.model.spec import HostSpec


def across_hosts(specs: Mapping[str, HostSpec]) -> Iterator[tuple[str, str, str]]:
    """(host, key, what is wrong) for every host that takes what an earlier one has."""
    taken: dict[tuple[str, str], str] = {}
    for host, spec in specs.items():
        for key, kind, value in _own(spec):
            other = taken.setdefault((kind, value), host)
            if other != host:
                yield host, key, f"{kind.split(' on ')[0]} {value} is already {other}'s; every host needs its own"
    for host, spec in specs.items():
        for other, outer in specs.items():
            if spec.nas.url == outer.nas.url and f"{spec.nas.dataset}/".startswith(f"{outer.dataset}/"):
                yield host, "nas_dataset", f"{spec.nas.dataset} is inside the dataset of {other}; write {outer.nas.dataset}"
    pools = {(spec.hypervisor.uri, spec.iscsi_pool): host for host, spec in specs.items() if spec.data.attach == "block"}
    for host, spec in specs.items():
        if owner := pools.get((spec.hypervisor.uri, spec.hypervisor.pool)):
            yield host, "hypervisor_pool", f"{spec.hypervisor.pool} is the iSCSI pool of {owner}; write the pool of the OS images"


def _own(spec: HostSpec) -> Iterator[tuple[str, str, str]]:
    """(key, kind, value) of everything that must be this host's own."""
    for index, nic in enumerate(spec.vm.nics):
        yield "vm_nics", "MAC", spec.mac(index)
        if nic.ip:
            yield "vm_nics", "address", nic.ip
    yield "iscsi_target", f"target on {spec.nas.url}", spec.iscsi.target
    yield "data_serial", f"disk serial on {spec.hypervisor.uri}", spec.data.serial
    yield "nas_dataset", f"volume on {spec.nas.url}", spec.zvol
    for device in spec.vm.pci:
        yield "vm_pci", f"PCI device on {spec.hypervisor.uri}", device
    for device in spec.vm.usb:
        yield "vm_usb", f"USB device on {spec.hypervisor.uri}", device
