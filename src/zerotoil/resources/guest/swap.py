"""The guest's side of a change of data disks: everything off the disk, and on again. See scripts/swap.sh."""

from __future__ import annotations

from dataclasses import dataclass

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.resources.guest.bring_up import app_of
from zerotoil.resources.guest.guest import Guest
from zerotoil.resources.guest.packaged import script_text, sent

K3S_UNITS = ("k3s.service", "k3s-agent.service")
PATIENCE = 600  # seconds: every app may take three minutes to stop


@dataclass(frozen=True)
class Pin:
    """An app's service that is held at an image by digest; empty where no registry has the image."""

    app: str
    service: str
    image: str


def release(guest: Guest) -> str:
    """Stop all that uses the data disk and unmount it. Who keeps it busy, empty when it is free. No app starts until `resume`."""
    said = guest.write(_script("release")).strip().splitlines()
    last = said[-1] if said else ""
    if last == "released":
        return ""
    if last.startswith("busy"):
        return last.removeprefix("busy").strip() or "something that cannot be named"
    raise LabError(
        f"{guest.name}: the guest did not say whether the data disk is free ({last[:200]!r})",
        "run again",
        code=Code.GUEST_COMMAND_FAILED,
    )


def take(guest: Guest) -> None:
    """Mount the data disk that is attached now. Raises LabError when it does not appear or cannot be mounted."""
    guest.write(_script("take"))


def pin(guest: Guest) -> list[Pin]:
    """Hold the apps at the images that ran with this data; those that run now anyway are left alone."""
    # The scripts of this data may be older than holding images with podman is.
    current = f"current_podman() {{\ncat <<'CURRENT-PODMAN'\n{script_text('podman.sh')}CURRENT-PODMAN\n}}\n"
    lines = [line.split() for line in guest.write(_script("pins", current)).splitlines()]
    return [Pin(app, service, "" if image == "-" else image) for app, service, image in lines]


def resume(guest: Guest) -> list[str]:
    """Start again what was stopped; the units of apps that come up now, and k3s's."""
    return [line for line in guest.write(_script("resume")).splitlines() if app_of(line) or line in K3S_UNITS]


def _script(verb: str, more: str = "") -> str:
    return sent("swap.sh", verb, parts=["part-users.sh", "part-images.sh"], more=more)
