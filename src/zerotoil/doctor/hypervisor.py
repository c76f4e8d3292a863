"""What the hosts of an inventory need of one hypervisor. Only questions: nothing is started, defined or written there."""

from __future__ import annotations

import os
import shutil
import subprocess
from urllib.parse import urlsplit

from lxml import etree

from zerotoil.clients.hypervisor import Hypervisor, HypervisorError
from zerotoil.clients.hypervisor.kvm import offers_kvm
from zerotoil.clients.hypervisor.network import networks
from zerotoil.doctor.check import Check, attempt, failure, ok, warning
from zerotoil.doctor.here import daemon_fix, dotted
from zerotoil.doctor.packages import Family, install
from zerotoil.layers.servers import servers
from zerotoil.model.spec import HostSpec

_SECONDS = 20
_NO_DRIVER = ("Unknown driver 'iscsi'", "Unknown protocol 'iscsi'")
# Where nothing listens: with the driver QEMU fails to connect, without it it does not know what iscsi is.
_NOWHERE = "driver=iscsi,transport=tcp,portal=127.0.0.1:9,target=iqn.2000-01.invalid:none,lun=0"


def checks(specs: list[HostSpec], family: Family) -> list[Check]:
    """Everything about the hypervisor that these hosts share; the rest is left out when it cannot be reached."""
    uri, local = specs[0].hypervisor.uri, is_local(specs[0].hypervisor.uri)
    tools = local_tools(specs, family) if local else []
    try:
        hypervisor = servers.hypervisor(specs[0])
    except HypervisorError as error:
        what = error.what.removeprefix(f"hypervisor {uri}: ")
        fix = daemon_fix(what, family) if local else error.remedy
        return [failure(uri, what, fix), *tools]
    found = [attempt(uri, lambda: reachable(hypervisor))]
    found += [pool(hypervisor, name) for name in sorted({spec.hypervisor.pool for spec in specs})]
    cards = [card for spec in specs for card in spec.vm.nics]
    found += [network(hypervisor, name) for name in sorted({card.network for card in cards if card.network})]
    found += [bridge(hypervisor, name) for name in sorted({card.bridge for card in cards if card.bridge})]
    found += kvm(hypervisor, {spec.vm.accel for spec in specs})
    if not local and any(spec.data.attach == "block" for spec in specs):
        found.append(iscsi_pools(hypervisor))
    return found + tools


def is_local(uri: str) -> bool:
    """Is the hypervisor this machine, so that its programs can be looked at?"""
    parts = urlsplit(uri)
    return parts.scheme.partition("+")[2] in ("", "unix") and not parts.hostname


def reachable(hypervisor: Hypervisor) -> Check:
    """It answers, with its version."""
    return ok(hypervisor.uri, f"libvirt {dotted(hypervisor.run('ask for its version', hypervisor.connection.getLibVersion))}")


def pool(hypervisor: Hypervisor, pool: str) -> Check:
    """The storage pool of the OS disks is there and started."""
    uri, name = hypervisor.uri, f"{hypervisor.uri}: pool {pool}"
    start = f"virsh -c {uri} pool-start {pool}; virsh -c {uri} pool-autostart {pool}"

    def look() -> Check:
        known = hypervisor.storage.pools()
        if pool not in known:
            make = f"virsh -c {uri} pool-define-as {pool} dir --target /var/lib/libvirt/images; {start}"
            there = ", ".join(sorted(known)) or "none"
            return failure(name, f"not there (there: {there})", f"name another in hypervisor_pool, or {make}")
        if not known[pool][0]:
            return failure(name, "not started", start)
        return ok(name, "started")

    return attempt(name, look)


def network(hypervisor: Hypervisor, network: str) -> Check:
    """The libvirt network is there and started."""
    uri, name = hypervisor.uri, f"{hypervisor.uri}: network {network}"

    def look() -> Check:
        known = networks(hypervisor)
        if network not in known:
            there = ", ".join(sorted(known)) or "none"
            return failure(name, f"not there (there: {there})", "name another in vm_nics, or create it (virsh net-define)")
        if not known[network]:
            return failure(name, "not started", f"virsh -c {uri} net-start {network}; virsh -c {uri} net-autostart {network}")
        return ok(name, "started")

    return attempt(name, look)


