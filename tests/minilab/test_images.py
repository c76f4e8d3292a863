"""Test images: the same words give the same bytes, and what is pushed to a real registry is what was meant."""

import base64
import gzip
import hashlib
import json
import os
import shutil
import ssl
import subprocess
import tarfile
import urllib.request
from dataclasses import replace

import pytest
from click.testing import CliRunner

from zerotoil.cli.lab import lab
from zerotoil.errors import LabError
from zerotoil.minilab import images, layout, postgres, registry, tools

needs_skopeo = pytest.mark.skipif(shutil.which("skopeo") is None, reason="skopeo is not installed")
V2S2 = "application/vnd.docker.distribution.manifest.v2+json"


@pytest.mark.parametrize(("make", "program"), [(images.app, "lab-app"), (images.watchtower, "watchtower")])
def test_an_image_layout_is_whole_and_always_the_same(tmp_path, make, program):
    layouts = [images.oci_layout(tmp_path / name, "1", make()) for name in ("a", "b")]
    assert (layouts[0] / "index.json").read_bytes() == (layouts[1] / "index.json").read_bytes()
    blobs = layouts[0] / "blobs" / "sha256"
    for blob in blobs.iterdir():
        assert hashlib.sha256(blob.read_bytes()).hexdigest() == blob.name
    manifest = json.loads((blobs / _entry(layouts[0] / "index.json", "manifests")).read_text())
    config = json.loads((blobs / manifest["config"]["digest"].removeprefix("sha256:")).read_text())
    assert config["config"]["Entrypoint"] == [f"/{program}"]
    unpacked = tmp_path / program
    with tarfile.open(blobs / manifest["layers"][0]["digest"].removeprefix("sha256:")) as layer:
        member = layer.getmember(program)
        unpacked.write_bytes(layer.extractfile(member).read())
    unpacked.chmod(member.mode)
    assert os.access(unpacked, os.X_OK)


def _entry(path, field):
    return json.loads(path.read_text())[field][0]["digest"].removeprefix("sha256:")


def test_the_standins_image_says_so_and_trusts_the_labs_ca(loopback):
    image = images.watchtower()
    assert image.config["Labels"]["zerotoil.standin"] == "true"
    assert image.files["etc/ssl/certs/ca-certificates.crt"] == layout.CA_CERT.read_bytes()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2026-08-18", "2026-08-18T00:00:00Z"),
        ("2026-08-18T12:00:00", "2026-08-18T12:00:00Z"),
        ("2026-08-18T12:00:00+02:00", "2026-08-18T10:00:00Z"),
    ],
)
def test_the_time_of_an_image_is_utc(text, wanted):
    assert images.app(created=text).created == wanted


def test_what_is_no_time_and_no_name_is_refused():
    with pytest.raises(LabError, match="'yesterday' is no time"):
        images.app(created="yesterday")
    for name in ("app", "App:1", "app:", "192.168.177.1:5443/app:1", "../app:1"):
        with pytest.raises(LabError, match="is not NAME:TAG"):
            images.push(name, images.app())


def fetch(where, path, login=""):
    """What the registry answers to a GET."""
    request = urllib.request.Request(f"https://{where.address}/v2/{path}", headers={"Accept": V2S2})
    if login:
        request.add_header("Authorization", f"Basic {base64.b64encode(login.encode()).decode()}")
    context = ssl.create_default_context(cafile=layout.CA_CERT)
    with urllib.request.urlopen(request, timeout=5, context=context) as answer:
        return answer.headers, json.loads(answer.read())


@needs_skopeo
def test_a_pushed_image_is_what_was_meant(registries):
    where, _ = registries
    first = images.push("team/app:1", images.app("1"), to=where)
    headers, manifest = fetch(where, "team/app/manifests/1")
    assert headers["Docker-Content-Digest"] == first
    assert headers["Content-Type"] == V2S2  # the format that podman takes a health check from
    config = fetch(where, f"team/app/blobs/{manifest['config']['digest']}")[1]
    assert config["created"] == images.CREATED
    assert config["config"]["Healthcheck"]["Test"] == ["CMD", "/lab-app", "-healthcheck"]
    assert config["config"]["Env"] == ["PATH=/", "VERSION=1", "PORT=8080"]
    assert manifest["layers"][0]["size"] < 1_000_000

    assert images.push("team/app:1", images.app("1"), to=where) == first
    others = {images.push("team/app:1", image, to=where) for image in (images.app("2"), images.app("1", broken=True))}
    assert len({first, *others}) == 3
    assert registry.has(where, "team/app:1") and not registry.has(where, "team/app:2")


