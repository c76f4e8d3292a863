"""Let an app's images move again that were put back after an update turned a health check red."""

from __future__ import annotations

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.model.places import app_folder
from zerotoil.resources.guest import bring_up, files
from zerotoil.resources.guest.wait import until_up


def release(site: Site, app: str) -> list[str]:
    """Take the pins of an app away and bring it up with the images it declares; the images it was held at.

    Raises LabError when the app holds nothing back, or does not come up; then the pins are back.
    """
    guest = site.running_guest()
    held = list(files.notes(guest.facts(), app_folder(app), "pins"))
    if not held:
        what = f"{site.spec.name}: app {app} holds no image back"
        raise LabError(what, f"zerotoil plan shows what is held back on {site.spec.name}", code=Code.NOTHING_HELD)
    backend, pins = site.spec.container.backend, f"{app_folder(app)}/.zerotoil/pins"
    name, start = bring_up.unit(backend, app), bring_up.script(backend, app)
    # What is held back came after the image that is here, so `up` fetches the newest first.
    guest.write(f"set -eu\nmv {pins} {pins}.was\ntouch {app_folder(app)}/.zerotoil/pull\n{start}")
    try:
        until_up(guest, f"app {app}", name)
    except LabError:
        guest.write(f"set -eu\nmv {pins}.was {pins}\n{start}")
        raise
    guest.write(f"rm -f {pins}.was\n")
    return held
