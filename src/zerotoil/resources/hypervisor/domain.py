"""The VM itself: its definition, and that it runs.

Natural key: the host's name. An existing definition is mended in place and defined anew: UUID, PCI addresses and what
a person added stay. Nothing is restarted here; a change of a running VM waits for its next start (`pending`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from lxml import etree

from zerotoil.clients.hypervisor import Hypervisor, network
from zerotoil.clients.hypervisor.kvm import can_run_kvm
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.spec import HostSpec
from zerotoil.model.volumes import volumes as volumes_of
from zerotoil.render.domain import Provisioned, domain_tree
from zerotoil.render.domain_mark import Mark, read_mark, replace_mark
from zerotoil.resources.hypervisor import adopted, observe, volumes
from zerotoil.resources.hypervisor.dhcp import missing_network
from zerotoil.resources.hypervisor.domain_fields import config_path, declared_fields, mend, os_disk
from zerotoil.resources.hypervisor.provision import Ingredients
from zerotoil.resources.hypervisor.redefine import redefine
from zerotoil.resources.resource import Action, Change, Risk, created, must_match, updated


@dataclass
class FirstBoot:
    """What stands before the first boot of an OS disk: the proof that the data disk may be booted with, and a note."""

    guard: Callable[[], None]
    on_first_start: Callable[[], None]
    proven: bool = False

    def prove(self) -> None:
        """Raise LabError unless the guard lets it pass; asked once per run."""
        if not self.proven:
            self.guard()
            self.proven = True


class Domain:
    """The VM's definition."""

    def __init__(self, ingredients: Ingredients, iqn: str, first_boot: FirstBoot) -> None:
        self.ingredients, self.iqn, self.first_boot = ingredients, iqn, first_boot
        self.spec, self.hypervisor = ingredients.spec, ingredients.hypervisor

    @property
    def key(self) -> str:
        """Natural key: the name."""
        return f"VM {self.spec.name}"

    def plan(self) -> list[Change]:
        """The declared fields that differ. Raises LabError for a VM that is not ours or a network that is missing."""
        own = observe.own_domain(self.spec, self.hypervisor)
        self._networks_exist()
        if own is None:
            self._volume_is_free()
            want = domain_tree(self.spec, Provisioned("test", "", "", "", "", 1), iqn=self.iqn, fragment=self._fragment())
            return created(self.key, declared_fields(want, want)[0])
        changes = self._risky(updated(self.key, *declared_fields(self._want(*own), own[0])))
        if read_mark(own[0]) is None:
            changes.insert(0, Change(self.key, Action.UPDATE, "mark", "none", f"{self.spec.owner}, adopted"))
        return changes

    def apply(self) -> list[Change]:
        """Define or mend it."""
        self.hypervisor.forget()
        changes = self.plan()
        if not changes:
            return []
        own = observe.own_domain(self.spec, self.hypervisor)
        if own is None:
            new = domain_tree(self.spec, self._provisioned(), iqn=self.iqn, fragment=self._fragment())
            self.first_boot.prove()
            self.hypervisor.define(self.spec.name, _text(new))
        else:
            want, fields = self._want(*own), {change.field for change in changes}
            if any(change.before == "absent" and change.field.startswith("disk ") for change in changes):
                self.first_boot.on_first_start()  # whoever uses it in that VM: from now on it is blank only when it was read
            redefine(self.hypervisor, self.spec.name, lambda whole: mend(whole, want, fields))
        must_match(self.key, self.plan())
        return changes

    def _want(self, have: etree._Element, mark: Mark) -> etree._Element:
        return wanted(self.spec, self.hypervisor, have, mark, self.iqn)

    def _fragment(self) -> str:
        return observe.fragment_text(self.spec)

    def _volume_is_free(self) -> None:
        """Two VMs on one volume destroy it."""
        luns = {one.spec.iscsi.lun: one for one in volumes_of(self.spec)}
        other, lun = adopted.reader(self.hypervisor, self.iqn, luns) or ("", 0)
        if other:
            which = "its data volume" if luns[lun].is_data else f"its volume {luns[lun].name}"
            raise LabError(
                f"{self.spec.name}: {which} is read by the VM {other} already",
                "nothing was made; is the host's name right?",
                code=Code.VOLUME_USED_TWICE,
            )

    def _provisioned(self) -> Provisioned:
        """What the new VM is made with: the newest OS disk and its config."""
        spec, storage, pool = self.spec, self.hypervisor.storage, self.ingredients.pool
        generation = self.ingredients.generation()
        disk = storage.volume(pool, volumes.overlay_name(spec.name, generation)) if generation else None
        config = storage.volume(pool, self.ingredients.config())
        if disk is None or config is None or generation is None:
            raise LabError(
                f"{self.key}: its OS disk or Ignition config is missing",
                "run again: they are made first",
                code=Code.NEEDS_ANOTHER_FIRST,
            )
        sha256 = volumes.digest(self.ingredients.ignition)
        if config.name != volumes.config_name(spec.name, sha256):
            sha256 = config.name.removesuffix(".ign").rsplit("-", 1)[-1]  # an older one: as much as its name tells
        release = volumes.release_of(disk.backing)
        return Provisioned(self._domain_type(), disk.name, config.path, sha256, release, generation)

    def _domain_type(self) -> str:
        if self.hypervisor.is_test:
            return "test"
        if self.spec.vm.accel != "auto":
            return "kvm" if self.spec.vm.accel == "kvm" else "qemu"
        return "kvm" if can_run_kvm(self.hypervisor) else "qemu"

    def _networks_exist(self) -> None:
        known = network.networks(self.hypervisor)
        for nic in self.spec.vm.nics:
            if nic.network and nic.network not in known:
                raise missing_network(self.spec.name, nic.network, known)

    def _risky(self, changes: list[Change]) -> list[Change]:
        state = self.hypervisor.domains().get(self.spec.name)
        running = bool(state and state.active)
        return [replace(change, risk=Risk.RESTART if running else Risk.SAFE) for change in changes]