def bridge(hypervisor: Hypervisor, bridge: str) -> Check:
    """The bridge is there. A warning at most: libvirt lists devices only where its nodedev driver runs."""
    name = f"{hypervisor.uri}: bridge {bridge}"
    device = "net_" + "".join(letter if letter.isalnum() else "_" for letter in bridge) + "_"

    def look() -> Check:
        try:
            known = hypervisor.run("list network devices", lambda: hypervisor.connection.listDevices("net", 0))
        except HypervisorError as error:
            return warning(name, f"cannot be looked up ({error.what.rpartition(': ')[2]})", "see for it there: ip link")
        if any(found.startswith(device) for found in known):
            return ok(name, "there")
        return warning(name, "libvirt lists no such device", "create the bridge there, or name another in vm_nics")

    return attempt(name, look)


def kvm(hypervisor: Hypervisor, wanted: set[str]) -> list[Check]:
    """Does libvirt offer KVM? Nothing for hosts that want emulation."""
    name = f"{hypervisor.uri}: KVM"
    if wanted == {"emulated"}:
        return []
    if offers_kvm(hypervisor):
        return [ok(name, "offered by libvirt; a real start decides")]
    fix = "switch on VT-x or AMD-V in the firmware; in a VM, nested virtualization"
    if "kvm" in wanted:
        return [failure(name, 'not offered by libvirt, and vm_accel = "kvm" wants it', fix)]
    return [warning(name, "not offered by libvirt: guests are emulated, many times slower", fix)]


def iscsi_pools(hypervisor: Hypervisor) -> Check:
    """Can a remote libvirt log in to a target? Its own word; whether iscsiadm is there can only be seen on that machine."""
    name = f"{hypervisor.uri}: iSCSI"
    need = "on the hypervisor: " + install("iscsiadm", Family.UNKNOWN)
    try:
        said = hypervisor.run("ask for pool types", lambda: hypervisor.connection.getStoragePoolCapabilities(0))
        found = etree.fromstring(said.encode()).find("pool[@type='iscsi']")
    except HypervisorError as error:
        return warning(name, f"cannot be looked up ({error.what.rpartition(': ')[2]})", need)
    if found is None or found.get("supported") != "yes":
        fix = f"{need}; and libvirt-daemon-driver-storage-iscsi where libvirt is split up"
        return failure(name, 'libvirt there has no iSCSI pools, and data_attach = "block" needs them', fix)
    return ok(name, "libvirt has iSCSI pools; iscsiadm there cannot be seen from here")


def local_tools(specs: list[HostSpec], family: Family) -> list[Check]:
    """What the ways of attaching data disks need on a hypervisor that is this machine."""
    ways, found = {spec.data.attach for spec in specs}, []
    if "block" in ways:
        found.append(attempt("iscsiadm", lambda: iscsiadm(family)))
    if "network" in ways:
        found.append(attempt("QEMU's iSCSI driver", lambda: iscsi_driver(family)))
    return found


def iscsiadm(family: Family) -> Check:
    """The kernel's initiator has its tools (data_attach = "block")."""
    path = _which("iscsiadm")
    if not path:
        return failure("iscsiadm", 'not installed, and data_attach = "block" needs it', install("iscsiadm", family))
    return ok("iscsiadm", path)


def iscsi_driver(family: Family) -> Check:
    """QEMU has its own initiator (data_attach = "network"). Asked by opening a target where nothing listens."""
    name, path = "QEMU's iSCSI driver", _which("qemu-img")
    if not path:
        return failure(name, "qemu-img is not installed", install("qemu-img", family))
    line = [path, "info", "--image-opts", _NOWHERE]
    done = subprocess.run(line, capture_output=True, text=True, timeout=_SECONDS, stdin=subprocess.DEVNULL)
    if any(words in done.stderr for words in _NO_DRIVER):
        return failure(name, 'not installed, and data_attach = "network" needs it', install(name, family))
    return ok(name, f"there, with {path}")


def _which(tool: str) -> str | None:
    """The tool on the PATH or in the folders of root, which a login may not have on it."""
    return shutil.which(tool, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
