"""The parts that an app is read with: ports, images, paths of the host, names of secrets."""

import pytest

from zerotoil.model.compose import Port
from zerotoil.model.compose.hostpath import Where, absolute, where
from zerotoil.model.compose.lint.secrets import secret_name
from zerotoil.model.compose.ports import read_ports
from zerotoil.model.image import ImageRef, names_registry


@pytest.mark.parametrize(
    ("written", "ports"),
    [
        ("80", [Port(80)]),
        (80, [Port(80)]),
        ("8080:80", [Port(80, 8080)]),
        ("8080:80/UDP", [Port(80, 8080, protocol="udp")]),
        ("127.0.0.1::80", [Port(80, None, "127.0.0.1")]),
        ("[::1]:8080:80", [Port(80, 8080, "::1")]),
        ("8000-8001:80-81", [Port(80, 8000), Port(81, 8001)]),
        ("8000-8009:80", [Port(80)]),  # the engine picks one
        ({"target": "80", "published": "8000", "protocol": "tcp"}, [Port(80, 8000)]),
        ({"target": 53, "published": 53, "host_ip": "::", "protocol": "udp"}, [Port(53, 53, "::", "udp")]),
    ],
)
def test_ports(written: object, ports: list[Port]) -> None:
    assert read_ports(written, 0) == ports


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        (Port(80, 80), Port(81, 80), True),
        (Port(80, 80), Port(80, 81), False),
        (Port(80, 80), Port(80, 80, protocol="udp"), False),
        (Port(80), Port(80), False),
        (Port(80, 80, "127.0.0.1"), Port(80, 80), True),
        (Port(80, 80, "127.0.0.1"), Port(80, 80, "0.0.0.0"), True),
        (Port(80, 80, "127.0.0.1"), Port(80, 80, "127.0.0.2"), False),
        (Port(80, 80, "0.0.0.0"), Port(80, 80, "::"), False),
        (Port(80, 80, "::1"), Port(80, 80, "0:0::1"), True),
        (Port(80, 80, "::1"), Port(80, 80, "::"), True),
    ],
)
def test_what_ports_clash(one: Port, other: Port, clash: bool) -> None:
    assert one.clashes(other) is other.clashes(one) is clash


@pytest.mark.parametrize(
    ("image", "parts", "full"),
    [
        ("postgres", ("", "postgres", "", ""), "docker.io/library/postgres"),
        ("docker.io/postgres:17", ("docker.io", "postgres", "17", ""), "docker.io/library/postgres"),
        ("a/b:1", ("", "a/b", "1", ""), "docker.io/a/b"),
        ("ghcr.io/a/b/c:v1.2-x_y", ("ghcr.io", "a/b/c", "v1.2-x_y", ""), "ghcr.io/a/b/c"),
        ("localhost:5000/a", ("localhost:5000", "a", "", ""), "localhost:5000/a"),
        ("registry:5000/a:1", ("registry:5000", "a", "1", ""), "registry:5000/a"),
        ("x.lan/a__b--c.d@sha256:" + "0" * 64, ("x.lan", "a__b--c.d", "", "sha256:" + "0" * 64), "x.lan/a__b--c.d"),
    ],
)
def test_images(image: str, parts: tuple[str, ...], full: str) -> None:
    found = ImageRef.parse(image)
    registry, _, tag, digest = parts
    assert (names_registry(image), found.tag, found.digest) == (bool(registry), tag, digest)
    assert found.name == full


@pytest.mark.parametrize("image", ["", "A", "a:", "a:1:2", "a/", "/a", "a b", "a@sha256:00", "https://ghcr.io/a:1"])
def test_what_is_no_image(image: str) -> None:
    with pytest.raises(ValueError, match="is no|id of an image"):
        ImageRef.parse(image)


@pytest.mark.parametrize(
    ("source", "path", "kind"),
    [
        ("./data", "/var/mnt/data/apps/shop/data", Where.OWN),
        (".", "/var/mnt/data/apps/shop", Where.OWN),
        ("/mnt/data/apps/shop/x/../y", "/var/mnt/data/apps/shop/y", Where.OWN),
        ("../shop2", "/var/mnt/data/apps/shop2", Where.DATA),
        ("/var/mnt/data/music", "/var/mnt/data/music", Where.DATA),
        ("/var/mnt/data/.zerotoil/ssh", "/var/mnt/data/.zerotoil/ssh", Where.SYSTEM),
        ("/var/mnt/data/zerotoil", "/var/mnt/data/zerotoil", Where.SYSTEM),
        ("/mnt/data", "/var/mnt/data", Where.SYSTEM),
        ("..", "/var/mnt/data/apps", Where.SYSTEM),
        ("~/x", "/var/roothome/x", Where.SYSTEM),
        ("/home/core", "/var/home/core", Where.SYSTEM),
        ("/", "/", Where.ROOT),
        ("/sysroot", "/sysroot", Where.ROOT),
        ("../../../../../..", "/", Where.ROOT),
        ("/etc", "/etc", Where.ETC),
        ("/etc/passwd", "/etc/passwd", Where.ETC),
        ("/etcetera", "/etcetera", Where.SYSTEM),
        ("/var/run/docker.sock", "/run/docker.sock", Where.SOCKET),
        ("/run/podman/podman.sock", "/run/podman/podman.sock", Where.SOCKET),
        ("/run/user/1000/podman/podman.sock", "/run/user/1000/podman/podman.sock", Where.SOCKET),
        ("/var/run", "/run", Where.SOCKET),
        ("/run/dbus/system_bus_socket", "/run/dbus/system_bus_socket", Where.SYSTEM),
    ],
)
def test_paths_of_the_host(source: str, path: str, kind: Where) -> None:
    assert absolute("shop", source) == path
    assert where("shop", path) is kind


def test_what_is_named_like_a_secret() -> None:
    for name in ("PASSWORD", "db_pass", "POSTGRES_PASSWORD", "API_KEY", "apiKey", "adminPassword", "AWS_SECRET_ACCESS_KEY",
                 "TOKEN1", "SECRET_KEY_BASE", "JWT_SECRET", "SMTP-PASSWORD", "X_APIKEY", "MASTER_KEY",
                 "SIGNING_KEY"):  # fmt: skip
        assert secret_name(name), name
    for name in ("POSTGRES_PASSWORD_FILE", "PWD", "PASSWORD_MIN_LENGTH", "TOKEN_EXPIRY", "KEY", "PUBLIC_KEY", "COMPASS",
                 "TRESPASS", "SECRETS_DIR", "MONKEY", "BYPASS"):  # fmt: skip
        assert not secret_name(name), name
