"""shellcheck, on scripts that are to run on a host. Source: shellcheck(1)."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from zerotoil.error_codes import Code
from zerotoil.errors import LabError

_SECONDS = 60


def complaints(scripts: Sequence[Path]) -> list[tuple[Path, int, str]]:
    """File, line and what is wrong there. Raises LabError where shellcheck is not installed or fails."""
    if not scripts:
        return []
    if not shutil.which("shellcheck"):
        raise LabError("shellcheck is not installed", "install it: apt-get install shellcheck", code=Code.TOOL_MISSING)
    line = ["shellcheck", "--norc", "--format", "json1", *map(str, scripts)]
    try:
        done = subprocess.run(line, capture_output=True, text=True, timeout=_SECONDS)
        found = json.loads(done.stdout)["comments"]
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError) as error:
        raise LabError(f"shellcheck failed ({type(error).__name__})", "run it by hand", code=Code.TOOL_FAILED) from error
    return [(Path(one["file"]), one["line"], f"SC{one['code']} {one['message'].rstrip('.')}") for one in found]
