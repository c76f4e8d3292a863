"""Another volume as a host's data: the running VM gives its data disk up and gets it back with other content.

Step by step, each of which looks first whether it is done: killed anywhere, a second run finishes. What is written down
first (`zerotoil:swap` on the declared volume) says where it was going. A volume is never swapped under a live session: the
disk is unmounted in the guest and unplugged before the extent is pointed elsewhere. Where the guest cannot give the disk up
(something keeps it busy, or the hypervisor's kernel is logged in), the VM is shut down for it. Both volumes stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from lxml import etree

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.layers.snapshots import look
from zerotoil.model.data_volume import DataMark, VolumeState
from zerotoil.model.spec import HostSpec
from zerotoil.resources.guest import Guest, swap
from zerotoil.resources.guest.bring_up import app_of
from zerotoil.resources.guest.k3s_wait import until_ready
from zerotoil.resources.guest.swap import PATIENCE, Pin
from zerotoil.resources.guest.wait import until_up
from zerotoil.resources.hypervisor import Running, adopted, hot_disk, observed, shutdown
from zerotoil.resources.hypervisor.iscsi_pool import IscsiPool
from zerotoil.resources.hypervisor.observe import own_domain
from zerotoil.resources.nas import nas_resources
from zerotoil.resources.nas.clone import Clone
from zerotoil.resources.nas.mark import PREFIX, as_properties, read_mark
from zerotoil.resources.nas.present import Swap, note_swap, take_over
from zerotoil.resources.nas.serve import serve, served
from zerotoil.resources.nas.snapshots import SnapshotTask
from zerotoil.workflows.snapshot import take
from zerotoil.workflows.waiting import until

STEPS = (
    "noted", "snapshot", "cloned", "released", "detached", "served", "present", "covered", "attached", "taken", "pinned",
    "resumed", "done",
)  # fmt: skip


@dataclass
class Swapping:
    """One change of volumes under way. `after` is called with each step that is done (a test stops there)."""

    site: Site
    swap: Swap
    pin: bool  # hold the apps at the images that ran with the data
    after: Callable[[str], object] = lambda _step: None
    pins: list[Pin] = field(default_factory=list)
    safety: str = ""  # the snapshot of the present, as DATASET@NAME

    def run(self) -> None:
        """All steps that are left. Raises LabError; where the disk was not given up yet, all is as before."""
        site, swap_ = self.site, self.swap
        note_swap(site.spec, site.nas, swap_)
        self.after("noted")
        if served(site.spec, site.nas) != swap_.new:
            self._save_the_present()
            self._clone()
            try:
                self._take_out()
                serve(site.spec, site.nas, swap_.new)
            except LabError:
                self._as_before()
                raise
            self.after("served")
        take_over(site.spec, site.nas, swap_, int(site.now().timestamp()))
        self.after("present")
        self._cover()
        guest = self._put_in()
        self._check(guest)
        if self.pin:
            site.say("holding the apps at the images that ran with this data")
            self.pins = swap.pin(guest)
            self.after("pinned")
        site.say("starting the apps")
        units = swap.resume(guest)
        self.after("resumed")
        note_swap(site.spec, site.nas, None)
        self.after("done")
        for unit in units:
            until_healthy(guest, unit, f"zerotoil undo {guest.name} --return")

    def _save_the_present(self) -> None:
        """A snapshot of now, once: its note names the change."""
        site, note = self.site, f"before {self.swap.new.rpartition('/')[2]} took over, {self.swap.began}"
        known = next((one.id for one in look(site.spec, site.nas) if one.note == note), "")
        if not known:
            site.say("taking a snapshot of the present")
            known = take(site, note, site.now()).name
        self.safety = known
        self.after("snapshot")

    def _clone(self) -> None:
        site, swap_ = self.site, self.swap
        if swap_.snapshot:
            site.say(f"cloning {swap_.snapshot}")
            old = read_mark(site.nas, swap_.old)
            mark = DataMark(site.spec.owner, VolumeState.DATA, old.filesystem if old else None)
            marks = {key.removeprefix(PREFIX): value for key, value in as_properties(mark).items()}
            Clone(site.nas, swap_.new, swap_.snapshot, marks).make()
        self.after("cloned")

    def _take_out(self) -> None:
        """The data disk out of the guest's hands: unmounted and unplugged, or the VM off."""
        site, spec = self.site, self.site.spec
        if not observed(spec, site.hypervisor).running:
            self._log_out()
            return
        disk = _data_disk(site)
        serial = disk.findtext("serial") or ""
        there = serial in hot_disk.live_disks(site.hypervisor, spec.name)
        # Its other volumes are LUNs of the same target: QEMU's sessions for them would stay while the extent is changed.
        hot = disk.get("type") == "network" and serial and not spec.data.more
        if hot and not there:
            return  # unplugged by a run that was cut off
        site.say("stopping the apps and unmounting the data disk")
        busy = swap.release(site.guest_now(PATIENCE))
        self.after("released")
        if hot and not busy:
            hot_disk.detach(site.hypervisor, spec.name, serial)
        else:
            site.say(f"the data disk is kept busy by {busy}: shutting the VM down for it" if busy else "shutting the VM down")
            shutdown(spec, site.hypervisor)
            self._log_out()
        self.after("detached")

    def _as_before(self) -> None:
        """After a failure before the volume was changed: the disk back in, and all that was stopped started. Never raises."""
        site, spec = self.site, self.site.spec
        with suppress(LabError):
            if served(spec, site.nas) != self.swap.old or not observed(spec, site.hypervisor).running:
                return  # `--continue` goes on from here
            site.say("it did not work: starting what was stopped, as it was")
            swap.resume(self._put_in())
            note_swap(spec, site.nas, None)

    def _log_out(self) -> None:
        """End the session of the hypervisor's own kernel, where there is one."""
        site = self.site
        if site.spec.data.attach == "block" and site.hypervisor.storage.pools().get(site.spec.iscsi_pool, (False,))[0]:
            site.hypervisor.storage.stop_pool(site.spec.iscsi_pool)

    def _log_in(self) -> None:
        """What `_log_out` ended. Nothing more is asked of the pool: a volume that it does not see is no reason to stay off."""
        site = self.site
        if site.spec.data.attach != "block":
            return
        state = site.hypervisor.storage.pools().get(site.spec.iscsi_pool)
        if state is None:
            IscsiPool(site.spec, site.hypervisor, site.iqn).apply()
        elif not state[0]:
            site.hypervisor.storage.start_pool(site.spec.iscsi_pool)

    def _put_in(self) -> Guest:
        """The data disk back in the running guest, mounted."""
        site, spec = self.site, self.site.spec
        if observed(spec, site.hypervisor).running:
            hot_disk.attach(site.hypervisor, spec.name, etree.tostring(_data_disk(site), encoding="unicode"))
            guest = site.guest_now(PATIENCE)
        else:
            site.say("starting the VM")
            self._log_in()
            for resource in site.vm_resources():
                if isinstance(resource, Running):
                    resource.apply()
            guest = _answering(site)
        self.after("attached")
        swap.take(guest)
        self.after("taken")
        return guest

    def _cover(self) -> None:
        """The snapshot tasks follow at once where they are on the volume itself; those on what is around it have it already."""
        for resource in nas_resources(self.site.spec, self.site.nas):
            if isinstance(resource, SnapshotTask):
                resource.apply()
        self.after("covered")

    def _check(self, guest: Guest) -> None:
        """The mounted filesystem is the one that the volume is recorded with. No app has been started yet."""
        found, mark = guest.data_filesystem(), read_mark(self.site.nas, self.swap.new)
        if mark and mark.filesystem and mark.filesystem != found:
            raise LabError(
                f"{self.site.spec.name}: /var/mnt/data is {found}, {self.swap.new} is recorded as {mark.filesystem}",
                "no app was started; look first",
                code=Code.DATA_DIFFERS,
            )


