"""What is outdated on a host: each container's running and newest allowed image, the OS image, and why neither has moved."""

from __future__ import annotations

from zerotoil.layers.updates.found import HostUpdates, Running, Service, Update, Updater, Version
from zerotoil.layers.updates.judge import judge
from zerotoil.layers.updates.look import look

__all__ = ["HostUpdates", "Running", "Service", "Update", "Updater", "Version", "judge", "look"]
