"""A pretend lab of N converged hosts for measuring: a TrueNAS simulator and a file for libvirt's test driver.

    python bench/lab_of_many.py N FOLDER      serves until it is killed; FOLDER/ready appears when it is set up

libvirt's test driver keeps its state in each process, so the domains are defined here once and written to FOLDER/node.xml,
from which every process starts. Nothing here is timed.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any

from lxml import etree

from zerotoil.clients.hypervisor import Hypervisor
from zerotoil.clients.truenas import Nas
from zerotoil.layers import Site
from zerotoil.minilab.nas import Simulator
from zerotoil.minilab.nas.memory import MemoryStorage
from zerotoil.minilab.nas.targets import NoTargets
from zerotoil.model.inventory import declare
from zerotoil.model.secret import Secret
from zerotoil.render.domain import Provisioned, render_domain
from zerotoil.resources.hypervisor import volumes
from zerotoil.resources.nas import nas_resources, target_iqn

KEY = "1-benchbenchbenchbench"
NODE = """<node>
  <network><name>default</name><bridge name='virbr0'/>
    <ip address='192.168.122.1' netmask='255.255.255.0'><dhcp><range start='192.168.122.2' end='192.168.122.254'/></dhcp></ip>
  </network>
  <pool type='dir'><name>default</name><target><path>/pool</path></target></pool>
</node>"""
INVENTORY = """from zerotoil.model.secret import Secret
vms = ([f"@vm/vm{{number}}" for number in range({count})], {data})
"""


def main(count: int, folder: Path) -> None:
    """Set the lab up and serve it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "empty.xml").write_text(NODE)
    storage = MemoryStorage("tank", 1 << 50)
    with Simulator(storage=storage, targets=NoTargets(), users={"bench": KEY}, address="127.0.0.1") as sim:
        data = {
            "nas_url": sim.url, "nas_fingerprint": sim.fingerprint, "nas_user": "bench", "nas_dataset": "tank/lab",
            "iscsi_portal": ["127.0.0.1"], "iscsi_initiators": ["iqn.1993-08.org.debian:01:hv1"],
            "hypervisor_uri": f"test://{folder}/node.xml", "data_size": "1 GiB", "data_attach": "network",
            "ssh_authorized_keys": ["ssh-ed25519 AAAA bench"], "vm_autostart": False, "os_stream_url": "http://127.0.0.1:9/",
        }  # fmt: skip
        shown = "{" + ", ".join(f"{key!r}: {value!r}" for key, value in data.items()) + f", 'nas_api_key': Secret({KEY!r})}}"
        (folder / "lab.py").write_text(INVENTORY.format(count=count, data=shown))
        nas = Nas.connect(sim.url, "bench", Secret(KEY), fingerprint=sim.fingerprint)
        hosts = {f"vm{number}": [("group", {**data, "nas_api_key": Secret(KEY)})] for number in range(count)}
        sites = [Site(spec, folder) for spec in declare(hosts).specs.values()]
        _fill_nas(nas, sites)
        (folder / "node.xml").write_text(_node(nas, sites, folder))
        (folder / "ready").touch()
        signal.pause()


def _fill_nas(nas: Nas, sites: list[Site]) -> None:
    """The first host by the deploy's own resources, the others by copying what that made."""
    for resource in nas_resources(sites[0].spec, nas):
        resource.apply()
    first = {kind: nas.query(f"iscsi.{kind}")[0] for kind in ("portal", "initiator", "target", "extent")}
    for site in sites[1:]:
        spec = site.spec
        for resource in nas_resources(spec, nas)[:2]:
            resource.write(None)  # type: ignore[attr-defined]
        snapshot = nas_resources(spec, nas)[2]
        nas.write("pool.snapshottask.create", snapshot.payload())  # type: ignore[attr-defined]
        group = {"initiators": spec.iscsi.initiators, "comment": f"zerotoil {spec.owner}"}
        initiator = nas.write("iscsi.initiator.create", group)["id"]
        access = {"portal": first["portal"]["id"], "initiator": initiator, "authmethod": "NONE", "auth": None}
        target = nas.write("iscsi.target.create", {"name": spec.name, "groups": [access]})["id"]
        extent = {"name": spec.name, "type": "DISK", "disk": f"zvol/{spec.zvol}", "comment": f"zerotoil {spec.owner}"}
        made = nas.write("iscsi.extent.create", {**extent, "enabled": True, "ro": False, "rpm": "SSD"})["id"]
        nas.write("iscsi.targetextent.create", {"target": target, "extent": made, "lunid": 0})


def _node(nas: Nas, sites: list[Site], folder: Path) -> str:
    hypervisor = Hypervisor.connect(f"test://{folder}/empty.xml", 10)
    node: Any = etree.fromstring(NODE)
    pool = node.find("pool")
    for site in sites:
        spec, config = site.spec, volumes.config_name(site.spec.name, volumes.digest(site.ignition))
        overlay = volumes.overlay_name(spec.name, 1)
        made = Provisioned("test", overlay, f"/pool/{config}", volumes.digest(site.ignition), "44", 1, booted=True)
        hypervisor.define(spec.name, render_domain(spec, made, iqn=target_iqn(spec, nas)))
        node.append(etree.fromstring(hypervisor.domain_xml(spec.name).encode()))
        for name in (overlay, config):
            volume = etree.SubElement(pool, "volume")
            etree.SubElement(volume, "name").text = name
            etree.SubElement(volume, "capacity").text = "1000000"
    return etree.tostring(node, encoding="unicode")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]).absolute())
