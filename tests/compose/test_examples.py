"""The apps that ship as examples: they are right, complete, and what their READMEs say of them holds."""

import json
import re
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml
from jinja2 import meta

from zerotoil.model.compose import App, across, check
from zerotoil.model.image import ImageRef, names_registry

EXAMPLES = Path(__file__).parents[2] / "examples/apps"
NAMES = sorted(path.parent.name for path in EXAMPLES.glob("*/compose.yaml"))
AWKWARD = "a'b\"c&d/é: #{}"  # what a password may be
ENVIRONMENT = jinja2.Environment(undefined=jinja2.StrictUndefined)


def texts(name: str) -> dict[str, str]:
    folder = EXAMPLES / name
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def values(name: str) -> list[str]:
    """The values that the README lists."""
    block = (EXAMPLES / name / "README.md").read_text().partition('"apps_values"')[2].partition("}}")[0]
    return re.findall(r'"(\w+)": "', block)


def rendered(name: str) -> dict[str, str]:
    given: dict[str, Any] = {value: AWKWARD for value in values(name)}
    made = {}
    for path, text in texts(name).items():
        is_template = path.endswith(".template")
        made[path.removesuffix(".template")] = (
            ENVIRONMENT.from_string(text).render(host="matrix", **given) if is_template else text
        )
    return made


def app(name: str) -> App:
    files = rendered(name)
    found_app, found = check(name, files["compose.yaml"], files=files)
    assert found == []
    assert found_app is not None
    return found_app


def test_all_of_them_are_here() -> None:
    assert NAMES == ["atuin", "mailrise", "registry", "signal", "synapse"]
    assert all(f"[{name}]({name}/README.md)" in (EXAMPLES / "README.md").read_text() for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_wrong_with_it(name: str) -> None:
    shop = app(name)
    for service in shop.services.values():
        assert names_registry(service.image) and ImageRef.parse(service.image).tag
        assert service.restart == "unless-stopped"


def test_one_host_can_run_them_all() -> None:
    assert across([app(name) for name in NAMES]) == []


@pytest.mark.parametrize("name", NAMES)
def test_its_readme_lists_the_values_that_its_templates_need(name: str) -> None:
    used: set[str] = set()
    for path, text in texts(name).items():
        if path.endswith(".template"):
            used |= meta.find_undeclared_variables(ENVIRONMENT.parse(text))
    optional = {"open_registration", "smtp_user"}
    assert used - optional == set(values(name))


@pytest.mark.parametrize("name", NAMES)
def test_every_file_that_is_mounted_is_there(name: str) -> None:
    shop, files = app(name), rendered(name)
    for service in shop.services.values():
        for bind in service.binds:
            source = bind.source.removeprefix("./")
            is_data = source == "data" or source.startswith("data/")
            assert is_data or source in files or any(path.startswith(f"{source}/") for path in files), bind


def test_secrets_survive_in_what_is_rendered() -> None:
    server = yaml.safe_load(rendered("synapse")["config/homeserver.yaml"])
    assert server["database"]["args"]["password"] == server["macaroon_secret_key"] == AWKWARD
    bridge = yaml.safe_load(rendered("synapse")["bridge/config.yaml"])
    registration = yaml.safe_load(rendered("synapse")["config/signal-registration.yaml"])
    assert bridge["appservice"]["as_token"] == registration["as_token"] == AWKWARD
    assert bridge["appservice"]["username_template"] == "signal_{{.}}"
    mail = yaml.safe_load(rendered("mailrise")["mailrise.conf"])
    assert mail["smtp"]["auth"]["basic"] == {"mailrise": AWKWARD}
    assert mail["configs"]["owner"]["urls"] == [AWKWARD]
    uri = re.search(r'^db_uri = (".*")$', rendered("atuin")["server.toml"], re.MULTILINE)
    assert uri and re.fullmatch(r"postgres://atuin:[\w%.~-]+@db/atuin", json.loads(uri[1]))
    assert rendered("atuin")["db_password"].strip() == AWKWARD


def test_a_secret_is_in_no_compose_file() -> None:
    for name in NAMES:
        assert AWKWARD not in rendered(name)["compose.yaml"]
