"""A pretend hypervisor (libvirt's test driver), private to each test, and what a VM is made from."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from zerotoil.clients.hypervisor import Hypervisor
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.spec import HostSpec
from zerotoil.resources.hypervisor import hypervisor_resources
from zerotoil.resources.resource import Change, Resource

NODE = """<node>
  <network><name>default</name><bridge name='virbr0'/>
    <ip address='192.168.122.1' netmask='255.255.255.0'><dhcp><range start='192.168.122.2' end='192.168.122.254'/></dhcp></ip>
  </network>
  <pool type='dir'><name>default</name><target><path>/pool</path></target></pool>
</node>"""
IQN = "iqn.2005-10.org.freenas.ctl:matrix"


@dataclass
class Image:
    path: Path
    release: str = "44.20260802.3.1"
    sha256: str = "ab" * 32
    virtual_size: int = 10 << 30


@dataclass
class Lab:
    """One host on one hypervisor: declare, plan, apply; `calls` holds what was asked of the outside, in order."""

    hypervisor: Hypervisor
    image: Image
    calls: list[str] = field(default_factory=list)
    refuse: bool = False
    ignition: str = '{"ignition": {"version": "3.5.0"}}'

    def resources(self, spec: HostSpec) -> list[Resource]:
        def fetch() -> Image:
            self.calls.append("image")
            return self.image

        def guard() -> None:
            self.calls.append("guard")
            if self.refuse:
                raise LabError("the data disk holds a partition table", code=Code.GUARD_PARTITION_TABLE)

        return hypervisor_resources(
            spec,
            self.hypervisor,
            iqn=IQN,
            ignition=self.ignition,
            image=fetch,
            guard=guard,
            on_first_start=lambda: self.calls.append("first start"),
        )

    def plan(self, spec: HostSpec) -> list[Change]:
        self.hypervisor.forget()
        return [change for resource in self.resources(spec) for change in resource.plan()]

    def apply(self, spec: HostSpec) -> list[Change]:
        return [change for resource in self.resources(spec) for change in resource.apply()]


_numbers = count()


def make_lab(folder: Path, node: str = NODE) -> Lab:
    file = folder / f"node{next(_numbers)}.xml"
    file.write_text(node)
    image = folder / "image.qcow2"
    image.write_bytes(b"QFI\xfb" + bytes(1000))
    return Lab(Hypervisor.connect(f"test://{file}", 10), Image(image))


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Any]:
    yield make_lab(tmp_path)
