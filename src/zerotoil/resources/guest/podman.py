"""What a guest with podman is given: quadlets, the script that installs them, podman's own update in our window. Pure.

podman.sh copies the quadlets to /etc/containers/systemd/zerotoil-NAME; zerotoil-podman.service runs it at boot, so that they
come back on a new OS disk. Podman's update knows no minimum age of an image: watchtower_cooldown cannot be kept with it.
"""

from __future__ import annotations

from collections.abc import Mapping

from zerotoil.model.places import TREE
from zerotoil.model.spec import HostSpec
from zerotoil.render.calendar import on_calendar
from zerotoil.render.quadlet import Refusals, unit_clashes
from zerotoil.render.quadlet.container import REGISTRY_LOGINS
from zerotoil.resources.guest.files import GuestFile
from zerotoil.resources.guest.packaged import script, unit

SCRIPT = f"{TREE}/bin/podman.sh"
_UPDATE = "podman-auto-update"  # podman's own timer and service
_UNIT = f"""[Unit]
Description=Apps of this host and their updates, with podman
RequiresMountsFor=/var/mnt/data
Wants=network-online.target
After=network-online.target

[Service]
# Not oneshot: neither the boot nor who starts this waits for all images of a new OS disk, or fails with one app.
Type=exec
RemainAfterExit=yes
ExecStart=/bin/sh {SCRIPT} settle

[Install]
WantedBy=multi-user.target
"""


def guest_files(spec: HostSpec, apps: Mapping[str, Mapping[str, str]]) -> list[GuestFile]:
    """The files of one host; `apps` are the quadlets of each. Raises LabError for apps that clash, and for the window."""
    clashes = unit_clashes(apps)
    if clashes:
        raise Refusals(clashes)
    return [
        script("podman.sh"),
        unit("zerotoil-podman.service", _UNIT),
        unit(f"{_UPDATE}.timer.d/zerotoil.conf", update_timer(spec.watchtower.schedule, spec.watchtower.timezone)),
        unit(f"{_UPDATE}.service.d/zerotoil.conf", update_service()),
        *(
            GuestFile(f"{TREE}/quadlets/{app}/{name}", 0o644, text)
            for app, files in sorted(apps.items())
            for name, text in sorted(files.items())
        ),
    ]


def update_timer(schedule: str, timezone: str) -> str:
    """The drop-in of podman-auto-update.timer: at the window, and only then."""
    return (
        "# The night has an order: the update comes right after its snapshot. So no random delay, and a window that was\n"
        "# missed is not made up for at the next boot.\n"
        "[Timer]\n"
        "OnCalendar=\n"
        f"OnCalendar={on_calendar(schedule, timezone)}\n"
        "RandomizedDelaySec=0\n"
        "Persistent=false\n"
    )


def update_service() -> str:
    """The drop-in of podman-auto-update.service: with the registries' logins, and by the script that tells what came of it."""
    return (
        "[Unit]\n"
        "RequiresMountsFor=/var/mnt/data\n\n"
        "[Service]\n"
        f"Environment=REGISTRY_AUTH_FILE={REGISTRY_LOGINS}\n"
        "ExecStart=\n"
        f"ExecStart=/bin/sh {SCRIPT} update\n"
    )
