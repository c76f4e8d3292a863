"""pyinfra against a VM that runs and was seen healthy, where SSH answers as wanted: not at all, or letting nobody in."""

import socket
import subprocess
import threading
from typing import Any

import paramiko

from tests.conftest import make_spec
from tests.errors.world import World
from tests.resources.hypervisor.conftest import IQN, NODE
from tests.resources.nas.conftest import KEY, apply, connect
from zerotoil.error_codes import Code
from zerotoil.model.data_volume import DataMark, Filesystem, VolumeState
from zerotoil.render.domain import Provisioned, render_domain
from zerotoil.resources.nas.mark import write_mark

OTHER_KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIKkRSlHK5dcRMDcHl8ehRBPDMqDUrVn5q+6qcmo2ekWk"
INVENTORY = """
from zerotoil.model.secret import Secret
vms = [("@vm/matrix", {data!r} | {{"nas_api_key": Secret({key!r})}})]
"""


def reached_over_ssh(w: World, *, listens: bool = True, pinned: str = "") -> list[Code]:
    """The codes that a deploy of the host ends with."""
    server = listening(w)
    port = server.getsockname()[1]
    if not listens:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
    if pinned:
        w.file(".zerotoil/known_hosts", f"matrix ssh-ed25519 {OTHER_KEY}\n")
    w.file("full.py", "from zerotoil.edge.deploy import full\nfull()\n")
    w.file("lab.py", INVENTORY.format(data=declared(w, port), key=KEY))
    return w.said("pyinfra", "-y", "lab.py", "full.py")


def listening(w: World) -> socket.socket:
    """A port where SSH answers, with an Ed25519 key: the only kind that OpenSSH is told to take."""
    server = socket.create_server(("127.0.0.1", 0))
    w.stack.callback(server.close)
    key = w.tmp / "host-key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True, timeout=20)
    threading.Thread(target=serve, args=(server, paramiko.Ed25519Key(filename=str(key))), daemon=True).start()
    return server


def serve(server: socket.socket, key: paramiko.PKey) -> None:
    """SSH with this key; nobody gets in."""
    while True:
        try:
            peer, _ = server.accept()
        except OSError:
            return
        transport = paramiko.Transport(peer)
        transport.add_server_key(key)
        transport.start_server(event=threading.Event(), server=paramiko.ServerInterface())


def declared(w: World, port: int) -> dict[str, Any]:
    """The host's data; its VM runs, and its volume is marked as seen healthy."""
    sim = w.sim()
    data: dict[str, Any] = {
        "nas_url": sim.url, "nas_fingerprint": sim.fingerprint, "nas_user": "zerotoil", "nas_dataset": "tank/lab",
        "iscsi_portal": ["127.0.0.1"], "iscsi_initiators": ["iqn.1993-08.org.debian:01:hv1"], "lab_name": "home",
        "hypervisor_uri": f"test://{w.tmp}/node.xml", "data_size": "1 GiB", "data_attach": "network", "ssh_port": port,
        "ssh_authorized_keys": ["ssh-ed25519 A"], "vm_nics": [{"network": "default", "address": "127.0.0.1/8"}],
    }  # fmt: skip
    spec = make_spec(**data)
    nas = connect(sim)
    apply(nas, spec)
    write_mark(nas, spec.zvol, DataMark(spec.owner, VolumeState.DATA, Filesystem("ext4", "data", "u")))
    nas.close()
    made = Provisioned("test", "matrix-os-1.qcow2", "/matrix.ign", "0" * 64, "44", 1)
    w.file("node.xml", NODE.replace("</node>", f"{render_domain(spec, made, iqn=IQN)}</node>"))
    return data
