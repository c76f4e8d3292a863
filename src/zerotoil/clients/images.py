"""OS images: from Fedora CoreOS stream metadata, or one by URL or path. Never used unverified.

Source: https://builds.coreos.fedoraproject.org/streams/STREAM.json; `sha256` covers the .xz, `uncompressed-sha256`
the qcow2 inside.
"""

from __future__ import annotations

import fcntl
import hashlib
import lzma
import re
import shutil
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from zerotoil.clients.download import CHUNK, Progress, checksum, disk_full_explained, download, get_json, need_space, read
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.os_updates import OsSpec

_UNPACKS_TO = 3  # times the packed size, at most: what Fedora CoreOS images take
_LOCK_SECONDS = 3600  # how long to wait while another host fetches the same image
_GPGV_SECONDS = 300


@dataclass(frozen=True)
class ImageSource:
    """Where an image comes from, and what proves it."""

    release: str
    location: str  # URL or path, .qcow2 or .qcow2.xz
    sha256: str  # of the file as it is stored there
    unpacked_sha256: str = ""
    signature: str = ""
    keyring: Path | None = None


@dataclass(frozen=True)
class LocalImage:
    """A verified qcow2 on the controller. `sha256` is the qcow2's own; `virtual_size` in bytes."""

    path: Path
    release: str
    sha256: str
    virtual_size: int


def resolve(os: OsSpec, *, patient: bool = True) -> ImageSource:
    """The image that is declared: the stream's newest, or os_image. Reads the stream's metadata."""
    if os.image:
        stem = re.sub(r"\.qcow2(\.xz)?$", "", os.image.rsplit("/", 1)[-1])
        return ImageSource(_fit(stem), os.image, os.image_sha256 or "")
    url = f"{os.stream_url.rstrip('/')}/{os.stream}.json"
    metadata = get_json(url, patient)
    try:
        qemu = metadata["architectures"]["x86_64"]["artifacts"]["qemu"]  # type: ignore[index]
        disk = qemu["formats"]["qcow2.xz"]["disk"]
        signature = disk.get("signature", "") if os.keyring else ""
        return ImageSource(
            _fit(qemu["release"]), disk["location"], disk["sha256"], disk["uncompressed-sha256"], signature, os.keyring
        )
    except (KeyError, TypeError) as error:
        raise LabError(
            f"{url} is no stream metadata of Fedora CoreOS (no {error})", "check os_stream_url", code=Code.STREAM_UNREADABLE
        ) from error