def refuse_what_cannot_be_swapped(site: Site) -> None:
    """Raise LabError where the disk cannot be taken out safely, before anything is touched."""
    spec = site.spec
    if not observed(spec, site.hypervisor).running:
        raise LabError(
            f"{spec.name}: the VM is off, so its apps cannot be held back",
            f"start it first: virsh -c {spec.hypervisor.uri} start {spec.name}",
            code=Code.NEEDS_ANOTHER_FIRST,
        )
    refuse_a_member(spec)
    if _data_disk(site).get("type") != "network" and observed(spec, site.hypervisor).ours and _is_adopted(site):
        raise LabError(
            f"{spec.name}: its data disk is logged in by the hypervisor's kernel, by a configuration that is not zerotoil's",
            "give the VM the network form of the disk first (docs/guides/adopt.md)",
            code=Code.STILL_IN_USE,
        )


def refuse_a_member(spec: HostSpec) -> None:
    """A member of etcd that forgets what it has agreed to breaks what the others rest on (etcd.io, disaster recovery)."""
    others = [name for name in spec.k3s_in.servers if name != spec.name] if spec.k3s_in and spec.k3s.role == "server" else []
    if others:
        raise LabError(
            f"{spec.name}: its datastore is one with {', '.join(others)}'s, and one member alone cannot go back",
            "restore the whole cluster from a snapshot of etcd: https://docs.k3s.io/cli/etcd-snapshot",
            code=Code.UNDO_OF_A_MEMBER,
        )


def _is_adopted(site: Site) -> bool:
    own = own_domain(site.spec, site.hypervisor)
    return own is not None and own[1].adopted


def _data_disk(site: Site) -> etree._Element:
    """The data disk as the VM's definition has it."""
    domain = etree.fromstring(site.hypervisor.domain_xml(site.spec.name).encode())
    return adopted.data_disk(site.spec, site.hypervisor, domain, site.iqn)


def _answering(site: Site) -> Guest:
    """The guest, once it answers after a start."""

    def answered() -> Guest:
        guest = site.guest_now(PATIENCE)  # each time anew: it may get its address late
        guest.ask("true\n")
        return guest

    return until(site, answered)


def until_healthy(guest: Guest, unit: str, way_back: str) -> None:
    """Until the app's unit is up with the data that is back. Raises LabError with the command that returns."""
    try:
        if unit in swap.K3S_UNITS:
            until_ready(guest, unit.removesuffix(".service"), unit, joins=unit == "k3s-agent.service")
        else:
            until_up(guest, f"app {app_of(unit)}", unit)
    except LabError as error:
        raise LabError(
            f"{guest.name}: the data is back, and {error.what.removeprefix(f'{guest.name}: ')}",
            f"return with {way_back}, or look: zerotoil ssh {guest.name} -- journalctl -u {unit}",
            code=Code.UNDO_UNHEALTHY,
        ) from error