@needs_skopeo
def test_the_private_registry_wants_its_login(registries, tmp_path):
    _, where = registries
    images.push("app:1", images.app(), to=where)
    assert registry.has(where, "app:1")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        fetch(where, "app/manifests/1")
    login = f"lab:{layout.REGISTRY_PASSWORD_FILE.read_text().strip()}"
    assert fetch(where, "app/manifests/1", login)[1]["schemaVersion"] == 2

    config = registry.auth_file(where, tmp_path)
    assert config.stat().st_mode & 0o777 == 0o600
    for secret in (layout.REGISTRY_PASSWORD_FILE, where.htpasswd):
        assert secret.stat().st_mode & 0o777 == 0o600
    certificates = tmp_path / "certificates"
    certificates.mkdir()
    shutil.copy(layout.CA_CERT, certificates / "ca.crt")
    inspect = ["skopeo", "inspect", "--authfile", config, "--cert-dir", certificates, f"docker://{where.address}/app:1"]
    told = subprocess.run(inspect, capture_output=True, text=True, timeout=30, check=True).stdout
    assert json.loads(told)["Labels"]["org.opencontainers.image.version"] == "1"


def test_a_new_password_counts_and_the_old_one_does_not(registries):
    _, where = registries
    old = f"lab:{layout.REGISTRY_PASSWORD_FILE.read_text().strip()}"
    layout.REGISTRY_PASSWORD_FILE.write_text("another\n")
    assert not registry.is_up(where)
    assert registry.up(where) == "restarted"
    assert registry.up(where) == "already running"
    with pytest.raises(urllib.error.HTTPError, match="401"):
        fetch(where, "app/tags/list", old)


@needs_skopeo
def test_the_standin_is_pushed_once_per_build(registries, tmp_path, monkeypatch):
    where, _ = registries
    assert [images.push_watchtower(where), images.push_watchtower(where)] == ["pushed", "already in the registry"]
    tag = layout.WATCHTOWER_IMAGE.rpartition(":")[2]
    assert fetch(where, f"nickfedor/watchtower/manifests/{tag}")[1]["config"]["digest"]
    shutil.rmtree(where.files / "files" / "docker")
    assert images.push_watchtower(where) == "pushed"
    newer = replace(tools.TOOLS["watchtower-standin"], version="1.21.1")
    monkeypatch.setattr(layout, "CACHE", tmp_path / "cache")
    monkeypatch.setitem(tools.TOOLS, "watchtower-standin", newer)
    assert images.push_watchtower(where) == "pushed"


@needs_skopeo
@pytest.mark.skipif(os.geteuid() != 0, reason="`zerotoil lab` needs root")
def test_the_command_prints_the_digest(registries, monkeypatch):
    for name, where in zip(("OPEN", "PRIVATE"), registries, strict=True):
        monkeypatch.setattr(registry, name, where)
    told = CliRunner().invoke(lab, ["image", "push", "app:1", "--version", "2", "--broken", "--created", "2026-11-01"]).output
    headers, manifest = fetch(registries[0], "app/manifests/1")
    assert told == headers["Docker-Content-Digest"] + "\n"
    config = fetch(registries[0], f"app/blobs/{manifest['config']['digest']}")[1]
    assert config["created"] == "2026-11-01T00:00:00Z"
    assert {"VERSION=2", "BROKEN=1"} <= set(config["config"]["Env"])
    CliRunner().invoke(lab, ["image", "push", "app:2", "--private"], catch_exceptions=False)
    assert registry.has(registries[1], "app:2") and not registry.has(registries[0], "app:2")


def test_a_registry_that_is_down_is_named(loopback):
    with pytest.raises(LabError, match=r"the lab's registry is not up.*zerotoil lab up"):
        images.push("app:1", images.app())


def test_an_image_over_a_packed_layer_has_both_in_their_order(tmp_path):
    """Versions of the PostgreSQL image share the large layer: a host that has one fetches only the config of the next."""
    packed = tmp_path / "below.tar.gz"
    packed.write_bytes(gzip.compress(b"a tar", mtime=0))
    manifests = []
    for version in ("1", "2"):
        image = replace(images.app(version), below=packed)
        blobs = images.oci_layout(tmp_path / version, version, image) / "blobs" / "sha256"
        manifest = json.loads((blobs / _entry(tmp_path / version / "index.json", "manifests")).read_text())
        config = json.loads((blobs / manifest["config"]["digest"].removeprefix("sha256:")).read_text())
        assert config["rootfs"]["diff_ids"][0] == f"sha256:{hashlib.sha256(b'a tar').hexdigest()}"
        assert len(config["rootfs"]["diff_ids"]) == len(manifest["layers"]) == len(config["history"]) == 2
        manifests.append(manifest)
    assert manifests[0]["layers"] == manifests[1]["layers"]
    assert manifests[0]["config"] != manifests[1]["config"]


def test_the_start_of_the_postgres_image_is_a_right_script(tmp_path):
    (tmp_path / "start.sh").write_text(postgres._START)
    subprocess.run(["shellcheck", tmp_path / "start.sh"], check=True, timeout=30)
