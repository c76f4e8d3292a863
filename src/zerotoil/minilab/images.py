"""Container images of the lab: one static program each, made here and pushed to the lab's registries.

`app` is a test app in any version, whole or broken; `watchtower` is the stand-in for Watchtower's image. The same words
give the same bytes (fixed times and owners), so a push that changes nothing changes no digest.
Source: github.com/opencontainers/image-spec (image-layout.md, config.md); HEALTHCHECK is moby's addition to the config.
"""

from __future__ import annotations

import datetime
import gzip
import hashlib
import io
import json
import re
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.minilab import layout, registry
from zerotoil.minilab.commands import run
from zerotoil.minilab.tools import TOOLS, tool

CREATED = "2026-08-18T00:00:00Z"  # old enough for every cooldown
APP_PORT = 8080
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
_NAME = re.compile(r"([a-z0-9]+(?:[._/-][a-z0-9]+)*):([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})")
_CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
_SECOND = 1_000_000_000  # in nanoseconds, as moby writes durations


@dataclass(frozen=True)
class Image:
    """Files of the last layer (path -> content; all may be executed), and the image's config."""

    files: dict[str, bytes]
    config: dict[str, Any]
    created: str = CREATED  # RFC 3339
    below: Path | None = None  # a gzipped tar that is the layer below it


def app(version: str = "1", *, broken: bool = False, created: str = CREATED) -> Image:
    """The test app (`tools/lab-app`). Broken: its server runs, its health check fails."""
    env = ["PATH=/", f"VERSION={version}", f"PORT={APP_PORT}", *(["BROKEN=1"] if broken else [])]
    labels = {"org.opencontainers.image.title": "zerotoil lab app", "org.opencontainers.image.version": version}
    check = {"Test": ["CMD", "/lab-app", "-healthcheck"], "Interval": 2 * _SECOND, "Timeout": 3 * _SECOND, "Retries": 2}
    config = {
        "Entrypoint": ["/lab-app"],
        "Env": env,
        "ExposedPorts": {f"{APP_PORT}/tcp": {}},
        "Healthcheck": check,
        "Labels": labels,
    }
    return Image({"lab-app": tool("lab-app").read_bytes()}, config, iso_time(created))


def watchtower() -> Image:
    """The stand-in for Watchtower. It trusts the lab's CA as the real one trusts the public ones."""
    labels = {
        "zerotoil.standin": "true",
        "org.opencontainers.image.title": "Stand-in for nickfedor/watchtower",
        "org.opencontainers.image.version": TOOLS["watchtower-standin"].version,
        "com.centurylinklabs.watchtower": "true",
    }
    trusted = {_CERTIFICATES: layout.CA_CERT.read_bytes()} if layout.CA_CERT.exists() else {}
    config = {"Entrypoint": ["/watchtower"], "Env": ["PATH=/"], "Labels": labels}
    return Image({"watchtower": tool("watchtower-standin").read_bytes(), **trusted}, config)


def oci_layout(directory: Path, tag: str, image: Image) -> Path:
    """Write the image into `directory` as an OCI layout and return it; `skopeo copy oci:DIRECTORY:TAG …` reads it."""
    layers = [_packed(image.below)] if image.below else []
    layers.append(_layer(image.files))
    packed = [blob(directory, layer, LAYER) for layer, _ in layers]
    return write_layout(directory, tag, config(image.config, image.created, [diff_id for _, diff_id in layers]), packed)


def config(of_containers: dict[str, Any], created: str, diff_ids: list[str]) -> dict[str, Any]:
    """The config of an image of these layers."""
    return {
        "created": created,
        "architecture": "amd64",
        "os": "linux",
        "config": of_containers,
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [{"created": created, "created_by": "zerotoil"}] * len(diff_ids),
    }


