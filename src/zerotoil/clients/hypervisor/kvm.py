"""Does KVM really run guests here?

The presence of /dev/kvm and libvirt's own word for it prove nothing: there are kernels that have the device and let
QEMU die at its first start. So a tiny VM without disks is started, with the CPU that real ones get, and its firmware
must reach the point where it looks for something to boot: it prints so on its serial port.
"""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import libvirt

from zerotoil.clients.hypervisor.errors import HypervisorError

if TYPE_CHECKING:
    from zerotoil.clients.hypervisor.connection import Hypervisor

ALIVE = b"Boot"  # SeaBIOS: "Booting from Hard Disk..." after it has set up the whole machine
_CPU = {"kvm": "host-passthrough", "qemu": "maximum"}
_PROBE = """<domain type='{type}'>
  <name>{name}</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type><bios useserial='yes'/></os>
  <features><acpi/></features><cpu mode='{cpu}'/><on_crash>destroy</on_crash>
  <devices>
    <controller type='usb' model='none'/><serial type='pty'/><memballoon model='none'/>
  </devices>
</domain>"""


def can_run_kvm(hypervisor: Hypervisor) -> bool:
    """Try it (a second or two, once per connection). False means: emulate."""
    with hypervisor.alone("kvm probe"):
        known = hypervisor.__dict__.setdefault("_kvm", None)
        if known is None:
            known = hypervisor.__dict__["_kvm"] = offers_kvm(hypervisor) and runs(hypervisor, "kvm")
        return bool(known)


def offers_kvm(hypervisor: Hypervisor) -> bool:
    """Does libvirt say that it has KVM? A question only: see the module's docstring for what the answer is worth."""
    try:
        ask = hypervisor.connection.getDomainCapabilities
        hypervisor.run("ask for KVM", lambda: ask(None, "x86_64", "q35", "kvm", 0))
    except HypervisorError:
        return False
    return True


def runs(hypervisor: Hypervisor, domain_type: str, seconds: float = 15) -> bool:
    """Does a guest of this type ("kvm", "qemu") start and get through its firmware within `seconds`?"""
    name = f"zerotoil-probe-{secrets.token_hex(4)}"
    flags = libvirt.VIR_DOMAIN_START_AUTODESTROY | libvirt.VIR_DOMAIN_START_PAUSED
    xml = _PROBE.format(type=domain_type, name=name, cpu=_CPU[domain_type])
    try:
        domain = hypervisor.run("start a probe", lambda: hypervisor.connection.createXML(xml, flags))
    except HypervisorError:
        return False
    try:
        return _boots(hypervisor, domain, time.monotonic() + seconds)
    except HypervisorError:
        return False
    finally:
        hypervisor.run("end the probe", lambda: _destroy(domain))


def _boots(hypervisor: Hypervisor, domain: Any, until: float) -> bool:
    stream = hypervisor.connection.newStream(libvirt.VIR_STREAM_NONBLOCK)
    hypervisor.run("read the probe's console", lambda: domain.openConsole(None, stream, 0))
    hypervisor.run("run the probe", domain.resume)
    seen = b""
    try:
        while ALIVE not in seen and time.monotonic() < until and hypervisor.run("probe", domain.isActive):
            piece = hypervisor.run("read the probe's console", lambda: stream.recv(4096))
            seen += piece if isinstance(piece, bytes) else b""  # -2: nothing there yet
            if piece == -2:
                time.sleep(0.05)
    finally:
        with suppress(libvirt.libvirtError):  # the console may have gone with the domain
            stream.abort()
    return ALIVE in seen


def _destroy(domain: Any) -> None:
    with suppress(libvirt.libvirtError):  # it died by itself: a transient domain is gone then
        domain.destroy()
