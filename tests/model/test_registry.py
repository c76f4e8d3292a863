"""Logins, mirrors and the airgap: what is taken, and one clear line for what is not."""

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import RIGHT, make_spec
from zerotoil.error_codes import Code
from zerotoil.model.image import ImageRef
from zerotoil.model.inventory import declare
from zerotoil.model.secret import MASK

LOGIN = {"user": "me", "password": "file:/none"}


def problems(**keys: Any) -> list[str]:
    return [problem.shown for problem in declare({"matrix": [("host data", {**RIGHT, **keys})]}).problems]


def test_without_a_word_nothing_is_declared() -> None:
    registry = make_spec().registry
    assert (registry.logins, registry.mirrors, registry.airgapped, registry.ca) == ({}, {}, False, None)
    assert registry.mirror("docker.io") is None
    assert registry.outside("anything:1") is None


def test_registries_go_by_one_name() -> None:
    registry = make_spec(
        registry_logins={"index.docker.io": LOGIN, "nas.lan:5000": LOGIN},
        registry_mirrors={"registry-1.docker.io": "mirror.lan:5000/hub/", "own.lan": "own.lan"},
    ).registry
    assert list(registry.logins) == ["docker.io", "nas.lan:5000"]
    assert registry.mirror("docker.io") == ("mirror.lan:5000", "hub")
    assert registry.mirror("own.lan") is None
    assert registry.mirror("ghcr.io") is None


def test_a_password_is_not_shown() -> None:
    shown = repr(make_spec(registry_logins={"ghcr.io": {"user": "me", "password": "env:GHCR"}}).registry)
    assert MASK in shown and "GHCR" not in shown


WRONG = [
    ({"logins": "ghcr.io"}, "registry_logins (from host data): not a mapping; write {…} (user and password per"),
    ({"logins": {"ghcr.io": "token"}}, "ghcr.io: not a mapping; write its fields user and password [ZT103]"),
    ({"logins": {"ghcr.io": {"user": "a"}}}, "ghcr.io.password: missing; password or access token, as file:PATH or env"),
    ({"logins": {"ghcr.io": {**LOGIN, "passwort": 1}}}, "ghcr.io.passwort: unknown field; did you mean password? [ZT101]"),
    ({"logins": {"ghcr.io": {"user": "me", "password": "s3cret"}}}, "ghcr.io.password: a secret is not written in the inventory"),
    ({"logins": {"ghcr.io": {"user": "", "password": "env:X"}}}, "ghcr.io.user: empty; write it in quotes (user name)"),
    ({"logins": {"ghcr.io": {"user": "a:b", "password": "env:X"}}}, "user: a user name has no colon; write the password apart"),
    ({"logins": {"https://ghcr.io": LOGIN}}, "write the registry without https://"),
    ({"logins": {"ghcr.io/me": LOGIN}}, "'ghcr.io/me' is no registry; write HOST or HOST:PORT"),
    ({"logins": {"docker.io": LOGIN, "index.docker.io": LOGIN}}, "'index.docker.io' is docker.io, which stands there already"),
    ({"mirrors": ["mirror.lan:5000"]}, "not a mapping; write {…} (registry -> mirror, HOST[:PORT][/PATH] over TLS"),
    ({"mirrors": {"docker.io": "http://mirror.lan:5000"}}, "docker.io: 'http://mirror.lan:5000': write the registry without http://"),
    ({"mirrors": {"docker.io": "mirror"}}, "takes a name without a dot or a port for a user of Docker Hub; write mirror:5000"),
    ({"mirrors": {"docker.io": "mirror.lan/Hub"}}, "'Hub' is no path on a registry"),
    ({"mirrors": {"docker.io": 5000}}, "docker.io: 5000 is not text; write it in quotes"),
    ({"airgapped": "yes"}, "registry_airgapped (from host data): 'yes' is neither True nor False"),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "said"), WRONG, ids=lambda value: str(value)[:40])
def test_what_is_wrong_is_one_line(keys: dict[str, Any], said: str) -> None:
    (line,) = problems(**{f"registry_{name}": value for name, value in keys.items()})
    assert said in line


def test_an_airgap_holds_for_watchtower_too() -> None:
    (problem,) = declare({"matrix": [("host data", {**RIGHT, "registry_airgapped": True})]}).problems
    assert problem.code is Code.KEYS_CONTRADICT
    assert str(problem) == (
        "matrix: watchtower_image: nickfedor/watchtower:1.21.0 comes from docker.io, and registry_airgapped allows mirrors only; "
        'declare registry_mirrors {"docker.io": "mirror.lan:5000"}'
    )
    for enough in (
        {"registry_mirrors": {"docker.io": "mirror.lan:5000"}},
        {"watchtower_image": "own.lan/watchtower:1.21.0", "registry_mirrors": {"own.lan": "own.lan"}},
        {"watchtower_image": "mirror.lan:5000/watchtower:1", "registry_mirrors": {"ghcr.io": "mirror.lan:5000/ghcr"}},
        {"watchtower_enabled": False},
        {"docker_enabled": False},
    ):
        assert problems(registry_airgapped=True, **enough) == []


def test_an_image_from_elsewhere_is_told_the_way_in() -> None:
    registry = make_spec(registry_airgapped=True, registry_mirrors={"docker.io": "mirror.lan:5000"}).registry
    assert registry.outside("nginx:1.27") is None
    assert registry.outside("mirror.lan:5000/own/app:1") is None
    assert registry.outside("ghcr.io/a/b:1") == (
        "ghcr.io/a/b:1 comes from ghcr.io, and registry_airgapped allows mirrors only; declare registry_mirrors "
        '{"ghcr.io": "mirror.lan:5000"}; if it is your own: "ghcr.io": "ghcr.io"'
    )
    assert not registry.is_inside(ImageRef.parse("quay.io/a/b"))
    with pytest.raises(ValueError, match="is no image"):
        registry.outside("a//b")


def test_the_ca_is_a_path() -> None:
    assert make_spec(registry_ca="~/ca.crt").registry.ca == Path("~/ca.crt")
    (line,) = problems(registry_ca=5)
    assert "5 is not a path; write it in quotes" in line
