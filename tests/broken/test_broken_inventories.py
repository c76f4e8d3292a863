"""A corpus of broken inventories, one file each, and the exact lines that `zerotoil check` says about them.

The first comments of a case are its expectation: `# expect: LINE`, where FILE is the case's path, FILE:here the line that
ends with `# <- here` (any word will do), line:here its number, and {python} whatever words Python itself has for it.
`# data: KEY=VALUE` is given as --data.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from zerotoil.model.spec import keys

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CASES = sorted(str(path.relative_to(ROOT)) for path in (HERE / "cases").rglob("*.py") if path.parent.name != "group_data")
TOOLS = Path(sys.executable).parent


def run(line: list[str], cache: Path, seconds: int = 60) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ZEROTOIL_CACHE": str(cache), "COLUMNS": "1000"}
    return subprocess.run(
        line, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL
    )


def expected(case: str) -> list[str]:
    text = (ROOT / case).read_text()
    marks = {mark[1]: number for number, line in enumerate(text.splitlines(), 1) if (mark := re.search(r"# <- (\w+)$", line))}

    def place(found: re.Match[str]) -> str:
        return f"{case}:{marks.get(found[1], found[1])}"

    lines = [line.removeprefix("# expect: ") for line in text.splitlines() if line.startswith("# expect: ")]
    lines = [re.sub(r"FILE:(\w+)", place, line).replace("FILE", case) for line in lines]
    return [re.sub(r"line:(\w+)", lambda found: f"line {marks[found[1]]}", line) for line in lines]


def fits(said: str, want: str) -> bool:
    return bool(re.fullmatch(re.escape(want).replace(r"\{python\}", ".+"), said))


@pytest.fixture(scope="session")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    done = run([sys.executable, str(HERE / "run_cases.py"), *CASES], tmp_path_factory.mktemp("cache"), 300)
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, object]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("case", CASES)
def test_a_broken_inventory_is_told_what_would_be_right(case: str, said: dict[str, dict[str, object]]) -> None:
    want = expected(case)
    assert want, "a case begins with # expect: lines"
    if "libvirt's schema" in want[0] and not Path("/usr/share/libvirt/schemas").exists():
        pytest.skip("libvirt's schemas are not installed")
    if ": unit " in want[0] and not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    found = said[case]
    assert found["exit"] == 1
    lines = found["lines"]
    assert isinstance(lines, list)
    assert len(lines) == len(want) and all(map(fits, lines, want)), "\n".join(["said:", *lines, "expected:", *want])


def test_the_corpus_is_large() -> None:
    whole = [case for case in CASES if "/lab_" in case]
    assert len(CASES) >= 200
    assert len(whole) >= 15


def test_every_key_is_written_wrong_in_some_case() -> None:
    """A new key comes with a case: what does its owner read who gets it wrong?"""
    said = [line for case in CASES for line in expected(case)]
    short = {"restart": "vm_restart", "vm_restart": "restart", "apps": "apps_run", "apps_run": "apps"}
    missing = [key for key in keys() if not any(f": {name} " in line for line in said for name in (key, short.get(key, key)))]
    assert missing == []


@pytest.mark.parametrize("name", ["lab_three_typos_in_two_hosts", "gateway_outside", "inventory_raises"])
def test_the_real_command_says_it_and_exits_1(name: str, tmp_path: Path) -> None:
    case = f"tests/broken/cases/{name}.py"
    done = run([str(TOOLS / "zerotoil"), "check", case], tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    lines, want = done.stderr.splitlines(), expected(case)
    assert len(lines) == len(want) and all(map(fits, lines, want)), done.stderr


@pytest.mark.parametrize("name", ["lab_gateway_of_the_old_network", "unknown_key_near", "cpus_zero"])
def test_pyinfra_itself_says_it_and_exits_1(name: str, tmp_path: Path) -> None:
    """Without the line: pyinfra does not tell a connector which file it read."""
    case = f"tests/broken/cases/{name}.py"
    done = run([str(TOOLS / "pyinfra"), case, "deploys/full.py", "-y"], tmp_path)
    output = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 1, output
    assert "Traceback" not in output
    for line in expected(case):
        assert re.sub(r", tests/\S+:\d+\)", ")", line) in output
