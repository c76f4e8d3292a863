"""The signature policy that os.sh gives a host, judged by containers/image itself: the library that rpm-ostree, bootc, podman
and skopeo verify with. Debian's skopeo has sigstore taken out, so tools/image-copy is built: the same flags, the same library.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.registry.oci import Image, RealRegistry, real_registry
from tests.resources.guest.os_machine import Machine
from zerotoil.clients.image_engine import Access
from zerotoil.clients.registry import Registry
from zerotoil.clients.skopeo import sign
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.minilab.tools import tool
from zerotoil.model.image import ImageRef
from zerotoil.model.registry import RegistrySpec
from zerotoil.render.signature_policy import registries
from zerotoil.workflows.os_image import is_signed


@pytest.fixture(scope="module")
def program() -> str:
    return str(tool("image-copy"))


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    with real_registry(tmp_path_factory.mktemp("registry"), tls=True) as made:
        yield made


class Host:
    """A host with podman after `os.sh install` with the owner's public key; and the owner's and a stranger's keys."""

    def __init__(self, folder: Path, program: str, registry: RealRegistry) -> None:
        self.folder, self.program, self.registry = folder, program, registry
        self.passphrase = self.file("passphrase", "s3cret\n")
        for name in ("owner", "stranger"):
            prefix, phrase = f"--output-prefix={folder / name}", f"--passphrase-file={self.passphrase}"
            subprocess.run([program, "generate-sigstore-key", prefix, phrase], check=True, timeout=60)
        guest = Machine(folder / "guest", engine="podman", strategy="off")
        guest.declare(reference=f"ostree-image-signed:docker://{registry.name}/os:stable", signed=True)
        (guest.data / "zerotoil/os/cosign.pub").write_text((folder / "owner.pub").read_text())
        guest.install()
        containers = guest.root / "etc/containers"
        there = (containers / "policy.json").read_text().replace('"/etc/pki/', f'"{guest.root}/etc/pki/')
        self.policy = self.file("policy.json", there)
        self.file("registries.d/zerotoil-os.yaml", (containers / "registries.d/zerotoil-os.yaml").read_text())
        self.file("certificates/ca.crt", (registry.ca or Path()).read_text())

    def file(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def sign(self, tag: str, key: str) -> None:
        ref = ImageRef.parse(f"{self.registry.name}/os:{tag}")
        sign(ref, self.folder / f"{key}.private", self.passphrase, Access(ca=self.registry.ca), self.program)

    def takes(self, reference: str) -> str:
        """Nothing, or why it is refused."""
        line = [
            self.program, "--policy", str(self.policy), "--registries.d", str(self.folder / "registries.d"), "copy",
            "--src-cert-dir", str(self.folder / "certificates"), reference, f"dir:{self.folder / 'taken'}",
        ]  # fmt: skip
        done = subprocess.run(line, capture_output=True, text=True, timeout=60)
        assert bool(done.returncode) == bool(done.stderr)
        return done.stderr.strip()


@pytest.fixture
def host(tmp_path: Path, program: str, registry: RealRegistry) -> Host:
    return Host(tmp_path, program, registry)


def test_only_what_the_owner_signed_is_taken(host: Host, registry: RealRegistry) -> None:
    for tag in ("unsigned", "owner", "stranger"):
        registry.push(f"os:{tag}", Image(labels={"tag": tag}))
    host.sign("owner", "owner")
    host.sign("stranger", "stranger")
    where = f"docker://{registry.name}/os"
    assert host.takes(f"{where}:owner") == ""
    assert "A signature was required, but no signature exists" in host.takes(f"{where}:unsigned")
    assert "cryptographic signature verification failed" in host.takes(f"{where}:stranger")


def test_a_signature_of_another_repository_does_not_do(host: Host, registry: RealRegistry) -> None:
    """Signed by the owner as something else (an app), and copied with its signature to where the OS is from."""
    registry.push("app:1", Image(labels={"tag": "app"}))
    host.file("registries.d/app.yaml", registries(f"{registry.name}/app"))
    sign(
        ImageRef.parse(f"{registry.name}/app:1"),
        host.folder / "owner.private",
        host.passphrase,
        Access(ca=registry.ca),
        host.program,
    )
    trusted = host.file("all.json", json.dumps({"default": [{"type": "insecureAcceptAnything"}]}))
    certificates = str(host.folder / "certificates")
    line = [
        host.program, "--policy", str(trusted), "--registries.d", str(host.folder / "registries.d"), "copy",
        "--src-cert-dir", certificates, "--dest-cert-dir", certificates,
        f"docker://{registry.name}/app:1", f"docker://{registry.name}/os:moved",
    ]  # fmt: skip
    subprocess.run(line, check=True, timeout=60)
    assert "is not accepted" in host.takes(f"docker://{registry.name}/os:moved")


def test_what_is_signed_is_known(host: Host, registry: RealRegistry) -> None:
    """So a push that was cut off before its signature gets one by the next push, and no second one after that."""
    ref = ImageRef.parse(f"{registry.name}/os:known")
    digest = registry.push("os:known", Image(labels={"tag": "known"}))
    asked = RegistrySpec(ca=registry.ca)
    assert not is_signed(ref, digest, Registry(asked))
    host.sign("known", "owner")
    assert is_signed(ref, digest, Registry(asked))
    assert not is_signed(ref, "sha256:" + "0" * 64, Registry(asked))


def test_what_apps_pull_is_not_asked_for_a_signature(host: Host, registry: RealRegistry) -> None:
    registry.push("web:1", Image(labels={"tag": "web"}))
    assert host.takes(f"docker://{registry.name}/web:1") == ""


def test_a_wrong_passphrase_is_said(host: Host, registry: RealRegistry) -> None:
    registry.push("os:wrong", Image(labels={"tag": "wrong"}))
    host.passphrase.write_text("wrong")
    with pytest.raises(
        LabError, match=rf"{registry.name}/os:wrong was not signed \(.*\): is the login in --authfile right"
    ) as caught:
        host.sign("wrong", "owner")
    assert caught.value.code is Code.IMAGE_PUSH_FAILED
    assert "s3cret" not in str(caught.value)
