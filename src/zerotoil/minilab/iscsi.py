"""The NAS's iSCSI target: a tgtd of our own with its own control port, listening on the lab's bridge only.

tgtd goes on without a portal when the port is taken, so the portal is looked at after the start. Debian starts a tgtd of
its own on every address when the package is installed; while that one has no targets, its portals are taken off it for
as long as the lab is up, and `down` gives them back.
"""

from __future__ import annotations

import json
import signal
from contextlib import suppress

from zerotoil.errors import LabError
from zerotoil.minilab import daemons, layout, processes
from zerotoil.minilab.commands import run
from zerotoil.minilab.daemons import Daemon

PORTAL = f"{layout.ADDRESS}:{layout.ISCSI_PORT}"
SYSTEM_CONTROL_PORT = 0
SYSTEM_PORTALS = layout.RUN / "system-tgtd-portals.json"


def has_portal() -> bool:
    """Whether our tgtd answers and listens on the lab's portal."""
    try:
        return PORTAL in _portals(layout.ISCSI_CONTROL_PORT)
    except LabError:
        return False


TGTD = Daemon(
    "tgtd",
    ["tgtd", "-f", "-C", str(layout.ISCSI_CONTROL_PORT), "--iscsi", f"portal={PORTAL}"],
    has_portal,
    port=layout.ISCSI_PORT,
    stop_signal=signal.SIGKILL,  # tgtd ignores SIGTERM; what it acknowledged is in the kernel's page cache or on disk
)


def up() -> str:
    """Start our tgtd. Its targets are the simulator's to make."""
    note = "" if daemons.is_up(TGTD) else _ask_system_tgtd_for_the_port()
    return daemons.start(TGTD) + note


def is_up() -> bool:
    """Alive, ours, and listening on the portal."""
    return daemons.is_up(TGTD)


def down() -> str:
    """Stop our tgtd; give the system's its portals back."""
    stopped = daemons.stop(TGTD)
    if SYSTEM_PORTALS.exists():
        for portal in json.loads(SYSTEM_PORTALS.read_text()):
            with suppress(LabError):  # it was stopped or restarted meanwhile: nothing to give back
                _tgtadm(SYSTEM_CONTROL_PORT, "new", "portal", "--param", f"portal={portal}")
        SYSTEM_PORTALS.unlink()
    return "stopped" if stopped else "was not running"


def _ask_system_tgtd_for_the_port() -> str:
    """Take the portals off an idle tgtd of the system; says so. Anything else on the port is refused by the start."""
    holders = processes.listeners(layout.ISCSI_PORT, layout.ADDRESS)
    if not holders or not all(processes.same_root(pid) and processes.describe(pid).startswith("tgtd ") for pid in holders):
        return ""
    try:
        portals = _portals(SYSTEM_CONTROL_PORT)
        busy = _tgtadm(SYSTEM_CONTROL_PORT, "show", "target").strip()
    except LabError:
        return ""
    if busy or not portals:
        return ""
    SYSTEM_PORTALS.write_text(json.dumps(portals))
    for portal in portals:
        _tgtadm(SYSTEM_CONTROL_PORT, "delete", "portal", "--param", f"portal={portal}")
    return " (the system's idle tgtd lends its port until `lab down`)"


def _portals(control_port: int) -> list[str]:
    lines = _tgtadm(control_port, "show", "portal").splitlines()
    return [line.removeprefix("Portal: ").partition(",")[0] for line in lines if line.startswith("Portal: ")]


def _tgtadm(control_port: int, operation: str, mode: str, *more: str) -> str:
    return run("tgtadm", "-C", str(control_port), "--lld", "iscsi", "--op", operation, "--mode", mode, *more, timeout=10)
