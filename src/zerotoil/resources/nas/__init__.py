"""What is kept as declared on the NAS, in the order in which it is made."""

from __future__ import annotations

from collections.abc import Callable

from zerotoil.clients.truenas import Nas
from zerotoil.model.snapshots import namings
from zerotoil.model.spec import HostSpec
from zerotoil.model.volumes import Volume, further
from zerotoil.resources.nas.access import Chap, InitiatorGroup, IscsiService, Portal
from zerotoil.resources.nas.alerts import alert_resources
from zerotoil.resources.nas.present import present
from zerotoil.resources.nas.snapshots import SnapshotTask
from zerotoil.resources.nas.targets import Beside, Extent, Mapping, Target
from zerotoil.resources.nas.tiers import FormerTiers, TierTask
from zerotoil.resources.nas.volumes import Dataset, Zvol
from zerotoil.resources.resource import Resource

__all__ = ["access", "full_name", "nas_resources", "target_iqn"]


def nas_resources(
    spec: HostSpec,
    nas: Nas,
    was_used: Callable[[], bool] = lambda: False,
    more_used: Callable[[Volume], bool] = lambda _volume: False,
) -> list[Resource]:
    """Everything kept on the NAS for one host. `was_used` says whether its VM ever ran with the volume, `more_used` the same
    of one that is declared beside it.
    """
    iscsi, data, adopt = spec.iscsi, spec.data, spec.vm.adopt
    volume = present(spec, nas)
    if volume != spec.zvol:  # an undo put it there: whatever the VM says, it held data, and is never made anew
        was_used = _surely
    snapshots_on = volume if spec.snapshot_dataset == spec.zvol else spec.snapshot_dataset  # a task on the volume itself follows
    portal, group, chap = access(spec, nas)
    beside = Beside(spec.dataset, _comment(spec), frozenset(one.spec.zvol for one in further(spec))) if not data.volume else None
    target = Target(nas, iscsi.target, portal, group, chap, volume, beside, adopt=adopt)
    extent = Extent(nas, iscsi.extent, volume, _comment(spec), adopt=adopt)
    # A volume that lies elsewhere is in a dataset that others use too: that one is neither made nor marked.
    above = [] if data.volume else [Dataset(nas, spec.dataset, spec.owner)]
    return [
        *above,
        Zvol(nas, volume, spec.owner, data.size, data.blocksize, was_used, label=data.label, adopt=adopt),
        SnapshotTask(nas, snapshots_on, data.snapshot_schedule, data.snapshot_keep, data.snapshot_naming),
        *_tiers(spec, nas, snapshots_on),
        portal,
        group,
        *([chap] if chap else []),
        target,
        extent,
        Mapping(nas, target, extent, iscsi.lun, adopt=adopt),
        *(resource for one in further(spec) for resource in _more(one, nas, target, more_used)),
        IscsiService(nas),
        *alert_resources(spec.nas, nas, spec.lab.name),
    ]


def _more(volume: Volume, nas: Nas, target: Target, was_used: Callable[[Volume], bool]) -> list[Resource]:
    """A volume beside the data: a LUN more of the same target."""
    spec, data = volume.spec, volume.spec.data
    extent = Extent(nas, spec.iscsi.extent, spec.zvol, _comment(spec))
    size_key = f'the size of "{volume.name}" in data_more'
    return [
        Zvol(nas, spec.zvol, spec.owner, data.size, data.blocksize, lambda: was_used(volume), size_key, data.label),
        extent,
        Mapping(nas, target, extent, spec.iscsi.lun, stays=True),
    ]


def _comment(spec: HostSpec) -> str:
    """Our mark on the extents that serve the host's volumes."""
    return f"zerotoil {spec.owner}"


def access(spec: HostSpec, nas: Nas) -> tuple[Portal, InitiatorGroup, Chap | None]:
    """Who may reach the host's volumes, where, and with which credentials."""
    iscsi = spec.iscsi
    portal = Portal(nas, tuple(iscsi.portal), iscsi.port, spec.lab.name)
    group = InitiatorGroup(nas, spec.owner, tuple(iscsi.initiators), iscsi.group)
    chap = None
    if iscsi.chap_user and iscsi.chap_secret:
        peer = (iscsi.chap_peer_user or "", iscsi.chap_peer_secret)
        chap = Chap(nas, iscsi.chap_tag, iscsi.chap_user, iscsi.chap_secret, *peer, adopt=spec.vm.adopt)
    return portal, group, chap


def _surely() -> bool:
    return True


def _tiers(spec: HostSpec, nas: Nas, on: str) -> list[Resource]:
    """The snapshot tasks beside the nightly one, and those that were declared before."""
    data = spec.data
    notes = data.volume or spec.dataset  # what is this host's own; a dataset around a volume is shared, and never written to
    names = namings(data.snapshot_naming, data.snapshot_tiers)
    tasks = [
        TierTask(nas, on, tier.schedule, tier.keep, names[name], tier=name, notes=notes)
        for name, tier in data.snapshot_tiers.items()
    ]
    return [*tasks, FormerTiers(nas, notes, frozenset((on, name) for name in names.values()))]


def target_iqn(spec: HostSpec, nas: Nas) -> str:
    """The full name of the host's target."""
    return full_name(nas, spec.iscsi.target)


def full_name(nas: Nas, target: str) -> str:
    """A target's full name: the NAS's own base name, then the target's (unless that is a full name itself)."""
    return target if target.startswith(("iqn.", "eui.", "naa.")) else f"{nas.config('iscsi.global')['basename']}:{target}"
