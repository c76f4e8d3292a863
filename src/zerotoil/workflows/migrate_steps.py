"""The steps of a change of OS disks, there and back. Each may be repeated: it looks at the servers for what is left to do."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.render.domain_mark import ADOPTED, Move
from zerotoil.resources import guard
from zerotoil.resources.guest import Guest, busy
from zerotoil.resources.guest.engine import DockerService
from zerotoil.resources.guest.health import healthy, others
from zerotoil.resources.guest.os_updates import was_given
from zerotoil.resources.guest.watchtower import Watchtower
from zerotoil.resources.hypervisor import Running, prepare, prune, shutdown, switch
from zerotoil.resources.hypervisor.domain import FirstBoot
from zerotoil.resources.hypervisor.os_switch import refuse_secrets
from zerotoil.resources.hypervisor.rebuild import previous
from zerotoil.resources.nas.os_changes import End
from zerotoil.resources.nas.present import refuse_unfinished
from zerotoil.workflows.migrate_journey import ASKED, Journey
from zerotoil.workflows.migrate_volumes import all_mounted, declared_as_recorded, has_all_disks, record, same_volumes
from zerotoil.workflows.snapshot import take, wanted
from zerotoil.workflows.waiting import until

_LOOK_SECONDS = 1
_BUSY = "migration"


@dataclass(frozen=True)
class Step:
    """A step by the name under which it is reported."""

    name: str
    do: Callable[[Journey], None]


def check(journey: Journey) -> None:
    """Everything that can be wrong beforehand. Writes nothing. Raises LabError."""
    site, spec, recorded, mark = journey.site, journey.site.spec, journey.recorded, journey.mark
    refuse_unfinished(spec, site.nas)
    want = guard.expected(spec)
    if (recorded.type, recorded.label) != (want.type, want.label):
        raise LabError(
            f"{spec.name}: the data volume is recorded as {recorded}, the new OS would mount {want}",
            "declare data_filesystem and data_label as they are",
            code=Code.DATA_DIFFERS,
        )
    declared_as_recorded(site)
    if journey.wish.back:
        previous(spec, site.hypervisor)
    else:
        has_all_disks(site)
    if mark.adopted and not journey.wish.back:
        refuse_secrets(spec, site.hypervisor)
    if not journey.wish.lenient:
        left = others(_healthy_now(journey).facts(), spec.apps.run)
        if left:
            site.say(f"no apps of the inventory, so a new OS disk will not have them: {', '.join(sorted(left))}")
    site.before_first_boot()


def _healthy_now(journey: Journey) -> Guest:
    """The guest, with its data mounted. Raises LabError."""
    if not journey.is_running():
        raise LabError(
            f"{journey.name}: the VM is off, so nothing is known of the health that it should have afterwards",
            f"start it with the deploy, or give it a new OS disk unseen: zerotoil rebuild {journey.name}",
            code=Code.VM_OFF,
        )
    guest = journey.guest()
    _same_data(journey, guest)
    return guest


def _services_up(journey: Journey, guest: Guest) -> frozenset[str]:
    spec = journey.site.spec
    return healthy(guest.facts(), spec.apps.run, spec.container.backend)


def _same_data(journey: Journey, guest: Guest) -> None:
    found, recorded = guest.data_filesystem(), journey.recorded
    if found != recorded:
        raise LabError(
            f"{journey.name}: /var/mnt/data is {found}, recorded is {recorded}",
            "nothing was written; is it another volume?",
            code=Code.DATA_DIFFERS,
        )
    same_volumes(journey.site, guest)


def make_ready(journey: Journey) -> None:
    """The other OS disk with its config, beside the one that runs."""
    site = journey.site
    if journey.wish.back:
        journey.to = previous(site.spec, site.hypervisor)
        return
    site.say("preparing the new OS disk")
    journey.to = prepare(site.spec, site.hypervisor, ignition=site.ignition, image=site.image())


def write_down(journey: Journey) -> None:
    """Where to, and which apps are well now: the proof afterwards needs it, whoever asks then."""
    assert journey.to
    up: frozenset[str] = frozenset()
    blind = False
    try:
        guest = _healthy_now(journey)
        up = _services_up(journey, guest)
    except LabError:
        if not journey.wish.lenient:
            raise
        blind = True
    else:  # a note that cannot be written is no reason to count the guest as unhealthy
        if was_given(guest.facts()):
            busy.hold(guest, _BUSY, "a migration is at work")
    journey.note(Move(journey.mark.made, journey.to, up, blind=blind, rebuild=journey.wish.lenient))


def keep_data(journey: Journey) -> None:
    """A snapshot of the data of now, which nothing removes."""
    site, move = journey.site, journey.move
    assert move
    note = f"before {move.to}"
    while _is_taken(site, wanted(site, note, now := site.now())):
        time.sleep(_LOOK_SECONDS)  # names end in seconds, and a run that was cut off may have taken one in this very second
    taken = take(site, note, now)
    site.say(f"snapshot {taken} (zerotoil snapshots {site.spec.name} lists it)")
    journey.note(replace(move, snapshot=taken.name))


def _is_taken(site: Site, name: str) -> bool:
    site.nas.forget()
    dataset, _, short = name.partition("@")
    found = site.nas.query(site.nas.capabilities.snapshots, ["pool", "=", dataset.split("/")[0]], ["snapshot_name", "=", short])
    return any(entry["dataset"] == dataset for entry in found)


def shut_down(journey: Journey) -> None:
    """Gracefully. Forced only where a person said so."""
    journey.site.say("shutting the VM down")
    try:
        shutdown(journey.site.spec, journey.site.hypervisor, force=journey.wish.force_off)
    except LabError as error:
        if error.code is Code.SHUTDOWN_TIMEOUT:
            remedy = f"{error.remedy}, or pull the plug yourself: zerotoil migrate {journey.name} --force-off"
            raise LabError(error.what, remedy, code=error.code) from error
        raise


def change_disk(journey: Journey) -> None:
    """The definition, with the VM off."""
    move, site = journey.move, journey.site
    assert move
    switch(site.spec, site.hypervisor, move.to, lambda: site.iqn)


def start(journey: Journey) -> None:
    """Power on; before the first start of an OS disk the guard reads the data volume."""
    journey.site.say(f"starting {journey.mark.made}")
    site = journey.site
    Running(site.spec, site.hypervisor, FirstBoot(site.before_first_boot, site.note_first_boot)).apply()


def wait(journey: Journey) -> None:
    """Until the guest answers with its data mounted, at most vm_boot_timeout."""
    until(journey.site, lambda: journey.guest().data_filesystem())
    if (move := journey.move) and journey.has_left and not move.came_up:
        journey.note(replace(move, came_up=True))


def prove(journey: Journey) -> None:
    """The same filesystem, Docker and Watchtower where they are declared, and every app that was well."""
    move, site = journey.move, journey.site
    until(site, lambda: all_mounted(journey))
    _same_data(journey, journey.guest())
    if journey.mark.generation != ADOPTED:
        until(journey.site, lambda: _restore_engine(journey))
    up = move.up if move else frozenset()

    def apps_are_up() -> None:
        if missing := sorted(up - _services_up(journey, journey.guest())):
            raise LabError(f"{journey.name}: not up: {', '.join(missing)}", f"zerotoil ssh {journey.name}", code=Code.APP_NOT_UP)

    until(journey.site, apps_are_up)


def _restore_engine(journey: Journey) -> None:
    """What a deploy would make again on a new OS disk; apps come back by themselves."""
    journey.guest()  # so that the resources below see the guest of now
    for resource in journey.site.guest_resources():
        if isinstance(resource, DockerService | Watchtower):
            resource.apply()
    record(journey.site)


def settle(journey: Journey) -> None:
    """Done: from here on nothing goes back by itself."""
    found = journey.guest().data_filesystem()
    if move := journey.move:
        earlier = move.to.generation < move.origin.generation
        journey.tell(End.RETURNED if earlier else End.REBUILT if move.rebuild else End.MIGRATED)
    journey.note(None)
    journey.site.say(f"healthy from {journey.mark.made}, with {found} at /var/mnt/data")


def clear(journey: Journey) -> None:
    """OS disks that are older than os_keep."""
    for volume in prune(journey.site.spec, journey.site.hypervisor):
        journey.site.say(f"removed the old {volume}")


def unsettled(journey: Journey) -> None:
    """Nothing was changed yet: forget what was to come."""
    journey.note(None)
    with suppress(LabError):
        if journey.is_running() and was_given((guest := journey.guest()).facts()):
            busy.let_go(guest, _BUSY)


def stop_new(journey: Journey) -> None:
    """Off, gracefully where it can be. The plug is pulled only on an OS that never had the data mounted.

    That is asked before the power button is pressed: a guest that is shutting down does not answer either.
    """
    if not journey.has_left or not journey.is_running():
        return
    why = _why_it_may_be_cut(journey)
    try:
        shutdown(journey.site.spec, journey.site.hypervisor, force=journey.wish.force_off)
    except LabError as error:
        if error.code is not Code.SHUTDOWN_TIMEOUT or not why:
            raise
        journey.site.say(f"powering off: {why}")
        journey.site.hypervisor.power_off(journey.name)


def _why_it_may_be_cut(journey: Journey) -> str:
    """Why pulling the plug harms no data; empty when it might."""
    move = journey.move
    if move is None or move.came_up:
        return ""
    try:
        mounted = journey.guest().facts().get("data")
    except LabError as error:
        return f"the new OS never came up, the guest does not answer ({error.what})"
    return "" if mounted else "the new OS never came up, the data disk is not mounted"


def change_back(journey: Journey) -> None:
    """The definition of before, with the VM off."""
    move, site = journey.move, journey.site
    assert move
    switch(site.spec, site.hypervisor, move.origin, lambda: site.iqn, proven=True)


def settle_back(journey: Journey) -> None:
    """The old OS runs as before."""
    until(journey.site, lambda: all_mounted(journey))
    _same_data(journey, journey.guest())
    if move := journey.move:
        journey.tell(*((End.RETURNED,) if move.back == ASKED else (End.REVERTED, move.back)))
    journey.note(None)
    journey.site.say(f"{journey.mark.made} is running again")


FORWARD = (
    Step("check", check),
    Step("prepare", make_ready),
    Step("note", write_down),
    Step("snapshot", keep_data),
    Step("shut down", shut_down),
    Step("switch", change_disk),
    Step("start", start),
    Step("wait", wait),
    Step("prove", prove),
    Step("settle", settle),
    Step("clear", clear),
)
PREPARE, SNAPSHOT, SHUT_DOWN, START, CLEAR = 1, 3, 4, 6, 10  # where an interrupted run goes on
BACK = (
    Step("stop the new OS", stop_new),
    Step("switch back", change_back),
    Step("start the old OS", start),
    Step("wait for the old OS", wait),
    Step("settle the old OS", settle_back),
)
