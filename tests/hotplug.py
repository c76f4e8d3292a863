"""Stand-in: a hypervisor whose running VMs take disks in and give them up, which libvirt's test driver cannot.

Everything else is that driver's. What the real one does, as far as our code depends on it: the definition stays as it is, a
disk is gone only when the guest let go of it, a name or a serial that is taken is refused, ports run out, and a running VM's
XML says more than what was plugged in. docs/fidelity.md says what this leaves unproven.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lxml import etree

from zerotoil.clients.hypervisor import Hypervisor, HypervisorError
from zerotoil.error_codes import Code


class HotPlug(Hypervisor):
    """Use `hotplug`; who connects to the same address afterwards gets the same one.

    `deaf`: so many requests to let go are not heard (a guest that boots); `slow`: the guest lets go after so many looks;
    `ports`: how many disks may be plugged in.
    """

    deaf: int = 0
    slow: int = 0
    ports: int = 4
    ignores: bool = False  # says yes to a disk that is plugged in, and does nothing

    def __init__(self, uri: str, connection: Any, timeout: float) -> None:
        super().__init__(uri, connection, timeout)
        self._plugged: dict[str, dict[str, etree._Element]] = {}
        self._looks_left: dict[str, dict[str, int]] = {}

    def start(self, name: str) -> None:
        """See Hypervisor. What was plugged in before is gone."""
        self._plugged.pop(name, None)
        super().start(name)

    def _disks(self, name: str) -> dict[str, etree._Element]:
        """The running VM's disks by serial."""
        if name not in self._plugged:
            tree = etree.fromstring(super().domain_xml(name, live=True).encode())
            self._plugged[name] = {disk.findtext("serial", ""): disk for disk in tree.findall("devices/disk")}
        return self._plugged[name]

    def domain_xml(self, name: str, *, live: bool = False) -> str:
        """See Hypervisor."""
        xml = super().domain_xml(name, live=live)
        if not live:
            return xml
        disks, leaving = self._disks(name), self._leaving(name)
        for serial in list(leaving):
            leaving[serial] -= 1
            if leaving[serial] < 0:
                del disks[serial], leaving[serial]
        tree = etree.fromstring(xml.encode())
        devices = tree.find("devices")
        assert devices is not None
        for disk in devices.findall("disk"):
            devices.remove(disk)
        devices.extend(_as_it_runs(disk) for disk in disks.values())
        return etree.tostring(tree, encoding="unicode")

    def attach_device(self, name: str, xml: str) -> None:
        """See Hypervisor."""
        disk = etree.fromstring(xml)
        serial = disk.findtext("serial", "")
        self.writes["attach"] += 1
        self.forget()
        if not self.is_running(name):
            raise _refused(name, "attach to", "Requested operation is not valid: domain is not running")
        disks = self._disks(name)
        target = _target(disk)
        if len(serial.encode()) > 20:
            raise _refused(name, "attach to", f"unsupported configuration: serial {serial!r} is too long")
        if target in [_target(other) for other in disks.values()]:
            raise _refused(name, "attach to", f"Operation not supported: target {target} already exists")
        if len(disks) >= 2 + self.ports:
            raise _refused(name, "attach to", "internal error: No more available PCI slots")
        if not self.ignores:
            disks[serial] = disk

    def detach_device(self, name: str, xml: str) -> None:
        """See Hypervisor."""
        serial = etree.fromstring(xml).findtext("serial", "")
        self.writes["detach"] += 1
        self.forget()
        if serial not in self._disks(name):
            raise _refused(name, "detach from", f"device not found: no disk {serial}")
        if self.deaf:
            self.deaf -= 1
        else:
            self._leaving(name).setdefault(serial, self.slow)

    def _leaving(self, name: str) -> dict[str, int]:
        return self._looks_left.setdefault(name, {})


def hotplug(node: Path) -> HotPlug:
    """The stand-in on a node of libvirt's test driver; also for `Hypervisor.connect` with the same address."""
    made = HotPlug.connect(f"test://{node}", 10)
    assert isinstance(made, HotPlug), "somebody connected to this node before"
    return made


def _target(disk: etree._Element) -> str:
    target = disk.find("target")
    return target.get("dev", "") if target is not None else ""


def _as_it_runs(disk: etree._Element) -> etree._Element:
    """With what libvirt adds for as long as the VM runs."""
    shown = etree.fromstring(etree.tostring(disk))
    source = shown.find("source")
    if source is not None:
        source.set("index", "3")
    for tag in ("backingStore", "alias", "address"):
        if shown.find(tag) is None:
            etree.SubElement(shown, tag)
    return shown


def _refused(name: str, doing: str, why: str) -> HypervisorError:
    return HypervisorError(f"hypervisor test: {doing} VM {name}: {why}", code=Code.HYPERVISOR_REFUSED)
