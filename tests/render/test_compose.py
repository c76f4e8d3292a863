"""The override file of an app, whole, against golden files. Update them by deleting and running again, then read the diff."""

from pathlib import Path

import pytest
import yaml

from zerotoil.model.compose import Updates, parse
from zerotoil.model.compose.service import Service
from zerotoil.render.compose import override, pinned, watchtower_labels

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


def test_a_pinned_service_is_left_alone() -> None:
    pins = {"returns": DIGEST, "follows": f"docker.io/library/a@{DIGEST}"}
    golden("override-pinned.yaml", override(parse("shop", POLICIES), "home/matrix", pins))


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
    assert watchtower_labels(service, pinned=True) == {f"{prefix}.enable": "false"}


def test_every_label_is_text() -> None:
    """Compose passes true on as "true" all the same, but podman's tools do not."""
    for service in yaml.safe_load(override(parse("shop", POLICIES), "home/matrix"))["services"].values():
        assert all(isinstance(value, str) for value in service["labels"].values())


@pytest.mark.parametrize(
    ("image", "kept_at"),
    [
        ("docker.io/library/a:1", f"docker.io/library/a:1@{DIGEST}"),
        ("localhost:5000/a", f"localhost:5000/a@{DIGEST}"),
        (f"ghcr.io/a/b:1@sha256:{'0' * 64}", f"ghcr.io/a/b:1@{DIGEST}"),
        ("a:1", f"a:1@{DIGEST}"),
    ],
)
def test_an_image_at_a_digest(image: str, kept_at: str) -> None:
    assert pinned(image, DIGEST) == kept_at
