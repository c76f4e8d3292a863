"""The devices of a host's domain: disks, network cards, devices handed through. Pure."""

from __future__ import annotations

from collections.abc import Container
from itertools import count

from lxml import etree

from zerotoil.model.network import Nic
from zerotoil.model.spec import HostSpec
from zerotoil.model.volumes import Volume, further

AGENT = "org.qemu.guest_agent.0"
OS_SERIAL = "os"


def secret_usage(spec: HostSpec) -> str:
    """The libvirt secret that holds the host's CHAP secret is found by this usage (libvirt's schema forbids slashes)."""
    return f"zerotoil:{spec.lab.name}:{spec.name}"


def devices(spec: HostSpec, os_volume: str, iqn: str, spare_ports: int) -> etree._Element:
    """`<devices>`, with `spare_ports` PCIe ports more than these devices fill."""
    made = [os_disk(spec, os_volume), data_disk(spec, iqn)]
    made += [more_disk(volume, iqn, index) for index, volume in enumerate(further(spec))]
    made += [card(spec.vm.nics[index], spec.mac(index)) for index in range(len(spec.vm.nics))]
    made += [etree.Element("controller", type="usb", model="qemu-xhci"), etree.Element("controller", type="virtio-serial")]
    made += [_random(), etree.Element("memballoon", model="virtio")]
    made += [pci_device(address) for address in spec.vm.pci]
    ports = len(made) + spare_ports  # so far, each of them fills one
    made += [usb_device(device) for device in spec.vm.usb] + _consoles()
    # the root is declared too: libvirt refuses ports at an index of their own without it
    root = etree.Element("controller", type="pci", index="0", model="pcie-root")
    parent = etree.Element("devices")
    parent.extend([root, *(etree.Element("controller", type="pci", model="pcie-root-port") for _ in range(ports)), *made])
    return parent


def os_disk(spec: HostSpec, volume: str) -> etree._Element:
    """The overlay, by pool and volume: a remote hypervisor needs no path."""
    disk = etree.Element("disk", type="volume", device="disk")
    etree.SubElement(disk, "driver", name="qemu", type="qcow2", discard="unmap")
    etree.SubElement(disk, "source", pool=spec.hypervisor.pool, volume=volume)
    etree.SubElement(disk, "target", dev="vda", bus="virtio")
    etree.SubElement(disk, "serial").text = OS_SERIAL
    etree.SubElement(disk, "boot", order="1")  # nothing but the OS disk is ever booted from
    return disk


def data_disk(spec: HostSpec, iqn: str) -> etree._Element:
    """The data volume. `error_policy=stop` pauses the VM while the NAS is away, so the filesystem never turns read-only."""
    return _lun(spec, iqn, spec.data.serial, "vdb", "stop")


def more_disk(volume: Volume, iqn: str, index: int) -> etree._Element:
    """The nth volume beside the data: as the data disk, under the next name."""
    return _lun(volume.spec, iqn, volume.spec.data.serial, disk_name(2 + index), "stop")


def disk_name(index: int) -> str:
    """The name of the nth virtio disk: vda, vdb, …, vdz, vdaa, …"""
    letters = "abcdefghijklmnopqrstuvwxyz"
    more = letters[index // len(letters) - 1] if index >= len(letters) else ""
    return f"vd{more}{letters[index % len(letters)]}"


def free_disk_name(taken: Container[str | None]) -> str:
    """The first name of a virtio disk that is not taken."""
    return next(name for name in map(disk_name, count()) if name not in taken)


def beside_disk(spec: HostSpec, iqn: str, serial: str) -> etree._Element:
    """A LUN that is plugged in beside the data: its trouble is reported to the guest, and pauses nothing."""
    return _lun(spec, iqn, serial, "vdc", "report")


def _lun(spec: HostSpec, iqn: str, serial: str, target: str, error_policy: str) -> etree._Element:
    block = spec.data.attach == "block"
    disk = etree.Element("disk", type="block" if block else "network", device="disk")
    driver = etree.SubElement(disk, "driver", name="qemu", type="raw", cache="none", error_policy=error_policy, discard="unmap")
    if block:
        driver.set("io", "native")
        etree.SubElement(disk, "source", dev=spec.by_path(iqn))
    else:
        disk.append(_iscsi_source(spec, iqn))
    etree.SubElement(disk, "target", dev=target, bus="virtio")
    etree.SubElement(disk, "serial").text = serial
    return disk


def _iscsi_source(spec: HostSpec, iqn: str) -> etree._Element:
    source = etree.Element("source", protocol="iscsi", name=f"{iqn}/{spec.iscsi.lun}")
    etree.SubElement(source, "host", name=spec.iscsi.connect_to, port=str(spec.iscsi.port))
    initiator = etree.SubElement(source, "initiator")
    etree.SubElement(initiator, "iqn", name=spec.iscsi.initiators[0])
    if spec.iscsi.chap_user:
        auth = etree.SubElement(source, "auth", username=spec.iscsi.chap_user)
        etree.SubElement(auth, "secret", type="iscsi", usage=secret_usage(spec))
    return source


def card(nic: Nic, mac: str) -> etree._Element:
    """A network card on a libvirt network or on a bridge of the hypervisor."""
    interface = etree.Element("interface", type="network" if nic.network else "bridge")
    etree.SubElement(interface, "mac", address=mac)
    if nic.network:
        etree.SubElement(interface, "source", network=nic.network)
    else:
        etree.SubElement(interface, "source", bridge=nic.bridge or "")
    etree.SubElement(interface, "model", type="virtio")
    return interface


def usb_device(device: str) -> etree._Element:
    """A USB device of the hypervisor by "vendor:product"; the VM starts without it when it is unplugged."""
    vendor, product = device.split(":")
    hostdev = etree.Element("hostdev", mode="subsystem", type="usb", managed="yes")
    source = etree.SubElement(hostdev, "source", startupPolicy="optional")
    etree.SubElement(source, "vendor", id=f"0x{vendor}")
    etree.SubElement(source, "product", id=f"0x{product}")
    return hostdev


def pci_device(address: str) -> etree._Element:
    """A PCI device of the hypervisor by "domain:bus:slot.function"."""
    domain, bus, rest = address.split(":")
    slot, function = rest.split(".")
    hostdev = etree.Element("hostdev", mode="subsystem", type="pci", managed="yes")
    source = etree.SubElement(hostdev, "source")
    place = {"domain": f"0x{domain}", "bus": f"0x{bus}", "slot": f"0x{slot}", "function": f"0x{function}"}
    etree.SubElement(source, "address", place)
    return hostdev


def _random() -> etree._Element:
    rng = etree.Element("rng", model="virtio")
    etree.SubElement(rng, "backend", model="random").text = "/dev/urandom"
    return rng


def _consoles() -> list[etree._Element]:
    serial, console = etree.Element("serial", type="pty"), etree.Element("console", type="pty")
    etree.SubElement(serial, "target", port="0")
    etree.SubElement(console, "target", type="serial", port="0")
    channel = etree.Element("channel", type="unix")
    etree.SubElement(channel, "target", type="virtio", name=AGENT)
    return [serial, console, channel]
