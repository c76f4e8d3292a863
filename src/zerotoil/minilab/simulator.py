"""The TrueNAS API simulator's process: its configuration, start, and the version that it plays."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.minilab import daemons, endpoints, iscsi, layout, state
from zerotoil.minilab.daemons import Daemon

CONFIG = layout.STATE / "nas" / "simulator.json"
USERS = layout.STATE / "nas" / "users.json"  # mode 0600: user name -> API key


def config(version: str) -> dict[str, object]:
    """What `python -m zerotoil.minilab.nas` reads."""
    return {
        "version": version,
        "address": layout.ADDRESS,
        "port": layout.NAS_PORT,
        "cert": str(layout.SERVER_CERT),
        "key": str(layout.SERVER_KEY),
        "users_file": str(USERS),
        "pool": layout.ZPOOL,
        "state": str(layout.STATE / "nas" / "simulator"),
        "calls_log": str(layout.NAS_CALLS_LOG),
        "storage": "zfs",
        "targets": "tgt",
        "control_port": layout.ISCSI_CONTROL_PORT,
        "iscsi_address": layout.ADDRESS,
    }


def version() -> str:
    """The version that the simulator plays, or would play at the next start."""
    try:
        return str(json.loads(CONFIG.read_text())["version"])
    except (OSError, ValueError, KeyError):
        return layout.NAS_VERSION


def daemon(wanted: str) -> Daemon:
    """The simulator's process; restarted with another version, certificate, code, or iSCSI target daemon."""
    certificate = hashlib.sha256(layout.SERVER_CERT.read_bytes()).hexdigest() if layout.SERVER_CERT.exists() else ""
    settings: dict[str, object] = {
        "config": config(wanted),
        "certificate": certificate,
        "code": _code(),
        "tgtd": daemons.pid_of(iscsi.TGTD),
    }
    return Daemon(
        "nas",
        [sys.executable, "-m", "zerotoil.minilab.nas", str(CONFIG)],
        lambda: endpoints.tls_answers(layout.NAS_PORT),
        port=layout.NAS_PORT,
        settings=settings,
        deadline=30,
    )


def up(wanted: str | None = None) -> str:
    """Start the simulator as `wanted`, or as it was; the API key stays the same."""
    chosen = wanted or version()
    if chosen not in layout.NAS_VERSIONS:
        raise LabError(
            f"the NAS simulator does not play TrueNAS {chosen}",
            f"one of {', '.join(layout.NAS_VERSIONS)}",
            code=Code.LAB_NO_SUCH_CHOICE,
        )
    (layout.STATE / "nas" / "simulator").mkdir(exist_ok=True)
    state.write_secret(USERS, json.dumps({layout.NAS_USER: layout.NAS_KEY_FILE.read_text().strip()}))
    CONFIG.write_text(json.dumps(config(chosen), indent=1))
    return f"{daemons.start(daemon(chosen))}, plays TrueNAS {chosen}"


def is_up() -> bool:
    """Alive, ours, and answering with the lab's certificate."""
    return daemons.is_up(daemon(version()))


def down() -> str:
    """Stop the simulator; what it knows stays in its state folder and in ZFS."""
    return "stopped" if daemons.stop(daemon(version())) else "was not running"


def _code() -> str:
    """Changes when the simulator's own source does."""
    sources = sorted((Path(__file__).parent / "nas").rglob("*.py"))  # not imported: it is slow to load
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
