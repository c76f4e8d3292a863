"""One host with a snapshot: a NAS of one version, a VM that takes disks in, and a guest that runs the real script.

`kill_after` ends the run like a power cut, after so many writes that took effect: on the NAS, the hypervisor or in the guest.
"""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.hotplug import HotPlug, hotplug
from tests.resources.hypervisor.conftest import NODE
from tests.resources.nas.conftest import apply, connect, host
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.layers.servers import servers
from zerotoil.minilab.nas import Simulator
from zerotoil.model.data_volume import DataMark, Filesystem, VolumeState
from zerotoil.render.domain import Provisioned, render_domain
from zerotoil.resources.nas import target_iqn
from zerotoil.resources.nas.mark import write_mark

VOLUME = "tank/lab/matrix/data"
MOUNT = """case "$*" in
  *remount*) sed -i "s|\\( $3 \\)r[ow]|\\1${2#remount,}|" "$ZEROTOIL_PROC/self/mountinfo" ;;
  *) echo "36 25 0:0 / $6 $4 - $2 $5 $4" >>"$ZEROTOIL_PROC/self/mountinfo" ;;
esac"""
UMOUNT = 'sed -i "\\\\| $1 |d" "$ZEROTOIL_PROC/self/mountinfo"'


class Killed(BaseException):
    """The machine is gone."""


class Lab:
    def __init__(self, folder: Path, sim: Simulator, patch: pytest.MonkeyPatch, **keys: Any) -> None:
        self.folder, self.sim, self.patch = folder, sim, patch
        self.spec = host(hypervisor_uri=f"test://{folder}/node.xml", **{"data_attach": "network", **keys})
        self.nas = connect(sim)
        apply(self.nas, self.spec)
        write_mark(self.nas, VOLUME, DataMark(self.spec.owner, VolumeState.DATA, Filesystem("ext4", "data", "u")))
        self.snapshot("auto-2026-11-25_02-00", "yesterday")
        self.sim.storage.write(VOLUME, "today")  # type: ignore[attr-defined]
        self.hypervisor = self._vm()
        patch.setattr(servers, "nas", lambda _spec: self.nas)
        patch.setattr(servers, "hypervisor", lambda _spec: self.hypervisor)
        self.links, self.proc, self.programs = (folder / name for name in ("by-id", "proc", "bin"))
        for made in (self.links, self.proc / "self", self.programs):
            made.mkdir(parents=True)
        (self.proc / "self/mountinfo").touch()
        self.filesystem = "ext4"
        for name, text in (("mount", MOUNT), ("umount", UMOUNT), ("udevadm", ""), ("sleep", "")):
            self.program(name, text)
        self.answers, self.left = True, -1
        self.said: list[str] = []
        self._count_writes()

    def _vm(self) -> HotPlug:
        made = Provisioned("test", "matrix-os-1.qcow2", "/matrix.ign", "0" * 64, "44", 1)
        xml = render_domain(self.spec, made, iqn=target_iqn(self.spec, self.nas))
        (self.folder / "node.xml").write_text(NODE.replace("</node>", f"{xml}</node>"))
        return hotplug(self.folder / "node.xml")

    def _count_writes(self) -> None:
        for thing, name in ((self.nas, "write"), (self.hypervisor, "write"), (self.hypervisor, "attach_device"),
                            (self.hypervisor, "detach_device")):  # fmt: skip
            self.patch.setattr(thing, name, self._counted(getattr(thing, name)))

    def _counted(self, write: Any) -> Any:
        def counted(*given: Any, **more: Any) -> Any:
            result = write(*given, **more)
            self._took_effect()
            return result

        return counted

    def _took_effect(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Killed

    def kill_after(self, writes: int) -> None:
        """0: never."""
        self.left = writes or -1

    def program(self, name: str, text: str) -> None:
        (self.programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.programs / name).chmod(0o755)

    def snapshot(self, name: str, content: str = "") -> None:
        if content:
            self.sim.storage.write(VOLUME, content)  # type: ignore[attr-defined]
        self.sim.storage.snapshot([f"{VOLUME}@{name}"], {})
        self.nas.forget()

    @property
    def site(self) -> Site:
        return Site(self.spec, self.folder, say=self.said.append, shell=self.shell)

    def shell(self, script: str) -> str:
        if not self.answers:
            raise LabError("matrix: no answer over SSH in 60 s", code=Code.GUEST_SILENT)
        self._plug()
        self.program("blkid", f"echo {self.filesystem}")
        more = {"DISKS": self.links, "PROC": self.proc, "RULES": self.folder / "rules"}
        env = os.environ | {f"ZEROTOIL_{name}": str(path) for name, path in more.items()}
        env["PATH"] = f"{self.programs}:{env['PATH']}"
        here = script.replace("/var/mnt/restore", f"{self.folder}/restore")
        done = subprocess.run(["sh", "-s"], input=here, env=env, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")
        if script.split()[2] != "list":
            self._took_effect()
        return done.stdout.replace(f"{self.folder}/restore", "/var/mnt/restore")

    def _plug(self) -> None:
        """The guest's links, as its udev makes them."""
        for link in self.links.iterdir():
            link.unlink()
        for serial in self.disks():
            (self.links / f"virtio-{serial}").symlink_to(self.folder / "node.xml")

    def disks(self) -> set[str]:
        """What is plugged in beside OS and data."""
        return set(self.hypervisor._disks("matrix")) - {"os", "matrix-data"} if self.hypervisor.is_running("matrix") else set()

    def mounts(self) -> list[str]:
        lines = (self.proc / "self/mountinfo").read_text().splitlines()
        return [f"{Path(line.split()[4]).name} {line.split()[5]}" for line in lines]

    def everything(self) -> Any:
        """On the NAS, the hypervisor and in the guest."""
        tables = ("iscsi.target", "iscsi.extent", "iscsi.targetextent", "iscsi.portal", "iscsi.initiator", "iscsi.auth")
        rows = {table: [dict(row) for row in self.sim.nas.state.rows(table)] for table in tables}
        datasets = [(d.name, dict(d.local), d.origin) for d in self.sim.storage.datasets()]
        self.hypervisor.forget()
        return rows, datasets, self.disks(), self.mounts(), set(self.hypervisor.storage.pools()), self.data()

    def data(self) -> str:
        return str(self.sim.storage.read(VOLUME))  # type: ignore[attr-defined]
