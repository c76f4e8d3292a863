"""One host where it stands: its declaration, its servers, its owner's files, and what is kept in each layer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zerotoil.clients import butane, cache, device, ssh
from zerotoil.clients.hypervisor import Hypervisor
from zerotoil.clients.truenas import Nas
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import project
from zerotoil.layers.servers import servers
from zerotoil.model.data_volume import DataMark, VolumeState
from zerotoil.model.spec import HostSpec
from zerotoil.model.volumes import Volume, volumes
from zerotoil.render.domain_mark import read_mark as read_domain_mark
from zerotoil.resources import guard
from zerotoil.resources.data_volume import DataRecord
from zerotoil.resources.guest import Guest, guest_resources, os_updates, podman, tailnet
from zerotoil.resources.guest.app import GoneApps
from zerotoil.resources.guest.files import GuestFile
from zerotoil.resources.guest.k3s import GoneK3s, K3s, was_given
from zerotoil.resources.guest.os_updates import GoneOsUpdates, OsUpdates
from zerotoil.resources.guest.podman_app import GonePodmanApps
from zerotoil.resources.guest.tailnet import GoneTailnet, Tailnet
from zerotoil.resources.hypervisor import address, hypervisor_resources, observed
from zerotoil.resources.hypervisor.adopted import reads
from zerotoil.resources.hypervisor.observe import domain_tree
from zerotoil.resources.nas import nas_resources, target_iqn
from zerotoil.resources.nas.mark import read_mark, write_mark
from zerotoil.resources.nas.present import present, refuse_unfinished
from zerotoil.resources.resource import Resource

if TYPE_CHECKING:
    from zerotoil.clients.images import LocalImage
    from zerotoil.layers.apps import Judged
    from zerotoil.layers.cluster import JudgedCluster
    from zerotoil.resources.cluster import ClusterObjects

_SSH_SECONDS = 60
_PROGRESS_SECONDS = 10


@dataclass
class Site:
    """One host. `shell` runs a script in its guest; without one, OpenSSH does. `say` tells a person how far it is."""

    spec: HostSpec
    root: Path
    say: Callable[[str], Any] = lambda _text: None
    shell: Callable[[str], str] | None = None
    reconnect: Callable[[], None] = lambda: None  # gives up a connection of `shell` that has ended
    cluster_objects: list[ClusterObjects] = field(default_factory=list)  # as the plan has read them

    @property
    def nas(self) -> Nas:
        """The NAS, logged in. Raises LabError."""
        return servers.nas(self.spec)

    @property
    def hypervisor(self) -> Hypervisor:
        """The hypervisor, connected. Raises LabError."""
        return servers.hypervisor(self.spec)

    @property
    def mark(self) -> DataMark | None:
        """What is recorded about the data volume."""
        return read_mark(self.nas, self.volume)

    def now(self) -> datetime:
        """The controller's time, in its own zone."""
        return datetime.now().astimezone()

    @property
    def volume(self) -> str:
        """The path of the volume that serves as the host's data: the declared one, or what an undo put in its place."""
        return present(self.spec, self.nas)

    @property
    def iqn(self) -> str:
        """The target's full name."""
        return target_iqn(self.spec, self.nas)

    @cached_property
    def ignition(self) -> str:
        """The Ignition config, transpiled and validated by the real tools."""
        return butane.ignition(project.butane(self.spec, self.root), self.root)

    def nas_resources(self) -> list[Resource]:
        """What is kept on the NAS. Raises LabError while an undo is begun and not done."""
        refuse_unfinished(self.spec, self.nas)
        return nas_resources(self.spec, self.nas, lambda: observed(self.spec, self.hypervisor).booted, self._ran_with)

    def _ran_with(self, volume: Volume) -> bool:
        """May the VM have run with a volume beside its data? Its definition has it, which is written after the volume is made."""
        tree = domain_tree(self.spec, self.hypervisor)
        mark = read_domain_mark(tree) if tree is not None else None
        ran = mark is not None and (mark.booted or bool(mark.earlier))
        return ran and volume.spec.iscsi.lun in reads(self.hypervisor, self.spec.name, self.iqn)

    def vm_resources(self) -> list[Resource]:
        """What is kept on the hypervisor, with the guard in front of a first boot."""
        return hypervisor_resources(
            self.spec,
            self.hypervisor,
            iqn=self.iqn,
            ignition=self.ignition,
            image=self.image,
            progress=progress(self.say, "upload to the hypervisor"),
            guard=self.before_first_boot,
            on_first_start=self.note_first_boot,
        )

    def guest_resources(self) -> list[Resource]:
        """What is kept in the guest: first the record of the data volume, then what runs there."""
        guest, records = self.guest, [*self.records(), *self._needed()]
        if self.spec.container.backend == "docker":
            return [*records, *guest_resources(self.spec, guest, self._requirements())]
        if not self.spec.apps.run:  # podman's script stays: it takes away what is declared no more
            return [*records, *guest_resources(self.spec, guest, podman.guest_files(self.spec, {}))]
        from zerotoil.layers import podman_apps

        return [*records, *podman_apps.guest_resources(self.spec, self.apps, guest)]

    def _needed(self) -> list[Resource]:
        """The volumes beside the data that apps keep something on: looked at before anything of these apps is written."""
        if not (self.spec.data.more and self.spec.apps.run):
            return []
        from zerotoil.layers import apps

        return apps.needed(self.spec, self.apps, self.guest)

    def _requirements(self) -> list[GuestFile]:
        """What makes apps wait for volumes beside the data."""
        if not (self.spec.data.more and self.spec.apps.run):
            return []
        from zerotoil.layers import apps

        return apps.requirements(self.spec, self.apps)

    def records(self) -> list[DataRecord]:
        """The record of each volume."""
        return [
            DataRecord(one, self.guest, partial(self.recorded, one), partial(self._record, one)) for one in volumes(self.spec)
        ]

    def path_of(self, volume: Volume) -> str:
        """The zvol that serves as a volume of the host."""
        return self.volume if volume.is_data else volume.spec.zvol

    def recorded(self, volume: Volume) -> DataMark | None:
        """What is recorded about one of the host's volumes."""
        return read_mark(self.nas, self.path_of(volume))

    def _record(self, volume: Volume, mark: DataMark) -> None:
        write_mark(self.nas, self.path_of(volume), mark)

    def os_resources(self) -> list[Resource]:
        """What looks after the OS; or what is left of it, where the guest has it."""
        if self.spec.os.managed:
            return [OsUpdates(self.guest, self.spec, project.signature_key(self.spec, self.root), self.reconnect)]
        return [GoneOsUpdates(self.guest)] if self._may_have(os_updates.was_given) else []

    def tailnet_resources(self) -> list[Resource]:
        """The host as a machine of a tailnet; or what is left of one, where the guest is one."""
        if self.spec.tailnet.enabled:
            return [Tailnet(self.guest, self.spec)]
        return [GoneTailnet(self.guest)] if self._may_have(tailnet.was_given) else []

    def k3s_resources(self) -> list[Resource]:
        """The host as a node of its cluster; or what is left of one, where the guest is one."""
        if self.spec.k3s.role:
            return [K3s(self.guest, self.spec)]
        return [GoneK3s(self.guest)] if self._may_have(was_given) else []

    def _may_have(self, given: Callable[[Mapping[str, Any]], bool]) -> bool:
        """Has the guest what is not declared? A deploy may not have read it yet (with -y it reads nothing beforehand): then it
        looks once it gets there.
        """
        seen = self.seen_in_guest if self.shell else self.guest.facts()
        return given(seen) or (not seen and self.shell is not None)

    def app_resources(self) -> list[Resource]:
        """The apps of the host, and those that it runs no more."""
        podman = self.spec.container.backend == "podman"
        if not self.spec.apps.run:
            return [GonePodmanApps(self.guest, {}) if podman else GoneApps(self.guest, [])]
        from zerotoil.layers import apps, podman_apps  # load a schema and its validator, which most hosts do without

        if podman:
            return podman_apps.resources(self.spec, self.apps, self.guest)
        return apps.resources(self.spec, self.apps, self.guest)

    def cluster_resources(self) -> list[Resource]:
        """The objects of the host's cluster, where it is the cluster's first server."""
        if not self.spec.runs_cluster:
            return []
        from zerotoil.layers.cluster import resources

        self.cluster_objects = resources(self.spec, self.cluster, self.guest)
        return list(self.cluster_objects)

    @cached_property
    def cluster(self) -> JudgedCluster:
        """What is declared of the host's cluster, read and judged once."""
        from zerotoil.layers.cluster import judge

        return judge(self.spec, self.root)

    def cluster_problems(self, offline: bool = False) -> list[LabError]:
        """Everything that is wrong with the manifests of the host's cluster."""
        if not self.spec.runs_cluster:
            return []
        from zerotoil.layers.cluster import judge

        return list((judge(self.spec, self.root, offline=True) if offline else self.cluster).problems)

    def app_problems(self, offline: bool = False) -> list[LabError]:
        """Everything that is wrong with the files of the host's apps."""
        if not self.spec.apps.run:
            return []
        from zerotoil.layers.apps import judge

        return list((judge(self.spec, self.root, offline=True) if offline else self.apps).problems)

    @cached_property
    def apps(self) -> Judged:
        """The host's apps, read and judged once."""
        from zerotoil.layers.apps import judge

        return judge(self.spec, self.root)

    def image(self) -> LocalImage:
        """The OS image, fetched to this machine and verified."""
        from zerotoil.clients import images  # `requests` takes longer to load than most plans to make

        return images.fetch(images.resolve(self.spec.os), cache.folder("images"), progress(self.say, "OS image"))

    @cached_property
    def guest(self) -> Guest:
        """The guest, the same for all layers; a new machine where nothing answers yet that should. Raises LabError."""
        if self.shell:
            return Guest(self.spec.name, self.shell)
        return self.running_guest() if self.is_settled() else Guest.new_machine(self.spec.name)

    @property
    def seen_in_guest(self) -> dict[str, Any]:
        """What is known of the guest without asking it."""
        return self.guest.seen if "guest" in vars(self) else {}

    def guest_now(self, seconds: int = _SSH_SECONDS) -> Guest:
        """The running guest, read afresh, for one of many scripts: by `shell` where there is one, else over a connection that
        they share; `seconds` for one script.
        """
        return Guest(self.spec.name, self.shell) if self.shell else self.running_guest(seconds, shared=True)

    def running_guest(self, seconds: int = _SSH_SECONDS, *, shared: bool = False) -> Guest:
        """The guest over OpenSSH, with the keys, address and pinned host key of the deploy; `seconds` for one script.

        A plan asks each guest once: a connection that stays would be one more process for each of a thousand guests.
        """
        where = address(self.spec, self.hypervisor)
        if not where:
            raise LabError(
                f"{self.spec.name}: the VM has no address yet", "is DHCP answering on its network?", code=Code.NO_ADDRESS
            )
        start = self.hypervisor.start_number(self.spec.name) if shared else None
        return Guest(self.spec.name, ssh.shell(self.spec, where, project.known_hosts(self.root), seconds, start))

    def is_settled(self) -> bool:
        """Should the guest answer: the VM runs, and its data volume was seen healthy before, or it is adopted as it runs?"""
        if not observed(self.spec, self.hypervisor).running:
            return False
        if self.spec.vm.adopt:
            return True
        mark = self.mark
        return mark is not None and mark.state is VolumeState.DATA

    def before_first_boot(self) -> None:
        """Raise LabError unless every volume is proven to be ours and blank, or to hold the expected filesystem.

        A VM that is defined without the disk of a volume beside the data can do nothing to it.
        """
        for volume in self._attached():
            guard.check(
                host=self.spec.name,
                want=guard.expected(volume.spec),
                owner=self.spec.owner,
                mark=self.recorded(volume),
                found=device.probe(volume.spec, self.iqn),
                partlabel=volume.spec.data.partlabel,
                volume=volume.words,
            )

    def _attached(self) -> list[Volume]:
        """The volumes that the VM is defined with; all of them where there is no VM yet."""
        data, *more = volumes(self.spec)
        if not more or domain_tree(self.spec, self.hypervisor) is None:
            return [data, *more]
        has = reads(self.hypervisor, self.spec.name, self.iqn)
        return [data, *(one for one in more if one.spec.iscsi.lun in has)]

    def note_first_boot(self) -> None:
        """From now on each volume may hold a filesystem: it is blank no more, whatever happens to this run."""
        for volume in volumes(self.spec):
            mark = self.recorded(volume)
            if mark and mark.state is VolumeState.BLANK:
                self._record(volume, DataMark(self.spec.owner, VolumeState.FIRST_BOOT))


def progress(say: Callable[[str], Any], what: str) -> Callable[[int, int], None]:
    """A progress callback that says every ten seconds how far a transfer is, and at which rate."""
    started = said = 0.0

    def report(done: int, total: int) -> None:
        nonlocal started, said
        now = time.monotonic()
        started, said = started or now, said or now
        if now - said >= _PROGRESS_SECONDS:
            said = now
            rate = done / 1024**2 / max(now - started, 0.001)
            say(f"{what}: {done / 1024**2:.0f} of {total / 1024**2:.0f} MiB, {rate:.1f} MiB/s")

    return report
