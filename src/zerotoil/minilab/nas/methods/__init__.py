"""The methods; importing this package registers them all."""

from zerotoil.minilab.nas.methods import (
    datasets,
    extents,
    portals,
    services,
    snapshots,
    system,
    targets,
    tasks,
)

__all__ = ["datasets", "extents", "portals", "services", "snapshots", "system", "targets", "tasks"]
