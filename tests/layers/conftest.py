"""A lab on one NAS (the simulator) and one pretend hypervisor (libvirt's test driver), with hosts at their sites."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import make_spec
from tests.resources.hypervisor.conftest import NODE, Image
from tests.resources.nas.conftest import KEY, simulator
from zerotoil.layers import Site
from zerotoil.layers.servers import servers
from zerotoil.minilab.nas import Simulator
from zerotoil.model.data_volume import DataMark, Filesystem, VolumeState
from zerotoil.model.secret import Secret
from zerotoil.resources.nas.mark import write_mark

FILESYSTEM = Filesystem("ext4", "data", "1ea5f2e1-83dc-46c7-a677-9966b91a6e42")


@dataclass
class PretendLab:
    """Sites that share the servers; `guests` holds the scripts that ran in each guest."""

    folder: Path
    sim: Simulator
    guests: dict[str, list[str]] = field(default_factory=dict)
    number: int = 0

    def forget_all(self) -> None:
        """Another pretend hypervisor and another host's name from now on: a fresh lab for each example."""
        self.number += 1
        (self.folder / f"node{self.number}.xml").write_text(NODE)

    def site(self, name: str = "matrix", **data: Any) -> Site:
        """A host. Its guest has the data disk mounted and neither Docker nor Watchtower declared."""
        name += str(self.number or "")
        spec = make_spec(
            name,
            **{
                "nas_url": self.sim.url,
                "nas_fingerprint": self.sim.fingerprint,
                "nas_api_key": Secret(KEY),
                "iscsi_portal": ["127.0.0.1"],
                "hypervisor_uri": f"test://{self.folder}/node{self.number or ''}.xml",
                "data_attach": "network",
                "docker_enabled": False,
                "watchtower_enabled": False,
                "os_stream_url": "http://127.0.0.1:9/",
                **data,
            },
        )
        return Site(spec, self.folder, shell=lambda script: self._answer(name, script))

    def _answer(self, name: str, script: str) -> str:
        self.guests.setdefault(name, []).append(script)
        data = {"source": "/dev/vdb", "type": FILESYSTEM.type, "label": FILESYSTEM.label, "uuid": FILESYSTEM.uuid}
        return json.dumps({"data": data, "units": {}, "containers": [], "notify_sha256": ""})

    def apply(self, site: Site) -> list[Any]:
        """What the deploy does, without pyinfra around it."""
        from zerotoil.layers import LAYERS

        return [change for layer in LAYERS for resource in layer.resources(site) for change in resource.apply()]

    def settle(self, site: Site) -> None:
        """As after a first healthy boot."""
        write_mark(site.nas, site.spec.zvol, DataMark(site.spec.owner, VolumeState.DATA, FILESYSTEM))


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PretendLab]:
    (tmp_path / "node.xml").write_text(NODE)
    file = tmp_path / "image.qcow2"
    file.write_bytes(b"QFI\xfb" + bytes(1000))
    monkeypatch.setenv("ZEROTOIL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(servers, "_open", {})  # a port may come again, with another NAS at it
    monkeypatch.setattr(Site, "image", lambda _site: Image(file))
    monkeypatch.setattr(Site, "before_first_boot", lambda _site: None)  # the real guard has tests of its own
    with simulator() as sim:
        yield PretendLab(tmp_path, sim)
