"""The local libvirt: the system's where it answers, else our own virtlogd and libvirtd in the foreground.

Found on Debian 12 without systemd: no change of /etc/libvirt is needed (QEMU runs as libvirt-qemu; no AppArmor and no
cgroup delegation are simply not used; missing D-Bus and udev cost one warning each in the log). But where no udev runs,
/dev/kvm stays root:root 0600: libvirt then probes QEMU anew several times at every start of a domain, up to 60 s each.
So the device gets the owner and mode that Debian's udev rule gives it, and `down` gives back what it had.

In a chroot into a plain folder no domain starts ("Failed disable mount propagation out of the root filesystem"): QEMU's
mount namespace needs a mount at /. Only there, qemu.conf gets `namespaces = []` while our libvirtd runs. (A libvirtd in
a mount namespace of its own does not do: QEMU then finds no PTY, and the ZFS pool stays busy.)
"""

from __future__ import annotations

import grp
import json
import os
from pathlib import Path
from typing import Any

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.minilab import daemons, layout
from zerotoil.minilab.commands import run, succeeds
from zerotoil.minilab.daemons import Daemon

KVM = Path("/dev/kvm")
KVM_BEFORE = layout.RUN / "kvm-device-before.json"
KVM_GROUP, KVM_MODE = "kvm", 0o660  # Debian's udev rule for the device
QEMU_CONF = Path("/etc/libvirt/qemu.conf")
NO_NAMESPACES = "\n# until `zerotoil lab down`:\nnamespaces = []\n"


def reachable() -> bool:
    """Whether qemu:///system answers, started by whomever."""
    return succeeds("virsh", "--connect", layout.LIBVIRT_URI, "--quiet", "version", timeout=15)


VIRTLOGD = Daemon(
    "virtlogd", ["virtlogd", "--pid-file", str(layout.RUN / "virtlogd.pid")], Path("/run/libvirt/virtlogd-sock").is_socket
)
LIBVIRTD = Daemon(
    "libvirtd",
    ["libvirtd", "--pid-file", str(layout.RUN / "libvirtd.pid")],
    reachable,
    deadline=40,
)


def up() -> str:
    """Make qemu:///system answer."""
    Path("/run/lock").mkdir(exist_ok=True)
    open_kvm_device()
    if daemons.pid_of(LIBVIRTD) is None and reachable():
        return "the system's own answers"
    set_namespaces(root_is_a_mount())
    daemons.start(VIRTLOGD)
    return daemons.start(LIBVIRTD)


def down() -> str:
    """Stop what `up` started; left running when other people's domains or networks use it."""
    if daemons.pid_of(LIBVIRTD) is None:
        _clean_up()
        return "not ours" if reachable() else "was not running"
    others = in_use() if daemons.is_up(LIBVIRTD) else []
    if others:
        return f"left running: {others[0]} is not the lab's"
    daemons.stop(LIBVIRTD)
    _clean_up()
    return "stopped"


def _clean_up() -> None:
    daemons.stop(VIRTLOGD)
    set_namespaces(True)
    restore_kvm_device()


def root_is_a_mount() -> bool:
    """False in a chroot into a plain folder."""
    return any(line.split()[4] == "/" for line in Path("/proc/self/mountinfo").read_text().splitlines())


def set_namespaces(on: bool) -> None:
    """Take QEMU's mount namespaces out of use, or take our own addition to qemu.conf back."""
    before = QEMU_CONF.read_text() if QEMU_CONF.exists() else ""
    wanted = before.replace(NO_NAMESPACES, "") + ("" if on else NO_NAMESPACES)
    if wanted != before:
        QEMU_CONF.write_text(wanted)


def in_use() -> list[str]:
    """Running domains, and networks that somebody started by hand; asked after the lab's own are gone."""
    connection = connect()
    try:
        domains = [f"domain {domain.name()}" for domain in connection.listAllDomains() if domain.isActive()]
        networks = [network for network in connection.listAllNetworks() if network.isActive() and not network.autostart()]
        return domains + [f"network {network.name()}" for network in networks]
    finally:
        connection.close()


def connect() -> Any:
    """A libvirt connection; the caller closes it. Raises LabError."""
    import libvirt

    libvirt.registerErrorHandler(lambda _context, _error: None, None)  # errors arrive as exceptions, not on stderr too
    try:
        return libvirt.open(layout.LIBVIRT_URI)
    except libvirt.libvirtError as error:
        raise LabError(f"libvirt ({layout.LIBVIRT_URI}) does not answer", str(error), code=Code.LAB_STEP_FAILED) from error


def open_kvm_device() -> None:
    """Give /dev/kvm the owner and mode of Debian's udev rule, where nobody did; remembers what was."""
    try:
        group, before = grp.getgrnam(KVM_GROUP).gr_gid, KVM.stat()
    except (KeyError, FileNotFoundError):
        return
    usable = before.st_gid == group and before.st_mode & KVM_MODE == KVM_MODE
    if usable or before.st_mode & 0o666 == 0o666:
        return
    KVM_BEFORE.write_text(json.dumps({"gid": before.st_gid, "mode": before.st_mode & 0o777}))
    os.chown(KVM, -1, group)
    KVM.chmod(KVM_MODE)


def restore_kvm_device() -> None:
    """Give /dev/kvm back what `open_kvm_device` changed."""
    if KVM_BEFORE.exists() and KVM.exists():
        before = json.loads(KVM_BEFORE.read_text())
        os.chown(KVM, -1, before["gid"])
        KVM.chmod(before["mode"])
    KVM_BEFORE.unlink(missing_ok=True)


def guest_console(domain: str) -> str:
    """What the guest's console has logged, as far as libvirt keeps a log file of it."""
    from xml.etree import ElementTree

    tree = ElementTree.fromstring(run("virsh", "--connect", layout.LIBVIRT_URI, "dumpxml", domain))
    sources = [
        *tree.findall("./devices/serial/log"),
        *tree.findall("./devices/console/log"),
        *tree.findall("./devices/serial[@type='file']/source"),
    ]
    for source in sources:
        path = Path(source.get("file") or source.get("path") or "")
        if path.is_file():
            return path.read_text(errors="replace")
    raise LabError(f"{domain} keeps no console log", f"attach to it: zerotoil lab console {domain}", code=Code.LAB_STEP_FAILED)