class Running:
    """The VM is on, and starts with the hypervisor if so declared."""

    def __init__(self, spec: HostSpec, hypervisor: Hypervisor, first_boot: FirstBoot) -> None:
        self.spec, self.hypervisor, self.first_boot = spec, hypervisor, first_boot

    @property
    def key(self) -> str:
        """Natural key: the name."""
        return f"power of VM {self.spec.name}"

    def plan(self) -> list[Change]:
        """Off, paused, or with another autostart."""
        want = {"running": True, "autostart": self.spec.vm.autostart}
        state = self.hypervisor.domains().get(self.spec.name)
        if state is None:
            return created(self.key, want)
        observe.own_domain(self.spec, self.hypervisor)
        return updated(self.key, want, {"running": state.active and not state.paused, "autostart": state.autostart})

    def apply(self) -> list[Change]:
        """Start it. Autostart comes last: a VM that never booted must not start without the guard."""
        self.hypervisor.forget()
        changes = self.plan()
        if not changes:
            return []
        name = self.spec.name
        own = observe.own_domain(self.spec, self.hypervisor)
        if own is None:
            raise LabError(
                f"{self.key}: there is no VM of that name", "run again: it is defined first", code=Code.NEEDS_ANOTHER_FIRST
            )
        state = self.hypervisor.domains()[name]
        if state.paused:
            self.hypervisor.resume(name)
        elif not state.active:
            if not own[1].booted:
                self._before_first_start(own[1])
            self.hypervisor.start(name)
        if self.hypervisor.domains()[name].autostart != self.spec.vm.autostart:
            self.hypervisor.set_autostart(name, self.spec.vm.autostart)
        must_match(self.key, self.plan())
        return changes

    def _before_first_start(self, mark: Mark) -> None:
        """Prove, note, mark. Cut off anywhere, the next run proves again; both callbacks may be called twice."""
        self.first_boot.prove()
        self.first_boot.on_first_start()
        redefine(self.hypervisor, self.spec.name, lambda whole: replace_mark(whole, mark.as_booted()))


def wanted(spec: HostSpec, hypervisor: Hypervisor, have: etree._Element, mark: Mark, iqn: str) -> etree._Element:
    """The declared domain of a VM that exists. Raises LabError for an adopted one that does not read the volume."""
    if mark.keeps_disk and spec.data.more:
        raise LabError(
            f"{spec.name}: the VM was adopted, and keeps the login of its one data disk",
            "take data_more out, or let a new VM have the volumes (zerotoil destroy, then the deploy)",
            code=Code.VM_UNFIT_TO_ADOPT,
        )
    want = domain_tree(spec, made_with(spec, have, mark), iqn=iqn, fragment=observe.fragment_text(spec))
    return adopted.as_it_works(want, have, adopted.data_disk(spec, hypervisor, have, iqn)) if mark.keeps_disk else want


def made_with(spec: HostSpec, tree: etree._Element, mark: Mark) -> Provisioned:
    """What an existing VM was made with, from its definition."""
    disk = os_disk(tree)
    source = disk.find("source") if disk is not None else None
    volume = source.get("volume", "") if source is not None else ""
    return Provisioned(
        domain_type=tree.get("type", "qemu"),
        os_volume=volume or volumes.overlay_name(spec.name, mark.generation),
        ignition_path=config_path(tree),
        ignition_sha256=mark.ignition_sha256,
        os_release=mark.os_release,
        generation=mark.generation,
        mark=mark,
    )


def pending(spec: HostSpec, hypervisor: Hypervisor, iqn: str, *, defined: bool = False) -> list[Change]:
    """Declared fields that the running VM does not have: they wait for its next start.

    `defined`: only those that its definition has already, which is after a deploy.
    """
    state = hypervisor.domains().get(spec.name)
    own = observe.own_domain(spec, hypervisor)
    live = observe.domain_tree(spec, hypervisor, live=True)
    if own is None or live is None or not state or not state.active:
        return []
    if read_mark(live) is None and not own[1].adopted:
        return []
    want = wanted(spec, hypervisor, *own, iqn)
    changes = updated(f"VM {spec.name}", *declared_fields(want, live))
    other = {"vm_xml"}
    if changes and defined:
        other |= {change.field for change in updated("", *declared_fields(want, own[0]))}
    return [replace(change, risk=Risk.RESTART) for change in changes if change.field not in other]


def _text(tree: etree._Element) -> str:
    return etree.tostring(tree, encoding="unicode")
