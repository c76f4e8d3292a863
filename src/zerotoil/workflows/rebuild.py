"""A new OS disk for a host; its data disk is proven before, and found again after.

Order: prepare the new disk beside the running one, shut down gracefully, prove the data volume, switch, start, wait until
the guest has the same data mounted, then remove OS disks that are older than `os_keep`. Killed anywhere, a second run
finishes: before the switch nothing has changed, after it the deploy starts the new disk behind the same guard.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from zerotoil.clients.hypervisor import Hypervisor
from zerotoil.errors import LabError
from zerotoil.model.data_volume import DataMark, VolumeState
from zerotoil.model.spec import HostSpec
from zerotoil.resources.guest import Guest
from zerotoil.resources.hypervisor import LocalImage, prepare, prune, shutdown, switch
from zerotoil.resources.resource import Resource


@dataclass(frozen=True)
class Steps:
    """What a rebuild needs from outside: each is one call, so that the order here is the whole story."""

    image: Callable[[], LocalImage]
    guard: Callable[[], None]
    start: Resource
    guest: Callable[[], Guest]
    mark: Callable[[], DataMark | None]
    say: Callable[[str], None]


def rebuild(spec: HostSpec, hypervisor: Hypervisor, ignition: str, steps: Steps) -> None:
    """Give the host a new OS disk. Raises LabError with the next step when something does not hold."""
    mark = steps.mark()
    if mark is None or mark.state is not VolumeState.DATA or mark.filesystem is None:
        raise LabError(f"{spec.name}: its data volume was never seen healthy", "run the deploy until it is, then rebuild")
    steps.say("preparing the new OS disk")
    new = prepare(spec, hypervisor, ignition=ignition, image=steps.image())
    steps.say("shutting the VM down")
    shutdown(spec, hypervisor)
    steps.guard()
    switch(spec, hypervisor, new)
    steps.say(f"starting {new.os_volume} ({new.os_release})")
    steps.start.apply()
    guest = _wait(spec, steps.guest)
    found = guest.data_filesystem()
    if found != mark.filesystem:
        raise LabError(
            f"{spec.name}: /var/mnt/data is {found} now, recorded is {mark.filesystem}", "the old OS disk is kept; look first"
        )
    for volume in prune(spec, hypervisor):
        steps.say(f"removed the old {volume}")
    steps.say(f"healthy, with {found} at /var/mnt/data")


def _wait(spec: HostSpec, reach: Callable[[], Guest]) -> Guest:
    deadline = time.monotonic() + spec.vm.boot_timeout
    while True:
        try:
            guest = reach()
            guest.data_filesystem()
            return guest
        except LabError as error:
            if time.monotonic() > deadline:
                raise LabError(
                    f"{spec.name}: the new OS disk is not healthy after {spec.vm.boot_timeout} s ({error.what})",
                    f"the old OS disk is kept; look at virsh -c {spec.hypervisor.uri} console {spec.name}",
                ) from error
            time.sleep(3)
