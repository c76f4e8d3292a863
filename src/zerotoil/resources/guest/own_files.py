"""What zerotoil keeps under /var/mnt/data/zerotoil of a host: scripts and units, as far as its declaration needs them."""

from __future__ import annotations

from zerotoil.model.night import after, every_day_at
from zerotoil.model.spec import HostSpec
from zerotoil.resources.guest import ledger, notify, registries
from zerotoil.resources.guest.files import GuestFile
from zerotoil.resources.guest.packaged import script, unit


def own_files(spec: HostSpec) -> list[GuestFile]:
    """The files of one host; none where nothing needs them."""
    files = notify.guest_files(spec)
    if spec.docker.enabled:
        files += [*registries.guest_files(spec), *_apps(spec), *ledger.guest_files(spec)]
    elif spec.container.backend == "podman":
        files += [*registries.guest_files(spec, "podman"), *ledger.guest_files(spec)]
    elif spec.k3s.role:  # what else k3s needs is its own resource
        files += ledger.guest_files(spec)
    return [script("install.sh"), *files] if files or spec.tailnet.enabled or spec.os.managed else []


def _apps(spec: HostSpec) -> list[GuestFile]:
    """Starting and stopping apps, and looking after them once the updater's hour is over."""
    files = [script("app.sh"), unit("zerotoil-app@.service"), unit("docker.service.d/zerotoil.conf")]
    if spec.watchtower.enabled and spec.apps.run:
        times = every_day_at(after(spec.watchtower.schedule, spec.apps.reconcile), spec.watchtower.timezone)
        files += [script("reconcile.sh"), unit("zerotoil-reconcile.service"), unit("zerotoil-reconcile.timer", _timer(times))]
    return files


def _timer(times: list[str]) -> str:
    lines = "\n".join(f"OnCalendar={time}" for time in times)
    return f"[Unit]\nDescription=After the updates\n[Timer]\n{lines}\nPersistent=yes\n[Install]\nWantedBy=timers.target\n"
