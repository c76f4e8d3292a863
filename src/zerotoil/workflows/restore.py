"""A snapshot looked at beside the data, and taken apart again.

Both are a list of steps, each of which does nothing where it is done already: interrupted anywhere, the same command goes on
from there, and `drop` takes whatever there is. Neither ever touches the data volume, its extent or its target.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.layers.restores import disk_of, find_snapshot, look, paths, volume_of
from zerotoil.model.restore import Restore, check_name, default_name
from zerotoil.model.volumes import volume as volume_named
from zerotoil.resources.guest import beside
from zerotoil.resources.guest.beside import WrongFilesystem
from zerotoil.resources.hypervisor.beside import BesideDisk, is_on
from zerotoil.resources.hypervisor.observe import own_domain
from zerotoil.resources.nas.beside import Served, check_clone, make_clone, served
from zerotoil.resources.nas.dropping import Dropping


@dataclass(frozen=True)
class Step:
    """One step: its name, what it does in words, and how it is done."""

    name: str
    what: str
    run: Callable[[], object]


@dataclass(frozen=True)
class Wanted:
    """A restore that is wanted, with all of its parts. `snapshot` is DATASET@NAME."""

    site: Site
    restore: Restore
    snapshot: str
    writable: bool
    served: Served
    disk: BesideDisk


def wanted(site: Site, given: str, name: str = "", *, volume: str = "", writable: bool = False) -> Wanted:
    """What is meant by a snapshot's name and the options, checked as far as that needs no write. Raises LabError."""
    of = volume_named(site.spec, volume)
    site.nas.forget()
    if name:
        check_name(name)
    snapshot = find_snapshot(site, given, of)
    restore = Restore(site.spec, name or default_name(snapshot.partition("@")[2], of.name), of.name)
    _refuse_without_vm(site)
    parts = served(site.nas, restore, site.path_of(of), snapshot)
    check_clone(parts)
    for part in (parts.extent, parts.target, parts.mapping):
        part.check(part.find())
    disk = disk_of(site, restore)
    disk.pool_is_there()
    beside.mounts(site.guest_now())  # a guest that does not answer could not mount it
    return Wanted(site, restore, snapshot, writable, parts, disk)


def beside_steps(want: Wanted) -> list[Step]:
    """In the order in which they are taken."""
    site, parts, one = want.site, want.served, want.restore
    how, guest = "writable" if want.writable else "read-only", site.guest_now()
    return [
        Step(
            "ready",
            "let the guest's links by UUID and label stay with the data disk",
            lambda: beside.make_ready(site.guest_now()),
        ),
        Step("clone", f"{parts.clone.key} of {want.snapshot}", lambda: make_clone(parts)),
        Step("extent", parts.extent.key, parts.extent.apply),
        Step("target", parts.target.key, parts.target.apply),
        Step("mapping", parts.mapping.key, parts.mapping.apply),
        Step("disk", f"disk {one.serial} plugged into the running VM", want.disk.attach),
        Step("mount", f"{how} mount at {one.folder}", lambda: beside.mount(guest, one, writable=want.writable)),
    ]


def mount_beside(want: Wanted) -> str:
    """Make it, from where an interruption left it; where it is mounted. Raises LabError.

    A snapshot that holds no filesystem of the data disk's kind is taken apart again at once.
    """
    site, name = want.site, want.restore.name
    begun = False
    try:
        for step in beside_steps(want):
            site.say(step.what)
            step.run()
            begun = begun or step.name == "clone"
    except WrongFilesystem as error:
        drop(site, name)
        raise LabError(
            error.what, "what was made for it is taken apart again; choose another snapshot", code=error.code
        ) from error
    except LabError as error:
        if not begun:
            raise
        more = f"what was made stays: run the same again, or zerotoil restore {site.spec.name} --drop {name}"
        raise LabError(error.what, f"{error.remedy}; {more}" if error.remedy else more, code=error.code) from error
    return want.restore.folder


def drop_steps(site: Site, name: str) -> list[Step]:
    """In the order in which they are taken. Raises LabError for what must not be taken apart, before anything is."""
    restore = Restore(site.spec, name)
    parts, disk = served(site.nas, restore, site.path_of(volume_of(site, name))), disk_of(site, restore)
    nas = Dropping(restore, parts, paths(site))
    nas.check()
    disk.pool_is_there()
    return [
        Step("unmount", f"unmount {restore.folder}", lambda: _unmount(site, restore, disk)),
        Step("detach", f"take the disk {restore.serial} out", lambda: _detach(site, disk)),
        Step("logout", f"log out of the target ({restore.pool})", disk.logout),
        Step("mapping", f"delete {parts.mapping.key}", nas.mapping),
        Step("target", f"delete {parts.target.key}", nas.target),
        Step("extent", f"delete {parts.extent.key}", nas.extent),
        Step("clone", f"delete {parts.clone.key} and its snapshots", nas.clone),
    ]


def would_drop(site: Site, name: str) -> list[str]:
    """What `drop` would take apart, in that order, in words. Raises LabError for what must not be; reads only."""
    _refuse_unknown(site, name)
    restore = Restore(site.spec, name)
    parts, disk = served(site.nas, restore, site.path_of(volume_of(site, name))), disk_of(site, restore)
    gone = [f"mount {restore.folder}, disk {restore.serial}"] if is_on(site.spec, site.hypervisor) and disk.is_attached() else []
    gone += [f"iSCSI pool {restore.pool}"] if disk.pool_is_there() else []
    return gone + Dropping(restore, parts, paths(site)).check()


def drop(site: Site, name: str) -> None:
    """Take a restore apart, however much of it there is. Raises LabError; run again, it goes on from there."""
    _refuse_unknown(site, name)
    for step in drop_steps(site, name):
        site.say(step.what)
        step.run()


def _refuse_unknown(site: Site, name: str) -> None:
    seen = look(site)
    if name in [one.name for one in seen.found]:
        return
    if seen.problems:  # it may be where nobody could look
        raise seen.problems[0]
    known = ", ".join(one.name for one in seen.found) or "nothing"
    raise LabError(
        f"{site.spec.name}: there is no restore {name}",
        f"beside its data there is {known}",
        code=Code.NO_SUCH_RESTORE,
    )


def _refuse_without_vm(site: Site) -> None:
    """The VM is ours, and runs."""
    spec, hypervisor = site.spec, site.hypervisor
    hypervisor.forget()
    own = own_domain(spec, hypervisor)
    state = hypervisor.domains().get(spec.name)
    if own is None or state is None or not state.active or state.paused:
        absent = own is None or state is None
        what, verb = ("is paused", "resume") if state and state.paused else ("is off", "start")
        raise LabError(
            f"{spec.name}: the VM {'is not there' if absent else what}, so nothing can be mounted in it",
            "deploy it first" if absent else f"virsh -c {spec.hypervisor.uri} {verb} {spec.name}, then run again",
            code=Code.NEEDS_ANOTHER_FIRST,
        )


def _unmount(site: Site, restore: Restore, disk: BesideDisk) -> None:
    """A VM that is off has nothing mounted. One that runs without the disk is asked too, if it answers."""
    if not is_on(site.spec, site.hypervisor):
        return
    if disk.is_attached():
        _refuse_without_vm(site)
        beside.unmount(site.guest_now(), restore)
        return
    with suppress(LabError):
        beside.unmount(site.guest_now(), restore)


def _detach(site: Site, disk: BesideDisk) -> None:
    if is_on(site.spec, site.hypervisor):
        disk.detach()