def fetch(source: ImageSource, cache: Path, progress: Progress) -> LocalImage:
    """The image as a verified qcow2 in `cache`; nothing is read from the network when it is there.

    Hosts that ask together wait for the first. An image kept without a signature check does not count as a checked one.
    """
    cache = cache.expanduser()
    cache.mkdir(parents=True, exist_ok=True)
    target = cache / f"{source.release}-{source.sha256[:12]}{'-signed' if source.keyring else ''}.qcow2"
    proof = target.with_name(target.name + ".sha256")  # written last: without it the image is not taken for whole
    if not (target.exists() and proof.exists()):
        with _alone(target.with_suffix(".lock")):
            if not (target.exists() and proof.exists()):
                stored = _stored(source, cache, progress)
                _check_signature(source, stored, cache)
                proof.write_text(_unpack(source, stored, target))
                if stored.is_relative_to(cache):
                    stored.unlink(missing_ok=True)
    return LocalImage(target, source.release, proof.read_text(), _virtual_size(target))


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock file. Polls: a blocking wait would stop the very greenlet that holds it."""
    deadline = time.monotonic() + _LOCK_SECONDS
    with path.open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise LabError(
                        f"another run has held {path} for an hour", "look for that run", code=Code.ANOTHER_RUN
                    ) from None
                time.sleep(0.2)
        yield


def _stored(source: ImageSource, cache: Path, progress: Progress) -> Path:
    """The file as its source stores it, verified."""
    if re.match(r"https?://", source.location):
        name = f"{source.release}-{source.sha256[:12]}.download"
        if not (cache / name).exists():
            times = _UNPACKS_TO if source.location.endswith(".xz") else 1
            download(source.location, cache / name, source.sha256, progress, unpacks_to=times)
        return cache / name
    path = Path(source.location).expanduser()
    if not path.is_file():
        raise LabError(
            f"os_image {path} does not exist", "give the path or URL of a .qcow2 or .qcow2.xz", code=Code.IMAGE_NOT_FOUND
        )
    found = checksum(path)
    if found != source.sha256:
        raise LabError(
            f"os_image {path} has the SHA-256 {found}, declared is {source.sha256}",
            "check os_image_sha256",
            code=Code.IMAGE_DAMAGED,
        )
    return path


def _unpack(source: ImageSource, stored: Path, target: Path) -> str:
    """Unpack (or copy) to `target`; returns the qcow2's SHA-256. Nothing stays behind when it is not right."""
    part = target.with_name(target.name + ".part")
    try:
        found = _write(stored, part)
        if source.unpacked_sha256 and found != source.unpacked_sha256:
            raise LabError(
                f"{source.location} unpacked has the SHA-256 {found}, expected is {source.unpacked_sha256}",
                "the file was removed; check the stream's metadata",
                code=Code.IMAGE_DAMAGED,
            )
        _virtual_size(part, source.location)
        part.replace(target)
        return found
    except (lzma.LZMAError, EOFError) as error:
        raise LabError(
            f"{source.location} cannot be unpacked ({error})", "the file is damaged at its source", code=Code.IMAGE_DAMAGED
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _write(stored: Path, part: Path) -> str:
    digest = hashlib.sha256()
    with stored.open("rb") as file:
        is_xz = file.read(6) == b"\xfd7zXZ\0"
    need_space(part.parent, stored.stat().st_size * (_UNPACKS_TO if is_xz else 1), f"unpacking {stored.name}")
    with disk_full_explained(part), lzma.open(stored) if is_xz else stored.open("rb") as packed, part.open("wb") as unpacked:
        while block := packed.read(CHUNK):
            digest.update(block)
            unpacked.write(block)
            time.sleep(0)
    return digest.hexdigest()


def _check_signature(source: ImageSource, stored: Path, cache: Path) -> None:
    """The stream's detached signature, when os_keyring is set."""
    if not source.keyring:
        return
    if not shutil.which("gpgv"):
        raise LabError(
            "os_keyring is set, but gpgv is not installed", "install gpgv, or leave os_keyring out", code=Code.TOOL_MISSING
        )
    if not source.signature:
        raise LabError(
            f"{source.location} has no signature in the stream's metadata", "leave os_keyring out", code=Code.SIGNATURE
        )
    signature = cache / (stored.name + ".sig")
    signature.write_bytes(read(source.signature, "leave os_keyring out, or use another stream"))
    keyring = source.keyring.expanduser().absolute()  # gpgv would look up a bare name in ~/.gnupg
    line = ["gpgv", "--keyring", str(keyring), str(signature), str(stored)]
    try:
        done = subprocess.run(line, capture_output=True, text=True, timeout=_GPGV_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise LabError(f"gpgv did not answer in {_GPGV_SECONDS} s", "run again", code=Code.TOOL_FAILED) from error
    finally:
        signature.unlink()
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise LabError(f"the signature of {source.location} is not good ({said})", "do not boot this image", code=Code.SIGNATURE)


def _virtual_size(path: Path, name: object = "") -> int:
    """Size of the disk in a qcow2 that stands alone, in bytes. Source: QEMU docs/interop/qcow2.rst (header)."""
    with path.open("rb") as file:
        header = file.read(104).ljust(104, b"\0")
    if header[:4] != b"QFI\xfb":
        raise LabError(
            f"{name or path} is no qcow2 image",
            "os_image is a .qcow2 or .qcow2.xz; convert with qemu-img convert -O qcow2",
            code=Code.IMAGE_UNFIT,
        )
    version, backing, size, features = struct.unpack(">4xIQ8xQ40xQ24x", header)
    if backing or (version >= 3 and features & 0b100):
        raise LabError(
            f"{name or path} depends on another {'image' if backing else 'file'}",
            "flatten it with qemu-img convert -O qcow2",
            code=Code.IMAGE_UNFIT,
        )
    return int(size)


def _fit(release: str) -> str:
    """A release as part of a volume's name."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", release) or "image"
