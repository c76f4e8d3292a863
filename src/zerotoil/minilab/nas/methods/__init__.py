"""The methods; importing this package registers them all."""

from zerotoil.minilab.nas.methods import (
    alerts,
    datasets,
    extents,
    mail,
    portals,
    services,
    snapshots,
    system,
    targets,
    tasks,
)

__all__ = ["alerts", "datasets", "extents", "mail", "portals", "services", "snapshots", "system", "targets", "tasks"]
