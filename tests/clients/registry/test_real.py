"""The client against Debian's docker-registry: what it learns, and how few calls it takes."""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.clients.registry.oci import Image, RealRegistry, layout, real_registry
from tests.conftest import make_spec
from zerotoil.clients.registry import Registry
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.image import ImageRef
from zerotoil.model.secret import Secret
from zerotoil.render import registry as render

VERSION = "org.opencontainers.image.version"


def client(plain: bool = True, **keys: Any) -> Registry:
    keys = {"watchtower_enabled": False, **{f"registry_{name}": value for name, value in keys.items()}}
    return Registry(make_spec(**keys).registry, plain_loopback=plain)


def ref(registry: RealRegistry, text: str) -> ImageRef:
    return ImageRef.parse(f"{registry.name}/{text}")


def test_one_image(real: RealRegistry) -> None:
    pushed = real.push("a/one:1.4", Image(labels={VERSION: "1.4.2"}))
    real.forget()
    asked = client()
    info = asked.image(ref(real, "a/one:1.4"))
    assert (info.digest, info.version) == (pushed, "1.4.2")
    assert info.created == datetime(2026, 8, 18, 10, 0, 0, 123456, UTC)
    assert [line.split()[0] for line in real.log] == ["HEAD", "GET", "GET"]

    real.forget()
    assert asked.digest(ref(real, "a/one:1.4")) == pushed
    assert asked.labels(ref(real, "a/one:1.4")) == {VERSION: "1.4.2"}
    assert real.log == [], "what was asked in this run is known"
    assert client().created(ref(real, "a/one:1.4")) == info.created
    assert [line.split()[0] for line in real.log] == ["HEAD"], "what is behind a digest is known for good"


def test_an_index_leads_to_the_image_for_our_machines(real: RealRegistry) -> None:
    arm = Image(architecture="arm64", created="2020-01-01T00:00:00Z")
    pushed = real.push("a/many:2", arm, Image(labels={VERSION: "2.0.1"}))
    real.forget()
    info = client().image(ref(real, "a/many:2"))
    assert (info.digest, info.version) == (pushed, "2.0.1")
    assert info.created and info.created.year == 2026
    assert [line.split()[0] for line in real.log] == ["HEAD", "GET", "GET", "GET"]


def test_an_image_for_other_machines_only(real: RealRegistry) -> None:
    real.push("a/arm:1", Image(architecture="arm64"), Image(architecture="riscv64"))
    with pytest.raises(LabError, match="has no image for linux/amd64") as caught:
        client().image(ref(real, "a/arm:1"))
    assert caught.value.code is Code.REGISTRY_OTHER_PLATFORM


def test_an_image_that_says_nothing_about_itself(real: RealRegistry) -> None:
    real.push("a/mute:1", Image(created=None))
    info = client().image(ref(real, "a/mute:1"))
    assert (info.created, info.version, info.labels) == (None, "", {})
    assert client().image(ref(real, "a/mute:1")) == info


def test_tags(real: RealRegistry) -> None:
    for tag in ("1.0", "1.1", "latest"):
        real.push(f"a/tagged:{tag}", Image())
    asked = client()
    real.forget()
    assert sorted(asked.tags(ref(real, "a/tagged:1.0"))) == ["1.0", "1.1", "latest"]
    assert asked.tags(ref(real, "a/tagged:latest")) == asked.tags(ref(real, "a/tagged"))
    assert len(real.log) == 1


def test_a_moved_tag_is_seen_by_the_next_run(real: RealRegistry) -> None:
    first = real.push("a/moving:1", Image(content="1"))
    asked = client()
    assert asked.digest(ref(real, "a/moving:1")) == first
    second = real.push("a/moving:1", Image(content="2"))
    assert asked.digest(ref(real, "a/moving:1")) == first
    assert client().digest(ref(real, "a/moving:1")) == second != first
    assert client().image(ref(real, "a/moving:1").at(digest=first)).digest == first


@pytest.mark.parametrize("text", ["a/none:1", "a/tagged:9.9"])
def test_what_is_not_there(real: RealRegistry, text: str) -> None:
    real.push("a/tagged:1.0", Image())
    asked = client()
    for _ in range(2):
        with pytest.raises(LabError, match=f"^{real.name} has no {text}: check the image's name and tag$") as caught:
            asked.digest(ref(real, text))
        assert caught.value.code is Code.REGISTRY_NO_IMAGE
    with pytest.raises(LabError, match="has no a/none"):
        asked.tags(ref(real, "a/none"))


def test_a_mirror_is_asked_first_and_the_registry_itself_where_it_has_nothing(real: RealRegistry, tmp_path: Path) -> None:
    with real_registry(tmp_path / "origin") as origin:
        old, new = real.push("hub/a/app:1", Image(content="mirror")), origin.push("a/app:1", Image(content="origin"))
        only = origin.push("a/other:1", Image())
        mirrors = {origin.name: f"{real.name}/hub"}
        asked = client(mirrors=mirrors)
        origin.forget()
        assert asked.digest(ref(origin, "a/app:1")) == old != new
        assert origin.log == []
        assert asked.digest(ref(origin, "a/other:1")) == only
        with pytest.raises(LabError, match=f"{real.name} has no hub/a/other:1"):
            client(mirrors=mirrors, airgapped=True).digest(ref(origin, "a/other:1"))


