"""What is known about one host's VM: from the definition that libvirt holds and the mark in it. Reads only."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from zerotoil.clients.hypervisor import Hypervisor, HypervisorError, network
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.spec import HostSpec
from zerotoil.render.domain_mark import Mark, read_mark

_LOOK_SECONDS = 0.5
_FIRST_LOOK_SECONDS = 0.02  # a VM without a guest is off at once; then ever longer, for one with a guest takes its time
_MOMENTS = 6
PRESS_AGAIN = 10  # seconds: a guest that is still booting does not hear the first ACPI signal


@dataclass(frozen=True)
class ObservedVm:
    """A host's VM as it is. `ours`: it carries our mark; hash, release and generation say what it was made with."""

    exists: bool
    running: bool = False
    ours: bool = False
    ignition_sha256: str = ""
    os_release: str = ""
    generation: int = 0
    addresses: tuple[str, ...] = ()
    booted: bool = False  # it was started with its data volume at least once


def domain_tree(spec: HostSpec, hypervisor: Hypervisor, *, live: bool = False) -> etree._Element | None:
    """The VM's definition, None where there is none. It is shared until the next write: only read it (see redefine.py)."""
    if spec.name not in hypervisor.domains():
        return None

    def parse() -> etree._Element:
        return etree.fromstring(hypervisor.domain_xml(spec.name, live=live).encode())

    return hypervisor.cached(("tree", spec.name, live), parse)


def own_domain(spec: HostSpec, hypervisor: Hypervisor) -> tuple[etree._Element, Mark] | None:
    """The VM's definition and its mark. Raises LabError for a VM of that name that is not ours.

    With vm_adopt, one that carries nobody's mark is ours, with the mark that it will get: it runs already, so it counts
    as booted. A VM that is missing is not made then: its name may be wrong, and its volume in use under the right one.
    """
    tree = domain_tree(spec, hypervisor)
    if tree is None:
        if spec.vm.adopt:
            raise LabError(
                f"{spec.name}: {hypervisor.uri} has no VM of that name to be adopted",
                "check the name; for a new VM with this volume take vm_adopt out",
                code=Code.NOT_THERE_TO_ADOPT,
            )
        return None
    mark = read_mark(tree)
    if mark is None and spec.vm.adopt:
        return tree, Mark(spec.owner, 0, "", "", booted=True, adopted=True)
    if mark is None or mark.owner != spec.owner:
        whose = f"it belongs to {mark.owner}" if mark else "it was not made by zerotoil"
        raise LabError(
            f"{spec.name}: {hypervisor.uri} has a VM of that name that is not ours ({whose})",
            "name the host differently, rename that VM (virsh domrename), or adopt it (docs/guides/adopt.md)",
            code=Code.VM_NOT_OURS,
        )
    return tree, mark


def keeps_disk(spec: HostSpec, hypervisor: Hypervisor) -> bool:
    """Was the host's VM made by somebody else? It keeps its login to the NAS, with an OS of ours too."""
    own = own_domain(spec, hypervisor)
    return own is not None and own[1].keeps_disk


def observed(spec: HostSpec, hypervisor: Hypervisor) -> ObservedVm:
    """The host's VM as it is now (by the run's shared queries)."""
    state = hypervisor.domains().get(spec.name)
    tree = domain_tree(spec, hypervisor)
    if state is None or tree is None:
        return ObservedVm(exists=False)
    mark = read_mark(tree)
    ours = mark is not None and mark.owner == spec.owner
    running = state.active and not state.paused
    if not ours or mark is None:
        return ObservedVm(exists=True, running=running)
    found = [address(spec, hypervisor, index) for index in range(len(spec.vm.nics))] if running else []
    return ObservedVm(
        True, running, True, mark.ignition_sha256, mark.os_release, mark.generation, tuple(ip for ip in found if ip), mark.booted
    )


def address(spec: HostSpec, hypervisor: Hypervisor, nic: int = 0) -> str | None:
    """The address of a card: declared, else the newest lease, else what the hypervisor's ARP table knows."""
    card, mac = spec.vm.nics[nic], spec.mac(nic)
    if card.ip:
        return card.ip
    if hypervisor.is_test:  # the pretend driver hands out no leases
        return None
    if card.network and (found := network.leases(hypervisor, card.network, mac)):
        return found[0].address
    try:
        known = network.neighbours(hypervisor, spec.name, mac)
    except HypervisorError:  # a VM that just went off has no addresses
        return None
    return known[0] if known else None


def shutdown(spec: HostSpec, hypervisor: Hypervisor, *, force: bool = False) -> None:
    """Shut the VM down gracefully and wait until it is off.

    Raises LabError after vm_shutdown_timeout; only with `force`, which a person asked for, the plug is pulled then.
    """
    name, began, pressed, pause = spec.name, time.monotonic(), float("-inf"), _FIRST_LOOK_SECONDS
    if own_domain(spec, hypervisor) is None:
        return
    while hypervisor.is_running(name):
        now = time.monotonic()
        if now - began > spec.vm.shutdown_timeout:
            if not force:
                raise LabError(
                    f"{name}: the guest did not shut down within {spec.vm.shutdown_timeout} s",
                    f"look at its console (virsh -c {hypervisor.uri} console {name}), or raise vm_shutdown_timeout",
                    code=Code.SHUTDOWN_TIMEOUT,
                )
            hypervisor.power_off(name)
            return
        if now - pressed > PRESS_AGAIN:
            _press(hypervisor, name)
            pressed = now
        time.sleep(pause)
        pause = min(2 * pause, _LOOK_SECONDS)
    hypervisor.forget()


def _press(hypervisor: Hypervisor, name: str) -> None:
    try:
        hypervisor.press_power(name)
    except HypervisorError:
        for _ in range(_MOMENTS):  # it went off between the look and the press, which libvirt may say a moment later
            if not hypervisor.is_running(name):
                return
            time.sleep(_LOOK_SECONDS)
        raise


def fragment_text(spec: HostSpec) -> str:
    """The text of `vm_xml`, read from its file where a path is declared. Raises LabError when that cannot be read."""
    declared = spec.vm.xml or ""
    if not declared.strip() or declared.lstrip().startswith("<"):
        return declared
    try:
        return Path(declared).expanduser().read_text()
    except (OSError, RuntimeError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or ("it is no text" if isinstance(error, UnicodeDecodeError) else str(error))
        raise LabError(
            f"{spec.name}: vm_xml {declared} cannot be read ({why})", "write a path, or XML text", code=Code.FILE_UNREADABLE
        ) from error
