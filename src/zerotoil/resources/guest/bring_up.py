"""How an app is started by a unit that can be waited for, whichever engine runs it. Pure."""

from __future__ import annotations

from zerotoil.resources.guest.app import unit as docker_unit
from zerotoil.resources.guest.podman import SCRIPT


def unit(backend: str, app: str) -> str:
    """The unit that starts an app; podman's is made when it is needed, since podman.sh may take longer than a login."""
    return f"zerotoil-up-{app}.service" if backend == "podman" else docker_unit(app)


def script(backend: str, app: str) -> str:
    """Shell that starts it, or starts again what is declared otherwise by now, and does not wait."""
    name = unit(backend, app)
    if backend != "podman":
        return f"systemctl reload-or-restart --no-block {name}\n"
    return (
        f"systemctl stop {name} 2>/dev/null || true\nsystemctl reset-failed {name} 2>/dev/null || true\n"
        f"systemd-run --quiet --no-block --unit={name} --property=Type=oneshot --property=RemainAfterExit=yes "
        f"/bin/sh {SCRIPT} up {app}\n"
    )


def app_of(unit_name: str) -> str:
    """The app that a unit of either engine starts; empty for another unit."""
    for start in ("zerotoil-app@", "zerotoil-up-"):
        if unit_name.startswith(start):
            return unit_name.removeprefix(start).removesuffix(".service")
    return ""
