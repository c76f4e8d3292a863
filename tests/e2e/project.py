"""An owner's project for the end-to-end tests: an inventory of the demo's host with more data, apps, and the lab's answers."""

import json
import re
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
LAYOUT = """
from zerotoil.minilab import layout
print(layout.ADDRESS, layout.REGISTRY_PORT, layout.PRIVATE_REGISTRY_PORT, layout.SIGNAL_PORT, layout.REGISTRY_PASSWORD_FILE)
"""
WAIT = 90  # seconds for what an emulated guest does at once
EYES = Callable[[], bool]


def lab_values() -> dict[str, Any]:
    """Addresses of lab 1, as its demo inventory has them."""
    address, registry, private, signal, password = run(sys.executable, "-c", LAYOUT).split()
    return {
        "registry": f"{address}:{registry}",
        "private": f"{address}:{private}",
        "password": password,
        "signal": f"{address}:{signal}",
        "guest": address.rsplit(".", 1)[0] + ".21",
    }


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


def wait_for(what: EYES, seconds: int = WAIT) -> None:
    """Until it is so. Raises AssertionError."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, what
        time.sleep(1)


WEB = """x-zerotoil:
  updates: {updates}
services:
  web:
    image: {image}
    restart: always
    ports: ["8080:8080"]
    volumes:
      - ./data:/data:Z
    healthcheck:
      test: [CMD, /lab-app, -healthcheck]
      interval: 15s
      retries: 1
"""


def still(text: str) -> str:
    """The output with what differs from walk to walk replaced: digests, times, sizes of the guest's own files."""
    text = re.sub(r"sha256:[0-9a-f]{12,64}", "sha256:…", text)
    text = re.sub(r"updates on [0-9a-f]{12}", "updates on …", text)
    text = re.sub(r"\n +took \d+ s", "", text)
    return re.sub(r"20\d\d-\d\d-\d\d[T ]\d\d:[\d:.+Z-]+", "…", text)


def rows(text: str) -> str:
    """A table in plain lines, its ages left out: they grow."""
    plain: list[list[str]] = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in re.split("[│┃]", line)[1:-1]]
        if cells and not any(cells[:3]) and plain:  # goes on from the line above
            plain[-1] = [" ".join(filter(None, pair)) for pair in zip(plain[-1], cells, strict=True)]
        elif cells:
            plain.append(cells)
        elif line and line[0] not in "┏┡└├":
            plain.append([line])
    shown = "\n".join(" | ".join(cells) for cells in plain)
    return still(re.sub(r"\b\d+ (minute|hour|day|week|month|year)s?\b|(?<=\| )now(?= \|)", "…", shown)) + "\n"
