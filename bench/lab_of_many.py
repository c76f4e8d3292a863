"""A pretend lab of N converged hosts for measuring: a TrueNAS simulator and a file for libvirt's test driver.

    python bench/lab_of_many.py N FOLDER      serves until it is killed; FOLDER/ready appears when it is set up

libvirt's test driver keeps its state in each process, so the domains are defined here once and written to FOLDER/node.xml,
from which every process starts. Nothing here is timed.
"""

from __future__ import annotations

import copy
import json
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
        _fill_nas(sim, nas, sites)
        (folder / "node.xml").write_text(_node(nas, sites, folder))
        (folder / "ready").touch()
        signal.pause()


def _fill_nas(sim: Simulator, nas: Nas, sites: list[Site]) -> None:
    """The first host by the deploy's own resources; the others as copies of its rows, past the API: it is not what is timed."""
    first = sites[0].spec
    for resource in nas_resources(first, nas):
        resource.apply()
    tables = ("iscsi.initiator", "iscsi.target", "iscsi.extent", "iscsi.targetextent", "pool.snapshottask")
    model = {kind: copy.deepcopy(sim.nas.state.rows(kind)[0]) for kind in tables}
    datasets = {dataset.name: dataset for dataset in sim.storage.datasets()}
    for offset, site in enumerate(sites[1:], start=1):
        spec = site.spec
        for name, like in ((spec.dataset, datasets[first.dataset]), (spec.zvol, datasets[first.zvol])):
            marks = {key: value.replace(first.owner, spec.owner) for key, value in like.local.items()}
            sim.storage.create(name, marks, like.volsize, like.volblocksize)
        for kind, row in model.items():
            text = json.dumps(row).replace(first.zvol, spec.zvol).replace(first.dataset, spec.dataset)
            text = text.replace(f'"{first.name}"', f'"{spec.name}"').replace(first.owner, spec.owner)
            made = json.loads(text) | {"id": row["id"] + offset}
            if kind == "iscsi.target":
                made["groups"][0]["initiator"] += offset
            if kind == "iscsi.targetextent":
                made |= {"target": made["target"] + offset, "extent": made["extent"] + offset}
            sim.nas.state.rows(kind).append(made)
    nas.forget()


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
