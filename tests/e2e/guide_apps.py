"""The guides on apps, written from a real walk through the embedded lab (number 1).

    python -m tests.e2e.guide_apps FOLDER      on a deployed lab 1: writes the pages into FOLDER

The end-to-end test makes the same walk and holds the pages against it, so they cannot go stale. Digests, times and ids are
replaced by fixed ones.
"""

import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.e2e.guide_plan_and_drift import BIN, ROOT, run

ZEROTOIL = str(BIN / "zerotoil")
INVENTORY = """import runpy

_hosts, _shared = runpy.run_path({demo!r})["demo"]
docker = ([(_name, {{**_data, **{data!r}}}) for _name, _data in _hosts], _shared)
"""
WAIT = 90  # seconds for what an emulated guest does at once
EYES = Callable[[], bool]


def lab_values() -> dict[str, Any]:
    """Addresses of lab 1, as its demo inventory has them."""
    line = "from zerotoil.minilab import layout as l; import json; print(json.dumps([l.ADDRESS, l.REGISTRY_PORT, l.SIGNAL_PORT]))"
    address, registry, signal = json.loads(run(sys.executable, "-c", line))
    return {"registry": f"{address}:{registry}", "signal": f"{address}:{signal}", "guest": address.rsplit(".", 1)[0] + ".21"}


class Project:
    """An owner's project: an inventory of the demo's host with more data, and apps."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.lab = folder, lab_values()
        (folder / "inventory").mkdir(parents=True)

    def declare(self, **data: Any) -> None:
        text = INVENTORY.format(demo=str(ROOT / "inventory/demo.py"), data=data)
        (self.folder / "inventory/lab.py").write_text(text)

    def app(self, name: str, text: str) -> None:
        path = self.folder / "apps" / name / "compose.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(self, *line: str, codes: tuple[int, ...] = (0,)) -> str:
        return run(*line, codes=codes, folder=self.folder)

    def deploy(self, *more: str) -> str:
        return self.run(str(BIN / "pyinfra"), "-y", "inventory/lab.py", str(ROOT / "deploys/full.py"), *more)

    def plan(self, code: int = 2) -> str:
        return self.run(ZEROTOIL, "plan", "inventory/lab.py", codes=(code,))

    def push(self, image: str, version: str, *more: str) -> str:
        return self.run(ZEROTOIL, "lab", "image", "push", image, "--version", version, *more).strip()

    def answers(self, port: int = 8080) -> str:
        """What the app says to a browser, "" when nobody answers."""
        try:
            with urllib.request.urlopen(f"http://{self.lab['guest']}:{port}/", timeout=10) as answer:
                return str(answer.read().decode().strip())
        except (urllib.error.URLError, OSError):
            return ""

    def messages(self) -> list[str]:
        lines = self.run(ZEROTOIL, "lab", "messages", "--json").splitlines()
        return [json.loads(line)["message"] for line in lines]


def wait_for(what: EYES) -> None:
    """Until it is so. Raises AssertionError."""
    deadline = time.monotonic() + WAIT
    while not what():
        assert time.monotonic() < deadline, what
        time.sleep(1)
