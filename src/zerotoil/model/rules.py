"""Rules that no host can break alone.

Two hosts never share what must be one host's own, and what they may share on a server they declare alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from zerotoil.error_codes import Code
from zerotoil.model.cluster_rules import said_elsewhere, said_without_k3s
from zerotoil.model.k3s_cluster import cluster_problems
from zerotoil.model.os_updates import late_turns
from zerotoil.model.snapshots import namings
from zerotoil.model.spec import HostSpec
from zerotoil.model.volumes import further


def across_hosts(specs: Mapping[str, HostSpec]) -> Iterator[tuple[str, str, str, Code]]:
    """(host, key, what is wrong, its code) for every host that takes what an earlier one has."""
    taken: dict[tuple[str, str], str] = {}
    for host, spec in specs.items():
        for key, kind, value in _own(spec):
            other = taken.setdefault((kind, value), host)
            if other != host:
                yield (
                    host,
                    key,
                    f"{kind.split(' on ')[0]} {value} is already {other}'s; every host needs its own",
                    Code.SHARED_BY_HOSTS,
                )
    datasets = {(spec.nas.url, spec.dataset): spec for spec in specs.values()}
    for host, spec in specs.items():
        for outer in (datasets.get((spec.nas.url, above)) for above in _ancestors(spec.nas.dataset)):
            if outer:
                what = f"{spec.nas.dataset} is inside the dataset of {outer.name}; write {outer.nas.dataset}"
                yield host, "nas_dataset", what, Code.CLASHES_WITH_HOST
    pools = {(spec.hypervisor.uri, spec.iscsi_pool): host for host, spec in specs.items() if spec.data.attach == "block"}
    for host, spec in specs.items():
        if owner := pools.get((spec.hypervisor.uri, spec.hypervisor.pool)):
            what = f"{spec.hypervisor.pool} is the iSCSI pool of {owner}; write the pool of the OS images"
            yield host, "hypervisor_pool", what, Code.CLASHES_WITH_HOST
    yield from _extents_of_others(specs)
    yield from _declared_alike(specs)
    yield from cluster_problems(specs)
    yield from said_elsewhere(specs)
    yield from said_without_k3s(specs)
    yield from late_turns(specs)


def _extents_of_others(specs: Mapping[str, HostSpec]) -> Iterator[tuple[str, str, str, Code]]:
    """HOST-NAME, the extent of one more volume, may be what another host is called."""
    owners = {(spec.nas.url, spec.iscsi.extent): host for host, spec in specs.items()}
    for host, spec in specs.items():
        for one in further(spec):
            other = owners.get((spec.nas.url, one.spec.iscsi.extent), host)
            if other != host:
                what = f"the extent {one.spec.iscsi.extent} of {one.words} is {other}'s; call the volume otherwise"
                yield host, "data_more", what, Code.CLASHES_WITH_HOST


def _ancestors(dataset: str) -> Iterator[str]:
    """The dataset and all that it lies in, innermost first."""
    while dataset:
        yield dataset
        dataset = dataset.rpartition("/")[0]


def _declared_alike(specs: Mapping[str, HostSpec]) -> Iterator[tuple[str, str, str, Code]]:
    """One thing of the server that two hosts declare differently would be changed back and forth."""
    first: dict[tuple[str, str], tuple[str, object]] = {}
    for host, spec in specs.items():
        for key, thing, content in _shared(spec):
            other, said = first.setdefault((spec.nas.url, thing), (host, content))
            if said != content:
                yield (
                    host,
                    key,
                    f"the {thing} is declared differently by {other}; they share it on the NAS",
                    Code.CLASHES_WITH_HOST,
                )


def _shared(spec: HostSpec) -> Iterator[tuple[str, str, object]]:
    """(key, thing, what is declared about it) of what several hosts may use."""
    data = spec.data
    task = f"snapshot task of {spec.snapshot_dataset} ({data.snapshot_naming})"
    yield "data_snapshot_schedule", task, (data.snapshot_schedule, data.snapshot_keep)
    names = namings(data.snapshot_naming, data.snapshot_tiers)
    for name, tier in data.snapshot_tiers.items():
        task = f"snapshot task of {spec.snapshot_dataset} ({names[name]})"
        yield "data_snapshot_tiers", task, (tier.schedule, tier.keep)
    tiers = sorted(names[name] for name in data.snapshot_tiers)  # one host's former tier would be another's declared one
    yield "data_snapshot_tiers", f"list of snapshot tiers of {spec.snapshot_dataset}", tiers
    if spec.iscsi.group:
        yield "iscsi_initiators", f"initiator group {spec.iscsi.group!r}", sorted(spec.iscsi.initiators)
    nas = spec.nas
    if nas.mail_server:
        secret = nas.mail_password and (nas.mail_password.source or nas.mail_password.literal)
        mail = (nas.mail_server, nas.mail_port, nas.mail_security, nas.mail_from, nas.mail_user, secret)
        yield "nas_mail_server", "mail setting of the NAS", mail
    if nas.alert_mail:
        yield "nas_alert_mail", f"alert service of {spec.lab.name}", (nas.alert_mail, nas.alert_level)


def _own(spec: HostSpec) -> Iterator[tuple[str, str, str]]:
    """(key, kind, value) of everything that must be this host's own."""
    for index, nic in enumerate(spec.vm.nics):
        yield "vm_nics", "MAC", spec.mac(index)
        if nic.ip:
            yield "vm_nics", "address", nic.ip
    yield "iscsi_target", f"target on {spec.nas.url}", spec.iscsi.target
    if spec.iscsi.extent != spec.iscsi.target:
        yield "iscsi_extent", f"extent on {spec.nas.url}", spec.iscsi.extent
    yield "data_serial", f"disk serial on {spec.hypervisor.uri}", spec.data.serial
    for one in further(spec):
        yield "data_more", f"extent on {spec.nas.url}", one.spec.iscsi.extent
        yield "data_more", f"disk serial on {spec.hypervisor.uri}", one.spec.data.serial
        yield "data_more", f"volume on {spec.nas.url}", one.spec.zvol
    yield "data_volume" if spec.data.volume else "nas_dataset", f"volume on {spec.nas.url}", spec.zvol
    if spec.tailnet.enabled:
        yield "tailnet_hostname", "tailnet name", spec.tailnet.hostname
    for device in spec.vm.pci:
        yield "vm_pci", f"PCI device on {spec.hypervisor.uri}", device
    for device in spec.vm.usb:
        yield "vm_usb", f"USB device on {spec.hypervisor.uri}", device
