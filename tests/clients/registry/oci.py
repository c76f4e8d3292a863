"""Tiny container images, made here, in a real docker-registry on loopback: pushed by skopeo, asked for by us."""

import base64
import contextlib
import gzip
import hashlib
import io
import json
import shutil
import socket
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def as_json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Image:
    """What an image says about itself; its one layer holds one small file."""

    created: str | None = "2026-08-18T10:00:00.123456789Z"
    labels: dict[str, str] = field(default_factory=dict)
    architecture: str = "amd64"
    content: str = ""

    def layer(self) -> bytes:
        plain = io.BytesIO()
        with tarfile.open(fileobj=plain, mode="w") as tar:
            tar.addfile(tarfile.TarInfo(f"file{self.content}"))
        return plain.getvalue()

    def config(self) -> bytes:
        said: dict[str, Any] = {
            "architecture": self.architecture, "os": "linux", "config": {"Labels": self.labels},
            "rootfs": {"type": "layers", "diff_ids": [digest(self.layer())]},
        }  # fmt: skip
        return as_json(said | ({"created": self.created} if self.created else {}))

    def blobs(self) -> tuple[bytes, list[bytes]]:
        """The manifest, and what it stands on."""
        layer, config = gzip.compress(self.layer(), mtime=0), self.config()
        manifest = {
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": described(config, "application/vnd.oci.image.config.v1+json"),
            "layers": [described(layer, "application/vnd.oci.image.layer.v1.tar+gzip")],
        }  # fmt: skip
        return as_json(manifest), [layer, config]


def described(content: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest(content), "size": len(content)}


def entry_of(image: Image) -> dict[str, Any]:
    return described(image.blobs()[0], MANIFEST) | {"platform": {"os": "linux", "architecture": image.architecture}}


def index_of(*images: Image) -> bytes:
    """An index of images; first an attestation, as BuildKit puts one there."""
    other = described(b"{}", MANIFEST) | {"platform": {"os": "unknown", "architecture": "unknown"}}
    return as_json({"schemaVersion": 2, "mediaType": INDEX, "manifests": [other, *map(entry_of, images)]})


def layout(folder: Path, *images: Image) -> str:
    """An OCI layout with one image, or an index of several; returns the digest that a registry will give for it."""
    shutil.rmtree(folder, ignore_errors=True)
    contents = [blob for image in images for blob in (image.blobs()[0], *image.blobs()[1])]
    top = images[0].blobs()[0]
    if len(images) > 1:
        top = as_json({"schemaVersion": 2, "mediaType": INDEX, "manifests": [*map(entry_of, images)]})
        contents.append(top)
    for content in contents:
        path = folder / "blobs" / digest(content).replace(":", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    entry = described(top, INDEX if len(images) > 1 else MANIFEST) | {"annotations": {"org.opencontainers.image.ref.name": "x"}}
    (folder / "index.json").write_bytes(as_json({"schemaVersion": 2, "manifests": [entry]}))
    (folder / "oci-layout").write_bytes(as_json({"imageLayoutVersion": "1.0.0"}))
    return digest(top)


@dataclass
class RealRegistry:
    """A docker-registry of our own, with a folder of its own."""

    folder: Path
    port: int
    user: str = ""
    password: str = ""
    ca: Path | None = None

    @property
    def name(self) -> str:
        return f"127.0.0.1:{self.port}"

    def push(self, reference: str, *images: Image) -> str:
        """Push an image under "repository:tag"; returns its digest."""
        made = layout(self.folder / "layout", *images)
        login = ["--dest-creds", f"{self.user}:{self.password}"] if self.user else []
        line = [
            "skopeo", "--insecure-policy", "copy", "--quiet", "--all", "--preserve-digests", "--dest-tls-verify=false", *login,
            f"oci:{self.folder / 'layout'}:x", f"docker://{self.name}/{reference}",
        ]  # fmt: skip
        done = subprocess.run(line, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return made

    @property
    def log(self) -> list[str]:
        """The calls it was asked, as "METHOD PATH"."""
        lines = (self.folder / "log").read_text().splitlines()
        return [line.split('"')[1].rpartition(" ")[0] for line in lines if '"' in line and " /v2/" in line and " - - [" in line]

    def forget(self) -> None:
        (self.folder / "log").write_text("")


@contextmanager
def real_registry(folder: Path, *, user: str = "", password: str = "", tls: bool = False) -> Iterator[RealRegistry]:
    """Start Debian's docker-registry on a free port of loopback, and end it afterwards."""
    if not shutil.which("docker-registry") or not shutil.which("skopeo"):
        pytest.skip("docker-registry and skopeo are not installed")
    folder.mkdir(parents=True, exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    made = RealRegistry(folder, port, user, password)
    config: dict[str, Any] = {
        "version": "0.1", "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "files")}}, "http": {"addr": made.name},
    }  # fmt: skip
    if user:
        import bcrypt

        hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
        (folder / "htpasswd").write_text(f"{user}:{hashed}\n")
        config["auth"] = {"htpasswd": {"realm": "test", "path": str(folder / "htpasswd")}}
    if tls:
        made.ca = certificate(folder)
        config["http"]["tls"] = {"certificate": str(folder / "server.crt"), "key": str(folder / "server.key")}
    (folder / "config.json").write_text(json.dumps(config))
    with (folder / "log").open("ab") as log:  # appending: the log may be emptied meanwhile
        process = subprocess.Popen(["docker-registry", "serve", str(folder / "config.json")], stdout=log, stderr=log)
        try:
            _await(process, port, folder / "log")
            yield made
        finally:
            process.terminate()
            process.wait(10)


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _ in range(200):
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError(f"docker-registry did not come up: {log.read_text()}")


def certificate(folder: Path) -> Path:
    """A CA of its own and a certificate for 127.0.0.1; returns the CA's path."""
    import datetime as dt
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    def builder(name: str, key: ec.EllipticCurvePrivateKey, ca: bool) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test CA")])
        return (
            x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )

    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    pem = serialization.Encoding.PEM
    ca = builder("test CA", ca_key, True).sign(ca_key, hashes.SHA256())
    server = builder("127.0.0.1", key, False).add_extension(address, critical=False).sign(ca_key, hashes.SHA256())
    (folder / "ca.crt").write_bytes(ca.public_bytes(pem))
    (folder / "server.crt").write_bytes(server.public_bytes(pem))
    plain = serialization.NoEncryption()
    (folder / "server.key").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return folder / "ca.crt"


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
