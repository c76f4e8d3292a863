"""`python -m zerotoil.minilab.nas CONFIG.json`: one simulator as a daemon; prints "ready", SIGTERM or SIGINT stops it.

Keys: version, address, port, cert, key, users_file (0600, JSON {user: API key}), pool, state (file, or folder), calls_log,
storage ("zfs" or "memory"), targets ("tgt" or "none"), control_port, iscsi_address, iscsi_port.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.minilab.nas import MemoryStorage, NoTargets, Simulator
from zerotoil.minilab.nas.tgt import Tgt
from zerotoil.minilab.nas.zfs import ZfsStorage


def simulator(config: dict[str, Any]) -> Simulator:
    """What the configuration describes. Raises LabError for users that others can read, KeyError for a missing key."""
    users = Path(config["users_file"])
    if users.stat().st_mode & 0o077:
        raise LabError(f"{users} holds API keys and others can read it", f"chmod 600 {users}", code=Code.LAB_STATE)
    return Simulator(
        version=config["version"],
        storage=ZfsStorage(config["pool"]) if config.get("storage") == "zfs" else MemoryStorage(config["pool"]),
        targets=Tgt(config["control_port"]) if config.get("targets") == "tgt" else NoTargets(),
        users=json.loads(users.read_text()),
        tls=(Path(config["cert"]), Path(config["key"])),
        address=config["address"],
        port=config["port"],
        state=Path(config["state"]) if config.get("state") else None,
        calls_log=Path(config["calls_log"]) if config.get("calls_log") else None,
        iscsi_address=config.get("iscsi_address"),
        iscsi_port=config.get("iscsi_port", 3260),
    )


def main() -> None:
    """Run until a signal."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with simulator(json.loads(Path(sys.argv[1]).read_text())):
        print("ready", flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
