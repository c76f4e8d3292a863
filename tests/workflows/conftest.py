"""A pretend lab in which VMs have guests: what a guest answers follows from which OS disk its VM runs from."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.layers.conftest import FILESYSTEM, PretendLab
from tests.layers.conftest import lab as pretend_lab  # noqa: F401
from tests.resources.guest.test_watchtower import facts
from tests.resources.hypervisor.conftest import Image
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.model.data_volume import DataMark
from zerotoil.render.domain_mark import Mark
from zerotoil.resources.hypervisor.os_switch import own
from zerotoil.resources.nas.mark import read_mark
from zerotoil.workflows import waiting

NEW = "45.20261101.3.0"
CONTENT = "precious"


@dataclass
class Machine:
    """One host with a guest, deployed and seen healthy. The sets hold the generations of OS disks in which something is wrong."""

    lab: PretendLab
    site: Site
    said: list[str] = field(default_factory=list)
    silent: set[int] = field(default_factory=set)
    other_data: set[int] = field(default_factory=set)
    unmounted: set[int] = field(default_factory=set)
    down: set[int] = field(default_factory=set)
    deaf: set[int] = field(default_factory=set)  # does not hear the power button
    slow: set[int] = field(default_factory=set)  # takes longer to shut down than it may
    apps: tuple[str, ...] = ("web",)
    watchtower: set[int] = field(default_factory=set)  # where it was started
    no_watchtower: set[int] = field(default_factory=set)  # where it does not stay
    looks_after_os: bool = False
    busy: list[str] = field(default_factory=list)  # what it was told about its restarts
    run_is_full: bool = False  # so that it cannot be told

    @property
    def lab_image(self) -> Image:
        """The image that its first OS disk was made of."""
        return Image(self.lab.folder / "image.qcow2")

    @property
    def mark(self) -> Mark:
        self.site.hypervisor.forget()
        return own(self.site.spec, self.site.hypervisor)[1]

    @property
    def running(self) -> bool:
        return self.site.hypervisor.is_running(self.site.spec.name)

    def shell(self, script: str) -> str:
        """What the guest answers now."""
        generation = self.mark.generation
        if not self.running or generation in self.silent:
            raise LabError("matrix: no answer over SSH in 60 s", code=Code.GUEST_SILENT)
        if script.startswith("set -- "):
            return {"freeze": "frozen 42\n", "thaw": "thawed\n"}[script.split()[2]]
        if "/run/zerotoil-busy" in script:
            if self.run_is_full:
                raise LabError("matrix: no space left on /run", code=Code.GUEST_COMMAND_FAILED)
            self.busy.append(script.strip())
            return ""
        if "docker create --name watchtower.new" in script:
            self.watchtower.add(generation)
            return ""
        uuid = "another" if generation in self.other_data else FILESYSTEM.uuid
        data = {"source": "/dev/vdb", "type": FILESYSTEM.type, "label": FILESYSTEM.label, "uuid": uuid}
        health = "unhealthy" if generation in self.down else "healthy"
        found = [self._container(app, health) for app in self.apps]
        found += facts()["containers"] if generation in self.watchtower - self.no_watchtower else []
        mounted = None if generation in self.unmounted else data
        notes = "zerotoil/os/.zerotoil/files:755 00 os.sh\n" if self.looks_after_os else ""
        return json.dumps(facts(data=mounted, containers=found, notes=notes))

    def _container(self, app: str, health: str) -> dict[str, Any]:
        labels = {"com.docker.compose.project": app, "com.docker.compose.service": "main"}
        return {"Name": f"/{app}-main-1", "State": {"Status": "running", "Health": health}, "Config": {"Labels": labels}}

    def data(self) -> tuple[DataMark | None, str]:
        """The record of the data volume, and what is in it."""
        self.site.nas.forget()
        return read_mark(self.site.nas, self.site.spec.zvol), self.lab.sim.storage.read(self.site.spec.zvol)

    def os_disks(self) -> list[str]:
        self.site.hypervisor.forget()
        return sorted(name for name in self.site.hypervisor.storage.names("default") if "-os-" in name)

    def asked(self, site: Site, **keys: Any) -> Site:
        """The same host with other keys, and this guest."""
        other = self.lab.site(**keys)
        return Site(other.spec, site.root, self.said.append, self.shell)


@pytest.fixture(autouse=True)
def _look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is waited for here is a pretend guest, which is never slow."""
    monkeypatch.setattr(waiting, "_LOOK_SECONDS", 0.01)


@pytest.fixture
def machine(pretend_lab: PretendLab, monkeypatch: pytest.MonkeyPatch) -> Machine:  # noqa: F811
    return make_machine(pretend_lab, monkeypatch)


def make_machine(lab: PretendLab, monkeypatch: pytest.MonkeyPatch, **keys: Any) -> Machine:
    """Deployed with one image; the next one that is fetched is newer. The guest has one app."""
    keys = {"vm_boot_timeout": "1 second", "vm_shutdown_timeout": "1 second", "os_keep": 1, **keys}
    site = lab.site(**keys)
    lab.apply(site)
    lab.settle(site)
    lab.sim.storage.write(site.spec.zvol, CONTENT)
    machine = Machine(lab, site)
    spec = site.spec.model_copy(update={"apps": site.spec.apps.model_copy(update={"run": ["web"]})})
    machine.site = Site(spec, site.root, machine.said.append, machine.shell)
    monkeypatch.setattr(Site, "image", lambda _site: Image(lab.folder / "image.qcow2", NEW, "cd" * 32))
    press = machine.site.hypervisor.press_power

    def heard(name: str) -> None:
        generation = machine.mark.generation
        if generation not in machine.deaf:
            press(name)
        elif generation in machine.slow:
            machine.silent = machine.silent | {generation}  # it is shutting down, and sshd was the first to go

    monkeypatch.setattr(machine.site.hypervisor, "press_power", heard)
    return machine
