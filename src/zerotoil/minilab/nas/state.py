"""The tables of the pretend NAS and their JSON file (mode 0600: it holds secrets).

Ids do not start at 1, and differ from table to table, so that a client cannot mix them up and get away with it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

Row = dict[str, Any]

FIRST_IDS = {
    "iscsi.portal": 3,
    "iscsi.initiator": 5,
    "iscsi.auth": 8,
    "iscsi.target": 12,
    "iscsi.extent": 17,
    "iscsi.targetextent": 23,
    "pool.snapshottask": 31,
    "alertservice": 37,
}
SERVICES = {"cifs": 4, "ftp": 6, "iscsitarget": 13, "nfs": 9, "ssh": 11}


class State:
    """Tables of rows, each with an `id`; `save` writes them when a file was given (a folder gets `state.json`)."""

    def __init__(self, path: Path | None = None, iscsi_port: int = 3260) -> None:
        self._path = path / "state.json" if path is not None and path.is_dir() else path
        self.data: Row = {
            "next": dict(FIRST_IDS),
            "tables": {name: [] for name in FIRST_IDS},
            "services": [{"id": number, "service": name, "enable": False, "running": False} for name, number in SERVICES.items()],
            "global": {
                "id": 1,
                "basename": "iqn.2005-10.org.freenas.ctl",
                "isns_servers": [],
                "listen_port": iscsi_port,
                "pool_avail_threshold": None,
                "alua": False,
                "iser": False,
                "mode": 0,
                "direct_config": None,
            },
            "mail": {
                "id": 1,
                "fromemail": "",
                "fromname": "",
                "outgoingserver": "",
                "port": 25,
                "security": "PLAIN",
                "smtp": False,
                "user": None,
                "pass": None,
                "oauth": None,
            },
        }
        if self._path is not None and self._path.exists():
            kept = json.loads(self._path.read_text())
            for part in ("next", "tables"):  # a file of an older lab knows fewer tables
                kept[part] = self.data[part] | kept[part]
            self.data |= kept

    def rows(self, table: str) -> list[Row]:
        """The live list of a table."""
        rows: list[Row] = self.data["tables"][table]
        return rows

    def find(self, table: str, number: Any) -> Row | None:
        """The row with this id."""
        return next((row for row in self.rows(table) if row["id"] == number), None)

    def add(self, table: str, row: Row) -> Row:
        """Give the row the next id and keep it."""
        number = self.data["next"][table]
        self.data["next"][table] = number + 1
        row = {"id": number, **row}
        self.rows(table).append(row)
        return row

    def remove(self, table: str, number: int) -> None:
        """Forget a row; its id is not used again."""
        self.rows(table)[:] = [row for row in self.rows(table) if row["id"] != number]

    def save(self) -> None:
        """Replace the file in one step."""
        if self._path is None:
            return
        draft = self._path.with_name(self._path.name + ".new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self.data, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)