@pytest.fixture
def private(tmp_path: Path) -> Any:
    with real_registry(tmp_path / "private", user="me", password="s3:cret", tls=True) as made:
        yield made


def test_a_private_registry_with_a_certificate_of_the_owners(private: RealRegistry) -> None:
    pushed = private.push("mine:1", Image())
    login = {private.name: {"user": "me", "password": Secret("s3:cret")}}
    private.forget()
    asked = client(plain=False, logins=login, ca=str(private.ca))
    assert asked.digest(ref(private, "mine:1")) == pushed
    assert asked.tags(ref(private, "mine:1")) == ["1"]
    assert len(private.log) == 3, "it is told once that it wants a login"

    for what, logins in {
        "gives mine to nobody without a login": {},
        "does not take the login for mine": {private.name: {"user": "me", "password": Secret("x")}},
    }.items():
        with pytest.raises(LabError, match=what) as caught:
            client(plain=False, ca=str(private.ca), logins=logins).digest(ref(private, "mine:1"))
        assert caught.value.code is Code.REGISTRY_LOGIN


def test_a_certificate_that_nobody_here_trusts(private: RealRegistry, tmp_path: Path) -> None:
    for keys in ({}, {"ca": str(other_ca(tmp_path))}):
        private.forget()
        with pytest.raises(
            LabError,
            match=r"its certificate is not trusted \(.*CERTIFICATE_VERIFY_FAILED.*\): set registry_ca to the CA that signed it$",
        ) as caught:
            client(plain=False, **keys).digest(ref(private, "mine:1"))
        assert caught.value.code is Code.REGISTRY_UNTRUSTED
        assert private.log == []


def other_ca(folder: Path) -> Path:
    from tests.clients.registry.oci import certificate

    (folder / "other").mkdir()
    return certificate(folder / "other")


def test_a_ca_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "ca").write_text("no certificate")
    for path in ("ca", "none"):
        with pytest.raises(LabError, match=f"registry_ca {tmp_path}/{path} cannot be read") as caught:
            client(ca=str(tmp_path / path))
        assert caught.value.code is Code.FILE_UNREADABLE


def test_plain_text_is_not_spoken_without_being_told_to(real: RealRegistry) -> None:
    real.push("a/one:1.4", Image())
    with pytest.raises(LabError) as caught:
        client(plain=False).digest(ref(real, "a/one:1.4"))
    assert caught.value.code is Code.REGISTRY_UNTRUSTED


# Podman's files are read by skopeo, which has Podman's own library (containers/image).


def skopeo(folder: Path, image: str, *options: str, conf: str = "") -> subprocess.CompletedProcess[str]:
    (folder / "registries.conf").write_text(conf)
    line = ["skopeo", "--registries-conf", str(folder / "registries.conf"), "inspect", "--no-tags", *options, f"docker://{image}"]
    return subprocess.run(line, capture_output=True, text=True, timeout=60)


def test_podmans_logins_are_read_by_podmans_library(private: RealRegistry, tmp_path: Path) -> None:
    private.push("mine:1", Image())
    login = make_spec(registry_logins={private.name: {"user": "me", "password": Secret("s3:cret")}}).registry.logins
    for text, works in ((render.podman_auth(login), True), (render.docker_config(login), True), ('{"auths": {}}', False)):
        (tmp_path / "auth.json").write_text(text)
        done = skopeo(tmp_path, f"{private.name}/mine:1", "--tls-verify=false", "--authfile", str(tmp_path / "auth.json"))
        assert (done.returncode == 0) is works, done.stderr


@pytest.mark.parametrize("airgapped", [False, True])
def test_podmans_mirrors_are_read_by_podmans_library(real: RealRegistry, tmp_path: Path, airgapped: bool) -> None:
    pushed = real.push("hub/library/app:1", Image())
    keys = {"mirrors": {"docker.io": f"{real.name}/hub"}, "airgapped": airgapped}
    spec = make_spec(watchtower_enabled=False, **{f"registry_{name}": value for name, value in keys.items()}).registry
    location = f'location = "{real.name}/hub"'
    conf = (render.podman_registries(spec) or "").replace(location, f"{location}\ninsecure = true")
    done = skopeo(tmp_path, "docker.io/app:1", conf=conf)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["Digest"] == pushed
    missing = skopeo(tmp_path, "docker.io/me/none:1", conf=conf)
    assert missing.returncode and ("registry-1.docker.io" not in missing.stderr) is airgapped


def test_the_layout_of_these_tests_is_one(tmp_path: Path) -> None:
    made = layout(tmp_path / "x", Image())
    line = ["skopeo", "--insecure-policy", "inspect", "--raw", f"oci:{tmp_path / 'x'}:x"]
    from tests.clients.registry.oci import digest

    assert digest(subprocess.run(line, capture_output=True, check=True, timeout=60).stdout) == made