def write_layout(directory: Path, tag: str, config: dict[str, Any], layers: list[dict[str, Any]]) -> Path:
    """Make an OCI layout of `directory`, whose blobs the layers (as `blob` describes them) are already."""
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": blob(directory, _json(config), "application/vnd.oci.image.config.v1+json"),
        "layers": layers,
    }
    entry = blob(directory, _json(manifest), "application/vnd.oci.image.manifest.v1+json")
    entry["annotations"] = {"org.opencontainers.image.ref.name": tag}
    (directory / "index.json").write_bytes(_json({"schemaVersion": 2, "manifests": [entry]}))
    (directory / "oci-layout").write_bytes(_json({"imageLayoutVersion": "1.0.0"}))
    return directory


def push(name: str, image: Image, *, to: registry.Registry = registry.OPEN) -> str:
    """Push `image` as NAME:TAG to one of the lab's registries; the digest of its manifest there.

    Raises LabError for a name that is none, a registry that is down, and a push that fails.
    """
    # Docker's own manifest format: podman takes a HEALTHCHECK from no other.
    return push_layout(name, lambda folder, tag: oci_layout(folder, tag, image), to, form="v2s2")


def push_layout(name: str, write: Callable[[Path, str], Path], to: registry.Registry, form: str = "oci") -> str:
    """Push what `write(folder, tag)` lays out as NAME:TAG, with a manifest of that form; raises as `push` does."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise LabError(f"{name!r} is not NAME:TAG", "for instance app:1", code=Code.LAB_NO_SUCH_CHOICE)
    if not registry.is_up(to):
        raise LabError(f"the lab's {to.name} is not up", "run `zerotoil lab up`", code=Code.LAB_STEP_FAILED)
    with tempfile.TemporaryDirectory(prefix="image-") as folder:
        certificates, told = Path(folder) / "certificates", Path(folder) / "digest"
        certificates.mkdir()
        (certificates / "ca.crt").write_bytes(layout.CA_CERT.read_bytes())
        source = write(Path(folder) / "image", match[2])
        # The image was made here a moment ago: there is no signature that a policy of the user's could ask for.
        command = ["skopeo", "--insecure-policy", "copy", "--quiet", "--format", form, "--digestfile", str(told)]
        command += ["--dest-cert-dir", str(certificates)]
        if to.login:
            command += ["--dest-authfile", str(registry.auth_file(to, Path(folder)))]
        run(*command, f"oci:{source}:{match[2]}", f"docker://{to.address}/{name}", timeout=300)
        return told.read_text().strip()


def push_watchtower(to: registry.Registry = registry.OPEN) -> str:
    """Build the stand-in for Watchtower's image and push it, unless this very build is there already."""
    pushed = to.files / "pushed-from"
    build = f"{tool('watchtower-standin')} {_digest(layout.CA_CERT.read_bytes())}"  # the cache names it by its content
    name = layout.WATCHTOWER_IMAGE.partition("/")[2]
    if pushed.exists() and pushed.read_text() == build and registry.has(to, name):
        return "already in the registry"
    push(name, watchtower(), to=to)
    pushed.write_text(build)
    return "pushed"


def iso_time(text: str) -> str:
    """RFC 3339 in UTC from a date, a time, or `now`. Raises LabError for anything else."""
    if text == "now":
        return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        when = datetime.datetime.fromisoformat(text)
    except ValueError:
        remedy = "write for instance 2026-08-18, 2026-08-18T12:00:00Z or now"
        raise LabError(f"{text!r} is no time", remedy, code=Code.LAB_NO_SUCH_CHOICE) from None
    when = when.replace(tzinfo=when.tzinfo or datetime.UTC)
    return when.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _layer(files: dict[str, bytes]) -> tuple[bytes, str]:
    """The gzipped tar, and the digest of the tar itself."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
    return gzip.compress(plain.getvalue(), compresslevel=6, mtime=0), _digest(plain.getvalue())


def _packed(path: Path) -> tuple[bytes, str]:
    """A layer that was packed before, and the digest of the tar in it."""
    content = path.read_bytes()
    return content, _digest(gzip.decompress(content))


def blob(directory: Path, content: bytes, media_type: str) -> dict[str, Any]:
    """Write one blob of an OCI layout; its descriptor."""
    digest = _digest(content)
    path = directory / "blobs" / digest.replace(":", "/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return {"mediaType": media_type, "digest": digest, "size": len(content)}


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
