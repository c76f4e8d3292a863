"""What differs and is no drift: changes that wait for a start, a changed Ignition config, a newer OS image. Reads only."""

from __future__ import annotations

from functools import cache

from zerotoil.errors import LabError
from zerotoil.layers.site import Site
from zerotoil.model.vm import OsSpec
from zerotoil.render.ignition import readable
from zerotoil.resources.hypervisor import kept_config, observed, pending
from zerotoil.resources.hypervisor.volumes import digest
from zerotoil.resources.resource import Kind, Notice, updated


def notices(site: Site) -> tuple[Notice, ...]:
    """The notices of one host; none where its hypervisor cannot be read, which the plan says already."""
    try:
        vm = observed(site.spec, site.hypervisor)
        if not vm.ours:
            return ()
        found = [deferred(site), reprovision(site, vm.ignition_sha256), update(site, vm.os_release)]
    except LabError:
        return ()
    return tuple(notice for notice in found if notice)


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
    newest = _newest(site.spec.os) if release else ""
    if newest in ("", release):
        return None
    command = f"zerotoil rebuild {site.spec.name}"
    return Notice(f"OS of {site.spec.name}", Kind.UPDATE, f"{release} -> {newest}", command)


def _newest(os: OsSpec) -> str:
    if os.image:
        from zerotoil.clients import images

        return images.resolve(os).release
    return _of_stream(os.stream_url, os.stream)


@cache
def _of_stream(url: str, stream: str) -> str:
    from zerotoil.clients import images

    try:
        return images.resolve(OsSpec(stream=stream, stream_url=url, butane=[]), patient=False).release
    except LabError:
        return ""
