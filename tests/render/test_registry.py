"""Registries as Docker and Podman read them: golden files, and which reference is moved to which mirror.

ZEROTOIL_GOLDEN=write rewrites the golden files.
"""

import base64
import json
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import make_spec
from tests.model.test_image import refs
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.image import ImageRef
from zerotoil.model.registry import RegistrySpec
from zerotoil.model.secret import Secret
from zerotoil.render import registry as render

GOLDEN = Path(__file__).parent / "golden"
LOGINS = {
    "docker.io": {"user": "me", "password": Secret("hub-t0ken")},
    "ghcr.io": {"user": "me", "password": Secret("gh:p_ä")},
    "nas.lan:5000": {"user": "lab", "password": Secret("s3cret")},
}
MIRRORS = {"docker.io": "mirror.lan:5000", "ghcr.io": "mirror.lan:5000/ghcr", "own.lan": "own.lan"}
SHA = "sha256:" + "a" * 64


def registry(**keys: Any) -> RegistrySpec:
    keys = {"watchtower_enabled": False, **{f"registry_{name}": value for name, value in keys.items()}}
    return make_spec(**keys).registry


RENDERED = {
    "docker-config.json": lambda: render.docker_config(registry(logins=LOGINS).logins),
    "docker-daemon.json": lambda: render.docker_daemon(registry(mirrors=MIRRORS)),
    "podman-auth.json": lambda: render.podman_auth(registry(logins=LOGINS).logins),
    "podman-registries.conf": lambda: render.podman_registries(registry(mirrors=MIRRORS)),
    "podman-registries-airgapped.conf": lambda: render.podman_registries(registry(mirrors=MIRRORS, airgapped=True)),
}


@pytest.mark.parametrize("name", RENDERED)
def test_golden(name: str) -> None:
    text = RENDERED[name]()
    assert text
    if os.environ.get("ZEROTOIL_GOLDEN") == "write":
        (GOLDEN / name).write_text(text)
    assert text == (GOLDEN / name).read_text()


def test_a_login_is_what_docker_login_writes() -> None:
    auths = json.loads(render.docker_config(registry(logins=LOGINS).logins))["auths"]
    assert list(auths) == ["ghcr.io", "https://index.docker.io/v1/", "nas.lan:5000"]
    assert base64.b64decode(auths["ghcr.io"]["auth"]).decode() == "me:gh:p_ä"


def test_podmans_files_are_toml_with_a_mirror_each() -> None:
    parsed = tomllib.loads(render.podman_registries(registry(mirrors=MIRRORS)) or "")
    assert parsed["registry"] == [
        {"prefix": "docker.io", "location": "docker.io", "mirror": [{"location": "mirror.lan:5000"}]},
        {"prefix": "ghcr.io", "location": "ghcr.io", "mirror": [{"location": "mirror.lan:5000/ghcr"}]},
    ]
    gapped = tomllib.loads(render.podman_registries(registry(mirrors=MIRRORS, airgapped=True)) or "")
    assert [table["location"] for table in gapped["registry"]] == ["mirror.lan:5000", "mirror.lan:5000/ghcr"]


def test_nothing_declared_is_nothing_written() -> None:
    for nothing in (registry(), registry(mirrors={"own.lan": "own.lan"})):
        assert render.docker_daemon(nothing) is None
        assert render.podman_registries(nothing) is None


MOVED = [
    # Docker mirrors Docker Hub by itself …
    ({"mirrors": MIRRORS}, "nginx:1.27", "nginx:1.27"),
    # … but no other registry,
    ({"mirrors": MIRRORS}, "ghcr.io/a/b:1", "mirror.lan:5000/ghcr/a/b:1"),
    ({"mirrors": MIRRORS}, f"ghcr.io/a/b:1@{SHA}", f"mirror.lan:5000/ghcr/a/b:1@{SHA}"),
    # not below a path, not with a login of the mirror's own, and not for sure.
    ({"mirrors": {"docker.io": "mirror.lan/hub"}}, "nginx:1.27", "mirror.lan/hub/library/nginx:1.27"),
    ({"mirrors": {"docker.io": "nas.lan:5000"}, "logins": LOGINS}, "nginx", "nas.lan:5000/library/nginx"),
    ({"mirrors": MIRRORS, "airgapped": True}, "me/app:1", "mirror.lan:5000/me/app:1"),
    # What has no mirror stays as it is written.
    ({"mirrors": MIRRORS}, "quay.io/a/b:1", "quay.io/a/b:1"),
    ({"mirrors": MIRRORS}, "own.lan/app:1", "own.lan/app:1"),
    ({"mirrors": MIRRORS}, "mirror.lan:5000/mine:1", "mirror.lan:5000/mine:1"),
    ({}, "index.docker.io/nginx", "index.docker.io/nginx"),
]


@pytest.mark.parametrize(("keys", "image", "want"), MOVED, ids=[f"{image} {index}" for index, (_, image, _) in enumerate(MOVED)])
def test_which_reference_is_moved(keys: dict[str, Any], image: str, want: str) -> None:
    assert render.mirrored(image, registry(**keys)) == want


def test_docker_is_told_of_a_mirror_only_where_it_can_use_it() -> None:
    assert render.docker_mirror(registry(mirrors=MIRRORS)) == "https://mirror.lan:5000"
    assert render.docker_mirror(registry(mirrors={"docker.io": "mirror.lan/hub"})) is None
    assert render.docker_mirror(registry(mirrors={"docker.io": "nas.lan:5000"}, logins=LOGINS)) is None


gapped = st.sampled_from([registry(mirrors=MIRRORS), registry(mirrors=MIRRORS, airgapped=True), registry()])


@given(refs() | refs().map(lambda ref: ref.moved("ghcr.io")) | refs().map(lambda ref: ref.moved("own.lan")), gapped)
def test_moving_changes_only_the_place_and_only_once(ref: ImageRef, spec: RegistrySpec) -> None:
    if spec.outside(str(ref)):
        with pytest.raises(LabError, match="registry_airgapped allows mirrors only") as caught:
            render.mirrored(str(ref), spec)
        assert caught.value.code is Code.IMAGE_OUTSIDE
        return
    moved = ImageRef.parse(render.mirrored(str(ref), spec))
    assert (moved.tag, moved.digest) == (ref.tag, ref.digest)
    assert moved.repository.endswith(ref.repository)
    assert render.mirrored(str(moved), spec) == str(moved)
    if spec.airgapped:
        assert moved.registry in ("mirror.lan:5000", "own.lan")
