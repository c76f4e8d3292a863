"""An app's folder in the project: what is taken from it, how templates are filled in, and what is refused."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import make_spec
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.layers.apps import judge, names, read
from zerotoil.model.secret import Secret
from zerotoil.resources.guest.own import OwnFiles

COMPOSE = "services:\n  web:\n    image: registry.lan/web:1\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "apps/web").mkdir(parents=True)
    (tmp_path / "apps/web/compose.yaml").write_text(COMPOSE)
    return tmp_path


def add(root: Path, name: str, text: str) -> Path:
    path = root / "apps/web" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def refused(root: Path, **keys: object) -> LabError:
    with pytest.raises(LabError) as caught:
        read(make_spec(apps=["web"], **keys), root, "web")
    return caught.value


def test_all_files_are_taken_with_their_place_and_mode(root: Path) -> None:
    add(root, "conf/start.sh", "#!/bin/sh\n").chmod(0o755)
    add(root, "README.md", "for people\n")
    add(root, "conf/old.yaml~", "of an editor\n")
    (root / "apps/web/logo.png").write_bytes(b"\x89PNG\xff")
    app = read(make_spec(apps=["web"]), root, "web")
    assert app.compose == COMPOSE
    assert [(file.path, file.mode) for file in app.files] == [
        ("/var/mnt/data/apps/web/compose.yaml", 0o644),
        ("/var/mnt/data/apps/web/conf/start.sh", 0o755),
        ("/var/mnt/data/apps/web/logo.png", 0o644),
    ]
    assert names(root) == ["web"]


def test_a_template_is_filled_in_and_its_secret_is_one(root: Path) -> None:
    add(root, "server.toml.template", 'host = "{{ host }}"\nuri = "postgres://{{ db_password }}@db"\n')
    add(root, "port.template", "{{ port }}\n")
    values = {"web": {"db_password": Secret("s3cret"), "port": 8080}}
    app = read(make_spec(apps=["web"], apps_values=values), root, "web")
    files = {file.path.rpartition("/")[2]: file for file in app.files}
    assert files["server.toml"].content == 'host = "matrix"\nuri = "postgres://s3cret@db"\n'
    assert files["server.toml"].secret and files["server.toml"].shown == "********"
    assert files["port"].content == "8080\n" and not files["port"].secret


def test_offline_no_secret_is_read(root: Path) -> None:
    add(root, "server.toml.template", "{{ db_password }}\n")
    spec = make_spec(apps=["web"], apps_values={"web": {"db_password": "file:/none"}})
    app = read(spec, root, "web", offline=True)
    assert app.files[-1].content == "********\n"
    with pytest.raises(LabError, match="the secret file /none cannot be read"):
        read(spec, root, "web")


def test_a_value_that_is_not_declared(root: Path) -> None:
    add(root, "server.toml.template", "a\nb = {{ db_password }}\n")
    error = refused(root)
    assert error.code is Code.APP_TEMPLATE
    assert "server.toml.template" in str(error) and "'db_password' is undefined" in str(error)
    assert 'name the value in apps_values = {"APP": {"NAME": …}}' in str(error)


def test_a_template_that_is_none(root: Path) -> None:
    add(root, "server.toml.template", "a\n{% if %}\n")
    assert "server.toml.template:2: the template cannot be filled in (Expected an expression" in str(refused(root))


@pytest.mark.parametrize("wrong", ["{{ host + 1 }}", "{{ 1 / 0 }}", "{{ db_password.nosuch() }}", "{{ '%d' % db_password }}"])
def test_an_expression_that_fails_names_its_file_and_no_value(root: Path, wrong: str) -> None:
    add(root, "server.toml.template", wrong)
    error = refused(root, apps_values={"web": {"db_password": Secret("s3cret")}})
    assert error.code is Code.APP_TEMPLATE
    assert "server.toml.template: the template cannot be filled in (" in str(error) and "s3cret" not in str(error)


@pytest.mark.parametrize("name", [".env.template", "db.env.template"])
def test_a_secret_for_an_environment_is_refused(root: Path, name: str) -> None:
    add(root, name, "PASSWORD={{ db_password }}\n")
    error = refused(root, apps_values={"web": {"db_password": Secret("s3cret")}})
    assert error.code is Code.APP_FILE
    assert "would put the secret db_password into the environment of a container" in str(error)
    assert "s3cret" not in str(error)


def test_what_is_no_app(root: Path) -> None:
    with pytest.raises(LabError) as caught:
        read(make_spec(), root, "wiki")
    assert str(caught.value).startswith("matrix: apps: there is no apps/wiki/compose.yaml; the project has web")
    (root / "apps/old").mkdir()
    (root / "apps/old/docker-compose.yml").write_text(COMPOSE)
    with pytest.raises(LabError, match="apps/old/docker-compose.yml is not read; rename it to compose.yaml"):
        read(make_spec(), root, "old")


def test_what_cannot_be_taken(root: Path) -> None:
    (root / "apps/web/link").symlink_to("/etc/passwd")
    assert "is a link: put the file itself there" in str(refused(root))
    (root / "apps/web/link").unlink()
    add(root, ".zerotoil/pins", "x")
    assert "is in .zerotoil, which is zerotoil's" in str(refused(root))
    shutil.rmtree(root / "apps/web/.zerotoil")
    add(root, "dump.sql", "x" * (1024**2 + 1))
    assert "has 1048577 bytes, at most 1048576 are taken" in str(refused(root))


def of_host(root: Path, text: str, **keys: object) -> list[str]:
    """What is wrong with the app on a host of these keys."""
    (root / "apps/web/compose.yaml").write_text(text)
    return [error.shown for error in judge(make_spec(apps=["web"], **keys), root).problems]


def test_what_the_hosts_updater_cannot_do(root: Path) -> None:
    image = "image: docker.io/library/x:1"
    linked = f"services: {{web: {{{image}, depends_on: [db]}}, db: {{{image}}}}}"
    assert of_host(root, linked) == []
    assert of_host(root, linked, watchtower_rolling_restart=True) == [
        "apps/web/compose.yaml:1: services.web: depends_on, and watchtower_rolling_restart of matrix is True: Watchtower "
        "refuses both together; set it to False [ZT136]"
    ]
    aged = f"x-zerotoil: {{min_age: 1 week}}\nservices: {{web: {{{image}}}}}"
    assert of_host(root, aged) == []
    assert of_host(root, aged, container_backend="podman") == [
        "apps/web/compose.yaml:1: x-zerotoil.min_age: podman knows no minimum age of an image, and matrix runs podman; "
        "take it out [ZT136]"
    ]


def test_a_secret_in_an_env_file_of_any_name(root: Path) -> None:
    add(root, "settings.template", "GREETING={{ db_password }}\n")
    text = "services:\n  web:\n    image: docker.io/library/x:1\n    env_file: ./settings\n"
    (said,) = of_host(root, text, apps_values={"web": {"db_password": Secret("s3cret")}})
    assert said.startswith("apps/web/compose.yaml:4: services.web.env_file: ./settings holds a secret") and said.endswith(
        "[ZT134]"
    )
    assert of_host(root, text, apps_values={"web": {"db_password": "plain"}}) == []


def test_an_image_from_outside_an_airgap(root: Path) -> None:
    keys = {"registry_airgapped": True, "registry_mirrors": {"docker.io": "mirror.lan"}}
    assert of_host(root, "services: {web: {image: docker.io/library/x:1}}", **keys) == []
    (said,) = of_host(root, "services:\n  web:\n    image: ghcr.io/me/x:1\n", **keys)
    assert said.startswith(
        "apps/web/compose.yaml:3: services.web: ghcr.io/me/x:1 comes from ghcr.io, and registry_airgapped allows"
    )
    assert said.endswith("[ZT151]")


def test_everything_at_once(root: Path) -> None:
    assert len(of_host(root, "services: {web: {image: x, prots: [1]}, db: {build: .}}")) >= 3


def test_a_podman_host_without_apps_keeps_what_takes_them_away(tmp_path: Path) -> None:
    """The script that stops what is declared no more must not go with the last app."""
    spec = make_spec(container_backend="podman")
    resources = Site(spec, tmp_path, shell=lambda _script: "{}").guest_resources()
    own = next(resource for resource in resources if isinstance(resource, OwnFiles))
    assert "/var/mnt/data/zerotoil/bin/podman.sh" in [file.path for file in own.files]
