"""Commands against the lab that the end-to-end tests share (number 1): deploy, plan, and what the NAS was asked to write."""

import json
import re
import subprocess
from pathlib import Path

from tests.e2e.guide_plan_and_drift import BIN, LAB, ROOT

STATE = Path("/var/lib/zerotoil-lab1")


def run(*line: str, seconds: int = 900, check: bool = True) -> str:
    done = subprocess.run(line, cwd=ROOT, env=LAB, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL)
    output = done.stdout + done.stderr
    assert not check or done.returncode == 0, output
    return output


def deploy(*more: str, check: bool = True) -> str:
    return run(str(BIN / "pyinfra"), "-y", "inventory/demo.py", "deploys/full.py", *more, check=check)


def zerotoil(*line: str, **options: int) -> str:
    return run(str(BIN / "zerotoil"), *line, **options)


def plan(exit_code: int) -> set[tuple[str, str]]:
    """What `zerotoil plan` names: resource and field."""
    line = [str(BIN / "zerotoil"), "plan", "inventory/demo.py", "--json"]
    done = subprocess.run(line, cwd=ROOT, env=LAB, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    assert done.returncode == exit_code, done.stdout + done.stderr
    layers = json.loads(done.stdout)["hosts"][0]["layers"]
    return {(change["resource"], change["field"]) for layer in layers for change in layer["changes"]}


def writes() -> int:
    """Writing calls that the NAS has answered so far."""
    lines = (STATE / "nas" / "calls.jsonl").read_text().splitlines()
    return sum(1 for line in lines if json.loads(line)["write"])


def assert_unchanged(output: str) -> None:
    """pyinfra's own table: operations, of which none succeeded with a change and none failed."""
    assert re.search(r"Grand total +\d+ +- +- +\d+", output), output
