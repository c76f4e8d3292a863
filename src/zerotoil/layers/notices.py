"""What differs and is no drift: changes that wait for a start, a changed Ignition config, a newer OS image, and what will
hurt if nobody looks: a data volume without snapshots, a certificate that ends. Reads only.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from zerotoil.clients import cache
from zerotoil.errors import LabError
from zerotoil.layers.site import Site
from zerotoil.layers.snapshots import overdue
from zerotoil.model.os_updates import OsSpec
from zerotoil.model.places import app_folder
from zerotoil.model.volumes import volumes
from zerotoil.render.ignition import readable
from zerotoil.resources.guest import files, os_notices, tailnet_diff
from zerotoil.resources.hypervisor import kept_config, observed, pending
from zerotoil.resources.hypervisor.observe import own_domain
from zerotoil.resources.hypervisor.volumes import digest
from zerotoil.resources.resource import Kind, Notice, updated

SOON = timedelta(days=21)  # before a certificate ends
_RENEW = "renew it on the NAS, Credentials > Certificates; a pinned one changes nas_fingerprint, too"
_STREAM_SECONDS = 3600  # a stream changes every two weeks


def notices(site: Site) -> tuple[Notice, ...]:
    """The notices of one host; none of a server that cannot be read, which the plan says already."""
    of_cluster = (notice for objects in site.cluster_objects for notice in objects.notices())
    of_tailnet = tailnet_diff.notices(site.spec, site.seen_in_guest.get("tailnet") or {})
    return (*_of_vm(site), *_of_nas(site), *of_os(site), *of_cluster, *of_tailnet)


def of_os(site: Site) -> Iterator[Notice]:
    """Of an OS that is looked after: what os.sh says, and a newer release of the stream."""
    spec, seen = site.spec, site.seen_in_guest.get("os_updates") or {}
    yield from os_notices.notices(spec, seen, datetime.now(UTC))
    release = (seen.get("booted") or {}).get("version") if spec.os.managed and not spec.os.own_image else ""
    if release and not seen.get("staged") and (newest := newest_release(spec.os)) not in ("", release):
        what = f"{release} -> {newest}; it comes {os_notices.when(spec)}"
        yield Notice(f"OS of {spec.name}", Kind.UPDATE, what, f"zerotoil os status {spec.name}")


def told_once(hosts: Mapping[str, tuple[Notice, ...]]) -> dict[str, tuple[Notice, ...]]:
    """By host, what an earlier host has not told yet: hosts share their NAS."""
    seen: set[Notice] = set()
    result = {}
    for host, found in hosts.items():
        result[host] = tuple(notice for notice in found if notice not in seen)
        seen.update(found)
    return result


def _of_nas(site: Site) -> Iterator[Notice]:
    now = datetime.now(UTC)
    with suppress(LabError):
        nas, name = site.nas, site.spec.name
        for volume in volumes(site.spec):
            if late := overdue(volume.spec, nas, now):
                command = f"look at the NAS's periodic snapshot tasks and its alerts; meanwhile: zerotoil snapshot {name}"
                yield Notice(f"volume {site.path_of(volume)}", Kind.UNSAVED, late, command)
        if nas.certificate_ends and nas.certificate_ends - now < SOON:
            yield Notice(f"certificate of {nas.url}", Kind.EXPIRING, _ends(nas.certificate_ends, now), _RENEW)


def _ends(then: datetime, now: datetime) -> str:
    """ "it ends on 2026-12-24, in 12 days"."""
    days = (then - now).days
    return f"it ends on {then:%Y-%m-%d}, in {days} days" if days >= 0 else f"it ended on {then:%Y-%m-%d}"


def _of_vm(site: Site) -> tuple[Notice, ...]:
    try:
        vm = observed(site.spec, site.hypervisor)
        if not vm.ours:
            return ()
        found = [
            unfinished(site),
            deferred(site),
            reprovision(site, vm.ignition_sha256),
            None if site.spec.os.managed else update(site, vm.os_release),  # else by what it runs, not what it was made from
            *held(site),
        ]
    except LabError:
        return ()
    return tuple(notice for notice in found if notice)


def held(site: Site) -> list[Notice]:
    """Images that were put back after an update, by app; as far as the plan has read the guest."""
    facts, found = site.seen_in_guest, []
    for name in site.spec.apps.run:
        for line in files.notes(facts, app_folder(name), "pins"):
            service, _, image = line.partition(" ")
            what = f"{service} stays at {image}"
            found.append(Notice(f"app {name}", Kind.HELD, what, f"zerotoil release {site.spec.name} {name}"))
    return found


def unfinished(site: Site) -> Notice | None:
    """A change of OS disks that was cut off: the VM may run from either."""
    own = own_domain(site.spec, site.hypervisor)
    move = own[1].move if own else None
    if move is None:
        return None
    what = f"the change from {move.origin} to {move.to} was cut off"
    return Notice(f"VM {site.spec.name}", Kind.DEFERRED, what, f"zerotoil migrate {site.spec.name}")


def deferred(site: Site) -> Notice | None:
    """Fields that the running VM does not have yet."""
    waiting = pending(site.spec, site.hypervisor, site.iqn, defined=True)
    if not waiting:
        return None
    fields = ", ".join(change.field for change in waiting)
    command = "pyinfra … deploys/full.py --data restart=now, or restart it yourself"
    return Notice(f"VM {site.spec.name}", Kind.DEFERRED, f"{fields} at its next start", command, tuple(waiting))


def reprovision(site: Site, made_with: str) -> Notice | None:
    """The Ignition config is another one than the VM was made with: it runs once, so only a new OS disk brings it."""
    today = digest(site.ignition)
    if not made_with or today.startswith(made_with[:12]):
        return None
    old = kept_config(site.spec, site.hypervisor)
    changes = updated(f"Ignition config of {site.spec.name}", {"config": readable(site.ignition)}, {"config": readable(old)})
    command = f"zerotoil rebuild {site.spec.name}"
    return Notice(f"VM {site.spec.name}", Kind.REPROVISION, "its Ignition config changed", command, tuple(changes))


def update(site: Site, release: str) -> Notice | None:
    """A newer image on the stream than the one the VM was made from. A stream that cannot be read is no news."""
    newest = newest_release(site.spec.os) if release else ""
    if newest in ("", release):
        return None
    command = f"zerotoil rebuild {site.spec.name}"
    return Notice(f"OS of {site.spec.name}", Kind.UPDATE, f"{release} -> {newest}", command)


def newest_release(os: OsSpec) -> str:
    """The newest release that os_image or the stream offers; empty where it cannot be read."""
    return _newest(os.image, os.stream_url, os.stream)


@functools.cache
def _newest(image: str | None, url: str, stream: str) -> str:
    """The newest release: what os_image names, or what the stream offered within the last hour."""
    kept = cache.folder("streams") / hashlib.sha256(f"{image} {url} {stream}".encode()).hexdigest()[:32]
    found = cache.read(kept, _STREAM_SECONDS)
    if found is None:
        found = _look_up(OsSpec(image=image, image_sha256="0" * 64 if image else None, stream=stream, stream_url=url, butane=[]))
        cache.write(kept, found)
    return found


def _look_up(os: OsSpec) -> str:
    from zerotoil.clients import images  # loads an HTTP library, which takes longer than most plans

    try:
        return images.resolve(os, patient=False).release
    except LabError:
        return ""
