"""The shipped inventories validate, and problems say where a value came from."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

READ = """
import sys
from pathlib import Path
from zerotoil.cli.hosts import read
found = read(Path(sys.argv[1]))
for problem in found.problems: print(problem)
print(sorted(found.specs))
"""


def read(path: Path) -> list[str]:
    """In a process of its own: pyinfra patches the sockets of the process that loads it."""
    done = subprocess.run([sys.executable, "-c", READ, str(path)], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(("name", "hosts"), [("lab", "['docker1', 'k3s1']"), ("demo", "['demo1']")])
def test_the_shipped_inventories_validate(name: str, hosts: str) -> None:
    assert read(ROOT / "inventory" / f"{name}.py") == [hosts]


def test_a_problem_names_the_file_of_the_group(tmp_path: Path) -> None:
    inventory = tmp_path / "bad.py"
    inventory.write_text((ROOT / "inventory/lab.py").read_text())
    (tmp_path / "group_data").mkdir()
    (tmp_path / "group_data" / "k3s.py").write_text('vm_memry = "1 GiB"\n_note = "mine"\n')
    place = f"group 'k3s', {tmp_path}/group_data/k3s.py:1"
    assert read(inventory) == [f"k3s1: vm_memry (from {place}): unknown key; did you mean vm_memory?", "['docker1']"]
