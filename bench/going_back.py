"""Times undo, restore and migration on a deployed lab with a data disk of 6 GiB.

    bench/going_back.py HOST INVENTORY [downtime]        the last word: the migration only

The host has no apps, so what an undo takes is its own time. Each is told by the step; `in guest` is the part in which scripts
ran in the guest, logins included: that part is the guest's speed, not the product's.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from zerotoil.cli.hosts import read
from zerotoil.clients import ssh
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.resources.hypervisor import shutdown
from zerotoil.workflows import migrate, restore, snapshot, undo
from zerotoil.workflows.migrate_journey import Wish
from zerotoil.workflows.swap import Swapping
from zerotoil.workflows.waiting import until

in_guest = 0.0
_shell = ssh.shell


def _timed_shell(*arguments: object, **options: object) -> Callable[[str], str]:
    run = _shell(*arguments, **options)  # type: ignore[arg-type]

    def timed(script: str) -> str:
        global in_guest
        began = time.monotonic()
        try:
            return run(script)
        finally:
            in_guest += time.monotonic() - began

    return timed


ssh.shell = _timed_shell


class Watch:
    """Seconds of a whole and of its steps."""

    def __init__(self) -> None:
        self.began = self.last = time.monotonic()
        self.guest = in_guest
        self.steps: dict[str, float] = {}

    def step(self, name: str) -> None:
        """`name` is done."""
        self.steps[name] = time.monotonic() - self.last
        self.last = time.monotonic()

    def told(self, what: str) -> float:
        """Print it; the seconds outside the guest."""
        whole, guest = time.monotonic() - self.began, in_guest - self.guest
        steps = ", ".join(f"{name} {seconds:.1f}" for name, seconds in self.steps.items())
        print(f"{what}: {whole:.1f} s, {guest:.1f} s of it in guest, {whole - guest:.1f} s outside ({steps})", flush=True)
        return whole


def _site(host: str, inventory: Path) -> Site:
    return Site(read(inventory, ("data_size=6 GiB",)).specs[host], Path())


def going_back(site: Site, megabytes: int) -> dict[str, float]:
    """An undo, its return, and a restore beside the data, with that much data."""
    script = f"dd if=/dev/urandom of=/var/mnt/data/fill bs=1M count={megabytes} status=none && sync\n"
    site.running_guest(1800).write(script)
    snapshot.take(site, "bench", site.now())
    found: dict[str, float] = {}
    watch, ahead = Watch(), undo.look_ahead(site, "latest")
    watch.step("shown")
    Swapping(site, ahead.swap, True, watch.step).run()
    found["undo"] = watch.told(f"undo, {megabytes} MB")
    watch, ahead = Watch(), undo.look_back(site)
    watch.step("shown")
    Swapping(site, ahead.swap, False, watch.step).run()
    found["return"] = watch.told(f"undo --return, {megabytes} MB")
    watch = Watch()
    want = restore.wanted(site, "latest", "bench")
    restore.mount_beside(want)
    found["restore"] = watch.told(f"restore --beside, {megabytes} MB")
    watch = Watch()
    restore.drop(site, "bench")
    found["drop"] = watch.told(f"restore --drop, {megabytes} MB")
    return found


def downtime(site: Site) -> None:
    """A migration to a fresh OS disk of the same image, from the power button until the data is seen mounted; then bare."""
    watch = Watch()
    migrate.migrate(site, Wish(lenient=True), after=watch.step)
    watch.told("rebuild, which is a migration to a fresh OS disk")
    down = sum(watch.steps[name] for name in ("shut down", "switch", "start", "wait"))
    bare = Watch()
    shutdown(site.spec, site.hypervisor)
    bare.step("shutdown")
    fresh_os_disk(site)
    bare.last = time.monotonic()
    _virsh(site, "start", site.spec.name)
    until(site, lambda: site.running_guest().data_filesystem())
    bare.step("boot")
    both = bare.steps["shutdown"] + bare.steps["boot"]
    print(f"downtime: {down:.1f} s; bare shutdown and first boot of the same image: {both:.1f} s ({bare.steps})")


def fresh_os_disk(site: Site) -> None:
    """The OS disk made anew from its image, so that the bare boot is a first boot, too."""
    volume = next(line.split()[1] for line in _virsh(site, "domblklist", site.spec.name).splitlines() if " vda " in f" {line} ")
    disk = _virsh(site, "vol-path", "--pool", site.spec.hypervisor.pool, volume).strip()
    answer = subprocess.run(["qemu-img", "info", "--output=json", disk], check=True, capture_output=True, text=True, timeout=60)
    info = json.loads(answer.stdout)
    line = ["qemu-img", "create", "-q", "-f", "qcow2", "-b", info["full-backing-filename"], "-F", "qcow2", disk]
    subprocess.run([*line, str(info["virtual-size"])], check=True, timeout=60)


def _virsh(site: Site, *line: str) -> str:
    return subprocess.run(
        ["virsh", "-q", "-c", site.spec.hypervisor.uri, *line], check=True, capture_output=True, text=True
    ).stdout


def _main(host: str, inventory: Path, *what: str) -> None:
    site = _site(host, inventory)
    if what == ("downtime",):
        return downtime(site)
    small, large = going_back(site, 20), going_back(site, 2000)
    for name, seconds in small.items():
        print(f"ratio of {name}, 2 GB to 20 MB: {large[name] / seconds:.2f}")
    return downtime(site)


if __name__ == "__main__":
    try:
        _main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
    except LabError as error:
        sys.exit(f"{error.what}; {error.remedy}")
