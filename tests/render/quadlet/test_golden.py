"""Whole apps as quadlets, pinned by golden files; podman's generator and systemd take each of them.

After a wanted change: python -m tests.render.quadlet.test_golden
"""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.render.quadlet.generator import generated, lines
from zerotoil.model.compose.variables import expanded
from zerotoil.render.quadlet import container_names, quadlets, service_of

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "golden" / "quadlet"
UPDATES = {
    "atuin": {"server": "auto+revert", "db": "auto+revert"},
    "synapse": {"synapse": "auto", "bridge": "notify", "db": "off"},
    "dashboard": {"dashboard": "auto"},
}
DIGESTS = {
    "atuin": {"server.toml": "1" * 64, "db_password": "2" * 64},
    "synapse": {"registration.yaml": "3" * 64, "db.env": "4" * 64},
    "dashboard": {"settings/dashboard.toml": "5" * 64},
}
APPS = sorted(UPDATES)


def rendered(app: str, digests: dict[str, str] | None = None) -> dict[str, str]:
    troubles: list[str] = []
    written = yaml.safe_load((HERE / "apps" / f"{app}.yaml").read_text())
    compose = expanded(written, {}, ".env", lambda _place, what: troubles.append(what))
    assert troubles == []
    return quadlets(app, compose, "home/matrix", UPDATES[app], digests=digests or DIGESTS[app])


@pytest.mark.parametrize("app", APPS)
def test_an_app_is_rendered_as_pinned(app: str) -> None:
    assert rendered(app) == {path.name: path.read_text() for path in (GOLDEN / app).iterdir()}


@pytest.mark.parametrize("app", APPS)
def test_podman_makes_the_services_that_are_expected(app: str) -> None:
    assert set(generated(rendered(app))) == {service_of(file) for file in rendered(app)}


@pytest.mark.parametrize("app", APPS)
@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_takes_the_services(app: str, tmp_path: Path) -> None:
    assert complaints(generated(rendered(app), podman="/bin/true"), tmp_path) == []


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_would_complain(tmp_path: Path) -> None:
    services = generated(rendered("dashboard"), podman="/bin/true")
    broken = {name: text.replace("RestartSec=10", "RestartSec=soon") for name, text in services.items()}
    assert any("soon" in line for line in complaints(broken, tmp_path))


def complaints(services: dict[str, str], folder: Path) -> list[str]:
    """What systemd-analyze says of these services (of other units it may say what it likes)."""
    for name, text in services.items():
        (folder / name).write_text(text)
    files = [str(folder / name) for name in services]
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return [line for line in done.stderr.splitlines() if any(name in line for name in services)]


def test_the_files_that_make_containers_are_found_by_name() -> None:
    files = rendered("synapse")
    assert container_names(files) == {
        "synapse": "synapse-synapse.container",
        "synapse-bridge-1": "synapse-bridge.container",
        "synapse-db-1": "synapse-db.container",
    }


def test_a_changed_file_brings_a_new_container_only_to_those_who_see_it() -> None:
    before, after = rendered("atuin"), rendered("atuin", DIGESTS["atuin"] | {"db_password": "9" * 64})
    assert [file for file in before if before[file] != after[file]] == ["atuin-db.container"]


def test_nothing_starts_before_the_data_disk_is_there() -> None:
    for service in generated(rendered("atuin")).values():
        if "podman run" in service:
            assert "/var/mnt/data" in lines(service, "RequiresMountsFor")


if __name__ == "__main__":
    for app in APPS:
        shutil.rmtree(GOLDEN / app, ignore_errors=True)
        (GOLDEN / app).mkdir(parents=True)
        for name, text in rendered(app).items():
            (GOLDEN / app / name).write_text(text)
