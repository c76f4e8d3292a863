"""A new OS disk for a host; its data disk is proven before, and found again after.

Order: prepare the new disk beside the running one, shut down gracefully, prove the data volume, switch, start, wait until
the guest has the same data mounted, then remove OS disks that are older than `os_keep`. Killed anywhere, a second run
finishes: before the switch nothing has changed, after it the deploy starts the new disk behind the same guard.
"""

from __future__ import annotations

import time

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.model.data_volume import VolumeState
from zerotoil.resources.guest import Guest
from zerotoil.resources.hypervisor import Running, prepare, prune, shutdown, switch

_LOOK_SECONDS = 3


def rebuild(site: Site) -> None:
    """Give the host a new OS disk. Raises LabError with the next step when something does not hold."""
    spec, hypervisor, mark = site.spec, site.hypervisor, site.mark
    if mark is None or mark.state is not VolumeState.DATA or mark.filesystem is None:
        raise LabError(
            f"{spec.name}: its data volume was never seen healthy",
            "run the deploy until it is, then rebuild",
            code=Code.NEVER_HEALTHY,
        )
    start = next(resource for resource in site.vm_resources() if isinstance(resource, Running))
    site.say("preparing the new OS disk")
    new = prepare(spec, hypervisor, ignition=site.ignition, image=site.image())
    site.say("shutting the VM down")
    shutdown(spec, hypervisor)
    site.before_first_boot()
    switch(spec, hypervisor, new)
    site.say(f"starting {new.os_volume} ({new.os_release})")
    start.apply()
    found = _wait(site).data_filesystem()
    if found != mark.filesystem:
        raise LabError(
            f"{spec.name}: /var/mnt/data is {found} now, recorded is {mark.filesystem}",
            "the old OS disk is kept; look first",
            code=Code.DATA_DIFFERS,
        )
    for volume in prune(spec, hypervisor):
        site.say(f"removed the old {volume}")
    site.say(f"healthy, with {found} at /var/mnt/data")


def _wait(site: Site) -> Guest:
    spec, deadline = site.spec, time.monotonic() + site.spec.vm.boot_timeout
    while True:
        try:
            guest = site.running_guest()
            guest.data_filesystem()
            return guest
        except LabError as error:
            if time.monotonic() > deadline:
                raise LabError(
                    f"{spec.name}: the new OS disk is not healthy after {spec.vm.boot_timeout} s ({error.what})",
                    f"the old OS disk is kept; look at virsh -c {spec.hypervisor.uri} console {spec.name}",
                    code=Code.REBUILD_UNHEALTHY,
                ) from error
            time.sleep(_LOOK_SECONDS)
