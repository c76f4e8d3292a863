"""One app back to a snapshot, its folder and its images; the rest of the host stays as it is.

The snapshot is mounted beside the data, the app's folder is copied from it with the images that ran then, and put in the place
of today's, which is kept on the data disk. Cut off anywhere, the same command does it again from the copy on.
"""

from __future__ import annotations

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.model.restore import default_name
from zerotoil.resources.guest import Guest
from zerotoil.resources.guest.bring_up import unit
from zerotoil.resources.guest.packaged import sent
from zerotoil.resources.guest.swap import PATIENCE, Pin
from zerotoil.workflows.restore import drop, mount_beside, wanted
from zerotoil.workflows.snapshot import take
from zerotoil.workflows.swap import until_healthy
from zerotoil.workflows.undo import Ahead

UNDONE = "/var/mnt/data/zerotoil/undone"


def undo_app(site: Site, app: str, ahead: Ahead) -> tuple[list[Pin], str]:
    """Do it; the services that are held now, and the folder in which the app of today is kept. Raises LabError."""
    refuse_unknown(site, app)
    assert ahead.snapshot is not None
    site.say("taking a snapshot of the present")
    take(site, f"before app {app} went back to {ahead.snapshot.name}", site.now())
    beside = wanted(site, ahead.snapshot.id, default_name(f"undo-{app}"))
    source = mount_beside(beside)
    guest, stamp = site.guest_now(PATIENCE), f"{site.now():%Y%m%d-%H%M%S}"
    try:
        site.say(f"copying the folder of {app} from the snapshot")
        lines = [line.split() for line in _run(guest, "prepare", app, source).splitlines()]
        site.say(f"putting it in place of today's and starting {app}")
        _run(guest, "exchange", app, stamp)
    finally:
        drop(site, beside.restore.name)
    _settle(guest, site.spec.container.backend, app)
    return [Pin(app, service, "" if image == "-" else image) for service, image in lines], f"{UNDONE}/{app}.{stamp}"


def return_app(site: Site, app: str) -> str:
    """Put back the folder that was kept last, and keep the present one; the name of what is back. Raises LabError."""
    refuse_unknown(site, app)
    guest = site.guest_now(PATIENCE)
    back = _run(guest, "back", app, f"{site.now():%Y%m%d-%H%M%S}").strip()
    _settle(guest, site.spec.container.backend, app)
    return back


def _settle(guest: Guest, backend: str, app: str) -> None:
    """Until it is up; its containers start by themselves again then, whatever came of it: each is of the folder that is there."""
    try:
        until_healthy(guest, unit(backend, app), f"zerotoil undo {guest.name} --app {app} --return")
    finally:
        _run(guest, "settle", app)


def refuse_unknown(site: Site, app: str) -> None:
    """Raise LabError for an app that the host does not run."""
    if app not in site.spec.apps.run:
        known = ", ".join(site.spec.apps.run) or "none"
        raise LabError(f"{site.spec.name} runs no app {app}", f"its apps: {known}", code=Code.WRONG_OPTION)


def _run(guest: Guest, *arguments: str) -> str:
    return guest.write(sent("undo-app.sh", *arguments, parts=["part-images.sh"]))
