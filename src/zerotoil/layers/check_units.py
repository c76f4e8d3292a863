"""What systemd says about the units that hosts bring, by `systemd-analyze verify` where it is installed. Reads only files."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers.site import Site
from zerotoil.model.inventory import Problem
from zerotoil.render.butane import data_device, escape_unit
from zerotoil.render.ignition import units

_SECONDS = 30


def bad_units(sites: list[Site]) -> list[Problem]:
    """The problems of all hosts. What the units run comes with the first boot: not looked for.

    systemd reads one unit of a name, whatever its folder: so each host is a call, and hosts that are alike share one.
    """
    if not shutil.which("systemd-analyze"):
        return []
    said: dict[frozenset[tuple[str, str]], list[str]] = {}
    found: list[Problem] = []
    for site in sites:
        texts = _units(site)
        alike = frozenset((name, _without_host(text, site)) for name, text in texts.items())
        if alike not in said:
            said[alike] = list(unit_complaints(texts))
        found += [Problem(site.spec.name, "os_butane", "", what, Code.UNIT_WRONG) for what in said[alike]]
    return found


def _units(site: Site) -> dict[str, str]:
    try:
        return units(site.ignition)
    except LabError:  # said already
        return {}


def _without_host(text: str, site: Site) -> str:
    """The text with the data disk's path taken out, which is all that the shipped units have of a host."""
    path = data_device(site.spec)
    return text.replace(escape_unit(path.removeprefix("/")), "").replace(path, "")


def unit_complaints(texts: dict[str, str]) -> Iterator[str]:
    """What is wrong with a line of a unit, or with a unit as a whole, for which systemd would not load it.

    By name; a drop-in's is UNIT.d/FILE.conf, and its unit has to be among them.
    """
    with tempfile.TemporaryDirectory(prefix="units-") as folder:
        for name, text in texts.items():
            Path(folder, name).parent.mkdir(exist_ok=True)
            Path(folder, name).write_text(text)
        for line in _verify([Path(folder, name) for name in texts if "/" not in name]) if texts else []:
            place, _, said = line.partition(": ")
            path, _, number = place.partition(":")
            unit = place.replace("@test_instance.", "@.")
            if number.isdigit() and Path(path).is_relative_to(folder):
                what = re.sub(r"[.,] ignoring\.$", "", said, flags=re.IGNORECASE)
                yield f"unit {Path(path).relative_to(folder)} line {number}: {what}; man systemd.directives lists all"
            elif unit in texts and said.endswith(". Refusing."):
                what = said.removesuffix(". Refusing.")
                yield f"unit {unit}: {what}; man systemd.{unit.rpartition('.')[2]} says what it needs"


def _verify(files: list[Path]) -> list[str]:
    line = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *map(str, files)]
    try:
        done = subprocess.run(line, capture_output=True, text=True, timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return []  # an offline check does without
    return done.stderr.splitlines()
