"""XML of the storage below a VM: the OS disk's overlay and, for the block form, libvirt's `iscsi` pool. Pure.

The pool is the production form: libvirtd itself logs the kernel's initiator in when the pool starts (before it starts
VMs), so nothing on the hypervisor needs a shell. It knows one-way CHAP only.
"""

from __future__ import annotations

from lxml import etree

from zerotoil.model.spec import HostSpec
from zerotoil.render.domain_devices import secret_usage


def iscsi_pool_name(spec: HostSpec) -> str:
    """The pool that logs in to the host's target."""
    return spec.iscsi_pool


def render_iscsi_pool(spec: HostSpec, iqn: str, name: str = "") -> str:
    """libvirt's `iscsi` pool on a target of the host; `name`: where it is another than the host's own."""
    pool = etree.Element("pool", type="iscsi")
    etree.SubElement(pool, "name").text = name or iscsi_pool_name(spec)
    source = etree.SubElement(pool, "source")
    etree.SubElement(source, "host", name=spec.iscsi.connect_to, port=str(spec.iscsi.port))
    etree.SubElement(source, "device", path=iqn)
    if spec.iscsi.chap_user:
        auth = etree.SubElement(source, "auth", type="chap", username=spec.iscsi.chap_user)
        etree.SubElement(auth, "secret", usage=secret_usage(spec))
    initiator = etree.SubElement(source, "initiator")
    etree.SubElement(initiator, "iqn", name=spec.iscsi.initiators[0])
    target = etree.SubElement(pool, "target")
    etree.SubElement(target, "path").text = "/dev/disk/by-path"
    return etree.tostring(pool, pretty_print=True, encoding="unicode")


def render_overlay(name: str, size: int, base_path: str) -> str:
    """A qcow2 volume of `size` bytes over the base image."""
    volume = etree.Element("volume")
    etree.SubElement(volume, "name").text = name
    etree.SubElement(volume, "capacity", unit="bytes").text = str(size)
    target = etree.SubElement(volume, "target")
    etree.SubElement(target, "format", type="qcow2")
    backing = etree.SubElement(volume, "backingStore")
    etree.SubElement(backing, "path").text = base_path
    etree.SubElement(backing, "format", type="qcow2")
    return etree.tostring(volume, pretty_print=True, encoding="unicode")
