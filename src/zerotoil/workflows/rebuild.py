"""A new OS disk for a host, of the declared image: a migration that asks for no health before.

So it helps where the OS itself is broken: the VM may be off, and the guest silent. A host that was well goes back by itself
when its new OS disk is not.
"""

from __future__ import annotations

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.workflows.migrate import migrate
from zerotoil.workflows.migrate_journey import Journey, Wish


def rebuild(site: Site) -> None:
    """Give the host a new OS disk. Raises LabError with the next step when something does not hold."""
    journey = Journey(site, Wish(lenient=True))
    if journey.mark.adopted:
        raise LabError(
            f"{site.spec.name}: the VM was adopted, its OS disk is not zerotoil's",
            f"zerotoil migrate {site.spec.name} gives it one that is",
            code=Code.REBUILD_OF_ADOPTED,
        )
    migrate(site, journey.wish)
