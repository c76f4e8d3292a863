"""The stand-in for Watchtower's container image, as an OCI image layout that skopeo can push.

One layer with one static program; the same bytes for the same program (fixed times and owners).
Source: github.com/opencontainers/image-spec (image-layout.md, config.md).
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

from zerotoil.minilab.tools import TOOLS, tool

_CREATED = "2026-08-18T00:00:00Z"


def oci_layout(directory: Path, tag: str) -> Path:
    """Writes the layout into `directory` and returns it; push with `skopeo copy oci:DIRECTORY:TAG docker://…`."""
    layer, diff_id = _layer(tool("watchtower-standin").read_bytes())
    config = {
        "created": _CREATED,
        "architecture": "amd64",
        "os": "linux",
        "config": {
            "Entrypoint": ["/watchtower"],
            "Env": ["PATH=/"],
            "Labels": {
                "zerotoil.standin": "true",
                "org.opencontainers.image.title": "Stand-in for nickfedor/watchtower",
                "org.opencontainers.image.version": TOOLS["watchtower-standin"].version,
                "com.centurylinklabs.watchtower": "true",
            },
        },
        "rootfs": {"type": "layers", "diff_ids": [diff_id]},
        "history": [{"created": _CREATED, "created_by": "zerotoil"}],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": _blob(directory, _json(config), "application/vnd.oci.image.config.v1+json"),
        "layers": [_blob(directory, layer, "application/vnd.oci.image.layer.v1.tar+gzip")],
    }
    entry = _blob(directory, _json(manifest), "application/vnd.oci.image.manifest.v1+json")
    entry["annotations"] = {"org.opencontainers.image.ref.name": tag}
    (directory / "index.json").write_bytes(_json({"schemaVersion": 2, "manifests": [entry]}))
    (directory / "oci-layout").write_bytes(_json({"imageLayoutVersion": "1.0.0"}))
    return directory


def _layer(program: bytes) -> tuple[bytes, str]:
    """The gzipped tar, and the digest of the tar itself."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        entry = tarfile.TarInfo("watchtower")
        entry.size, entry.mode = len(program), 0o755
        tar.addfile(entry, io.BytesIO(program))
    return gzip.compress(plain.getvalue(), compresslevel=6, mtime=0), _digest(plain.getvalue())


def _blob(directory: Path, content: bytes, media_type: str) -> dict[str, Any]:
    digest = _digest(content)
    path = directory / "blobs" / digest.replace(":", "/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return {"mediaType": media_type, "digest": digest, "size": len(content)}


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
