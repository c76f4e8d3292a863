"""`zerotoil check` says everything at once: keys, rules between hosts, XML, Compose files and what podman cannot be given."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.broken.right import RIGHT

TOOLS = Path(sys.executable).parent
COMPOSE = """services:
  web:
    image: docker.io/library/nginx
  db:
    image: docker.io/library/postgres:17
    volumes: ["./data:/var/lib/postgresql/data"]
    storage_opt: {size: 1G}
"""


def check(folder: Path, *hosts: tuple[str, dict[str, object]]) -> list[str]:
    declared = ",\n".join(f"({name!r}, {RIGHT | data!r})" for name, data in hosts)
    (folder / "lab.py").write_text(f"vms = [\n{declared},\n]\n")
    done = subprocess.run(
        [str(TOOLS / "zerotoil"), "check", "lab.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr.splitlines()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "apps/web").mkdir(parents=True)
    (tmp_path / "apps/web/compose.yaml").write_text(COMPOSE)
    return tmp_path


def test_one_mistake_hides_no_other(project: Path) -> None:
    mac = [{"network": "default", "mac": "52:54:00:00:00:01"}]
    found = check(
        project,
        ("@vm/a", {"vm_cpu": 3, "vm_nics": mac, "apps": ["web"]}),
        ("@vm/b", {"vm_cpus": 0, "vm_memory": "much", "apps": ["web", "gone"], "os_butane": ["nosuch.bu"]}),
        ("@vm/c", {"vm_nics": mac, "vm_xml": "<description><x/></description>"}),
    )
    places = [line.split(" (from host data, ")[0] + " " + line[-7:] for line in found]
    of_web = ["apps [ZT132]", "apps [ZT133]"]
    want = ["a: vm_cpu [ZT101]", "b: vm_memory [ZT103]", "b: vm_cpus [ZT103]", "c: vm_nics [ZT105]"]
    want += [f"a: {line}" for line in of_web]
    want += ["b: os_butane [ZT710]", "c: vm_xml [ZT120]", *(f"b: {line}" for line in of_web), "b: apps [ZT170]"]
    if not Path("/usr/share/libvirt/schemas").exists():
        want.remove("c: vm_xml [ZT120]")  # libvirt's own schema finds it
    assert sorted(places) == sorted(want), "\n".join(found)
    assert any("apps/web/compose.yaml:3: services.web.image" in line for line in found)


def test_what_stands_in_for_a_wrong_value_is_not_judged(project: Path) -> None:
    (line,) = check(project, ("@vm/a", {"container_backend": "podmann", "vm_nics": [], "apps": []}))[1:]
    assert line.startswith("a: container_backend (from host data, lab.py:2)")


def test_podman_is_given_the_same_files_as_quadlets(project: Path) -> None:
    found = check(project, ("@vm/a", {"container_backend": "podman", "apps": ["web"]}))
    assert [line[-7:] for line in found] == ["[ZT132]", "[ZT133]", "[ZT160]"], "\n".join(found)
    assert "app web: service db: storage_opt" in found[-1]
