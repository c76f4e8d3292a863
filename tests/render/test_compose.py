"""The override file of an app, whole, against golden files. Update them by deleting and running again, then read the diff."""

from pathlib import Path

import pytest
import yaml

from zerotoil.model.compose import Updates, parse
from zerotoil.model.compose.service import Service
from zerotoil.model.registry import RegistrySpec
from zerotoil.render.compose import override, watchtower_labels

GOLDEN = Path(__file__).parent / "golden"
DIGEST = "sha256:" + "4f" * 32
POLICIES = """
x-zerotoil: {updates: auto}
services:
  follows: {image: "docker.io/library/a:1"}
  says-so: {image: "docker.io/library/a:1", labels: [zerotoil.updates=notify, other=kept]}
  stays: {image: "docker.io/library/a:1", labels: {zerotoil.updates: off}}
  returns: {image: "docker.io/library/a:1", labels: {zerotoil.updates: auto+revert}, profiles: [seldom]}
"""


def golden(name: str, text: str) -> None:
    path = GOLDEN / name
    if not path.exists():
        path.write_text(text)
        pytest.fail(f"{path} was written; read it")
    assert text == path.read_text()


def test_each_policy() -> None:
    golden("override-policies.yaml", override(parse("shop", POLICIES), "home/matrix"))


def test_an_image_comes_from_its_mirror() -> None:
    registry = RegistrySpec(mirrors={"ghcr.io": "mirror.lan:5000"})
    app = parse("shop", "services: {web: {image: 'ghcr.io/me/web:1'}}")
    assert yaml.safe_load(override(app, "home/matrix", registry))["services"]["web"]["image"] == "mirror.lan:5000/me/web:1"


@pytest.mark.parametrize("name", ["atuin", "synapse"])
def test_the_examples(name: str) -> None:
    text = (Path(__file__).parents[2] / "examples/apps" / name / "compose.yaml").read_text()
    golden(f"override-{name}.yaml", override(parse(name, text), "home/matrix"))


@pytest.mark.parametrize(
    ("updates", "labels"),
    [
        ("auto", {"enable": "true"}),
        ("auto+revert", {"enable": "true"}),
        ("notify", {"enable": "true", "monitor-only": "true"}),
        ("off", {"enable": "false"}),
    ],
)
def test_watchtowers_labels(updates: Updates, labels: dict[str, str]) -> None:
    service = Service("web", updates=updates)
    prefix = "com.centurylinklabs.watchtower"
    assert watchtower_labels(service) == {f"{prefix}.{key}": value for key, value in labels.items()}


def test_every_label_is_text() -> None:
    """Compose passes true on as "true" all the same, but podman's tools do not."""
    for service in yaml.safe_load(override(parse("shop", POLICIES), "home/matrix"))["services"].values():
        assert all(isinstance(value, str) for value in service["labels"].values())
