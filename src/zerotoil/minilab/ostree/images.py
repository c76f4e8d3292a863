"""Container images of the lab's OS: the tree of the guest with ostree, and versions that put files on top of it.

Built without a container engine. The label ostree.final-diffid names the last layer of the OS tree itself, as in the images
of ostree-rs-ext; what lies above counts in /usr and /etc only.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zerotoil.minilab import images, registry
from zerotoil.minilab.ostree.build import RELEASE, Built, build

BASE = "os/base:v1"
Overlay = Path | Mapping[str, bytes | None]  # a folder, or content by path (None takes the file below away)


def push_base(*, to: registry.Registry = registry.OPEN) -> str:
    """Push the tree of the guest's image as it is, as os/base:v1; the digest of its manifest."""
    name, _, tag = BASE.partition(":")
    return push(name, tag, {}, RELEASE, to=to)


def push(
    name: str,
    tag: str,
    overlay: Overlay,
    version: str,
    *,
    labels: Mapping[str, str] | None = None,
    created: str = images.CREATED,
    to: registry.Registry = registry.OPEN,
) -> str:
    """Push the OS tree with `overlay` as one more layer (none when empty) as NAME:TAG; the digest of its manifest.

    `version` is what the system says of itself in `rpm-ostree status`. In a mapping, files that begin with #! are made
    executable. Raises LabError where the tree cannot be built and as `images.push` does.
    """
    tree = build()
    write = lambda folder, tag: oci_layout(folder, tag, tree, overlay, version, dict(labels or {}), created)  # noqa: E731
    return images.push_layout(f"{name}:{tag}", write, to)


def oci_layout(
    directory: Path, tag: str, tree: Built, overlay: Overlay, version: str, labels: dict[str, str], created: str
) -> Path:
    """Write the image into `directory` as an OCI layout, and return it. The tree's layer is linked where it can be."""
    layers, diff_ids = [_linked(directory, tree)], [tree.diff_id]
    plain = layer(overlay)
    if plain:
        layers.append(images.blob(directory, gzip.compress(plain, compresslevel=6, mtime=0), images.LAYER))
        diff_ids.append(f"sha256:{hashlib.sha256(plain).hexdigest()}")
    told = {"containers.bootc": "1", "ostree.bootable": "1", "ostree.final-diffid": tree.diff_id}
    told |= {"org.opencontainers.image.version": version} | labels
    config = images.config({"Labels": told, "Cmd": ["/sbin/init"]}, images.iso_time(created), diff_ids)
    return images.write_layout(directory, tag, config, layers)


def layer(overlay: Overlay) -> bytes:
    """The overlay as a tar: fixed times, all of root; empty for an empty one. Whiteouts are as in OCI's layer.md."""
    entries = _of_folder(overlay) if isinstance(overlay, Path) else [_entry(path, overlay[path]) for path in sorted(overlay)]
    if not entries:
        return b""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for entry, content in entries:
            tar.addfile(entry, io.BytesIO(content))
    return plain.getvalue()


def _entry(path: str, content: bytes | None) -> tuple[tarfile.TarInfo, bytes]:
    where = Path(path.lstrip("/"))
    entry = tarfile.TarInfo(str(where if content is not None else where.with_name(f".wh.{where.name}")))
    entry.mode = 0o755 if (content or b"").startswith(b"#!") else 0o644
    entry.size = len(content or b"")
    return entry, content or b""


def _of_folder(folder: Path) -> list[tuple[tarfile.TarInfo, bytes]]:
    found = []
    for path in sorted(folder.rglob("*")):
        entry = tarfile.TarInfo(str(path.relative_to(folder)))
        entry.mode, content = path.lstat().st_mode & 0o7777, b""
        if path.is_symlink():
            entry.type, entry.linkname = tarfile.SYMTYPE, str(path.readlink())
        elif path.is_dir():
            entry.type = tarfile.DIRTYPE
        else:
            content = path.read_bytes()
            entry.size = len(content)
        found.append((entry, content))
    return found


def _linked(directory: Path, tree: Built) -> dict[str, Any]:
    target = directory / "blobs" / tree.digest.replace(":", "/")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.hardlink_to(tree.layer)
    except OSError:  # another filesystem
        target.symlink_to(tree.layer)
    return {"mediaType": images.LAYER, "digest": tree.digest, "size": tree.layer.stat().st_size}
