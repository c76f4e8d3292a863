"""The full deploy of one host, layer by layer: NAS, hypervisor, guest."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyinfra import host as current_host
from pyinfra.api import StringCommand
from pyinfra.api.host import Host

from zerotoil.clients import butane as butane_tool
from zerotoil.clients import device, images, ssh
from zerotoil.clients.hypervisor import Hypervisor
from zerotoil.edge import operations, project
from zerotoil.edge.inventory import declared
from zerotoil.edge.servers import servers
from zerotoil.errors import LabError
from zerotoil.model.data_volume import DataMark, VolumeState
from zerotoil.model.spec import HostSpec
from zerotoil.resources import guard
from zerotoil.resources.data_volume import DataRecord
from zerotoil.resources.guest import Guest, guest_resources
from zerotoil.resources.hypervisor import address, hypervisor_resources
from zerotoil.resources.nas import nas_resources, target_iqn
from zerotoil.resources.nas.mark import read_mark, write_mark
from zerotoil.resources.resource import Resource
from zerotoil.workflows.rebuild import Steps


def full() -> None:
    """Everything that is declared about the current host."""
    host = current_host
    spec = declared(host.inventory).specs[host.name]
    root = Path(host.state.cwd or ".")
    layers: list[tuple[str, Callable[[], list[Resource]]]] = [
        ("NAS", lambda: nas_resources(spec, servers.nas(spec))),
        ("hypervisor", lambda: vm_resources(spec, root, lambda text: host.log(text))),
    ]
    for title, resources in layers:
        if not _keep_all(host, title, resources):
            return
    operations.reachable(name="guest: reachable")
    _keep_all(host, "guest", lambda: in_guest(spec, Guest(spec.name, shell(host))), needs_guest=True)


def _keep_all(host: Host, title: str, resources: Callable[[], list[Resource]], needs_guest: bool = False) -> bool:
    try:
        found = resources()
    except LabError as error:
        operations.refuse(name=f"{title}: preconditions", error=error)
        return False
    for resource in host.loop(found):
        operations.keep(name=f"{title}: {operations.kind(resource)}", resource=resource, needs_guest=needs_guest)
    return True


def ignition(spec: HostSpec, root: Path) -> str:
    """The host's Ignition config, transpiled and validated by the real tools."""
    config = butane_tool.transpile(project.butane(spec, root), root)
    butane_tool.validate(config)
    return config


def vm_resources(spec: HostSpec, root: Path, log: Callable[[str], Any]) -> list[Resource]:
    """The hypervisor layer of one host, with the guard in front of its first boot."""
    return hypervisor_resources(
        spec,
        servers.hypervisor(spec),
        iqn=target_iqn(spec, servers.nas(spec)),
        ignition=ignition(spec, root),
        image=lambda: images.fetch(images.resolve(spec.os), image_cache(), progress(log)),
        guard=lambda: before_first_boot(spec),
        on_first_start=lambda: note_first_boot(spec),
    )


def rebuild_steps(spec: HostSpec, root: Path, say: Callable[[str], None]) -> tuple[Hypervisor, str, Steps]:
    """What a rebuild of the host needs, outside a pyinfra run."""
    hypervisor, nas = servers.hypervisor(spec), servers.nas(spec)
    resources = vm_resources(spec, root, say)

    def guest() -> Guest:
        where = address(spec, hypervisor)
        if not where:
            raise LabError(f"{spec.name}: the VM has no address yet", "is DHCP answering on its network?")
        return Guest(spec.name, ssh.shell(spec, where, project.known_hosts(root), timeout=60))

    steps = Steps(
        image=lambda: images.fetch(images.resolve(spec.os), image_cache(), progress(say)),
        guard=lambda: before_first_boot(spec),
        start=resources[-1],
        guest=guest,
        mark=lambda: read_mark(nas, spec.zvol),
        say=say,
    )
    return hypervisor, ignition(spec, root), steps


def in_guest(spec: HostSpec, guest: Guest) -> list[Resource]:
    """The guest layer: first the record of the data volume, then what runs there."""
    nas = servers.nas(spec)
    record = DataRecord(
        spec,
        mounted=guest.data_filesystem,
        read=lambda: read_mark(nas, spec.zvol),
        write=lambda mark: write_mark(nas, spec.zvol, mark),
    )
    return [record, *guest_resources(spec, guest)]


def before_first_boot(spec: HostSpec) -> None:
    """Raise LabError unless the data volume is proven to be ours and blank, or to hold the expected filesystem."""
    nas = servers.nas(spec)
    guard.check(
        host=spec.name,
        want=guard.expected(spec),
        owner=spec.owner,
        mark=read_mark(nas, spec.zvol),
        found=device.probe(spec, target_iqn(spec, nas)),
    )


def note_first_boot(spec: HostSpec) -> None:
    """From now on the volume may hold a filesystem: it is blank no more, whatever happens to this run."""
    nas = servers.nas(spec)
    mark = read_mark(nas, spec.zvol)
    if mark and mark.state is VolumeState.BLANK:
        write_mark(nas, spec.zvol, DataMark(spec.owner, VolumeState.FIRST_BOOT))


def image_cache() -> Path:
    """Where downloaded OS images are kept."""
    return Path(os.environ.get("ZEROTOIL_CACHE", "~/.cache/zerotoil")).expanduser() / "images"


def progress(log: Callable[[str], Any], seconds: float = 10) -> Callable[[int, int], None]:
    """A progress callback that says every ten seconds how far a transfer is."""
    started = said = time.monotonic()

    def report(done: int, total: int) -> None:
        nonlocal said
        now = time.monotonic()
        if now - said >= seconds:
            said = now
            rate = done / 1024**2 / (now - started)
            log(f"OS image: {done / 1024**2:.0f} of {total / 1024**2:.0f} MiB, {rate:.1f} MiB/s")

    return report


def shell(host: Host) -> Callable[[str], str]:
    """Run a script as root in the guest over pyinfra's connection; the script travels on stdin."""

    def run(script: str) -> str:
        try:
            ok, output = host.run_shell_command(StringCommand("sudo", "-n", "sh", "-s"), _stdin=script, _timeout=300)
        except (OSError, TimeoutError) as error:
            raise LabError(
                f"{host.name}: the guest stopped answering ({error or 'timeout'})", "run again when it is up"
            ) from error
        if not ok:
            lines = "; ".join(output.stderr_lines[-3:]) or "no message"
            raise LabError(f"{host.name}: a command in the guest failed ({lines})", f"zerotoil ssh {host.name}")
        return str(output.stdout)

    return run
