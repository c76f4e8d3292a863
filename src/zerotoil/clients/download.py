"""Files over HTTP: resumable, verified, in place only when they are right.

Long loops end each round with `time.sleep(0)`: under gevent that lets the other hosts go on.
"""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from zerotoil.error_codes import Code
from zerotoil.errors import LabError

Progress = Callable[[int, int], None]  # bytes done, bytes in all (0: unknown)
CHUNK = 1 << 20
_TIMEOUT = (10, 60)  # seconds to connect, seconds without a byte
_HASTY = (2, 3)


def session(retries: int = 3) -> requests.Session:
    """A session that retries what is safe to retry: GET, on connect errors and passing server troubles."""
    retry = Retry(
        total=retries, backoff_factor=0.5, status_forcelist=(502, 503, 504), allowed_methods=("GET",), raise_on_status=False
    )
    made = requests.Session()
    for scheme in ("http://", "https://"):
        made.mount(scheme, HTTPAdapter(max_retries=retry))
    return made


def read(url: str, remedy: str, patient: bool = True) -> bytes:
    """A small file, whole. Raises LabError when it cannot be had; `remedy` is what to do when it does not exist.

    Not `patient`: one try of a few seconds, for what is good to know but not needed.
    """
    try:
        response = session(3 if patient else 0).get(url, timeout=_TIMEOUT if patient else _HASTY)
        if response.status_code == 404:
            raise LabError(f"{url} does not exist (404)", remedy, code=Code.IMAGE_NOT_FOUND)
        response.raise_for_status()
        return response.content
    except requests.RequestException as error:
        raise LabError(
            f"{url} cannot be read ({_reason(error)})", "check the network and the address", code=Code.DOWNLOAD_FAILED
        ) from error


def get_json(url: str, patient: bool = True) -> object:
    """The JSON behind a URL. Raises LabError when it cannot be had."""
    try:
        return json.loads(read(url, "check os_stream and os_stream_url", patient))
    except ValueError as error:
        raise LabError(f"{url} is no JSON", "check os_stream_url", code=Code.STREAM_UNREADABLE) from error


def download(url: str, target: Path, sha256: str, progress: Progress, unpacks_to: int = 0) -> None:
    """Bring `url` to `target`, resuming what an earlier run left in `target.part`. Raises LabError; a bad file is removed.

    `unpacks_to`: how many times its size must be free besides, since it will be unpacked there.
    """
    part = target.with_name(target.name + ".part")
    have = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        with session().get(url, stream=True, timeout=_TIMEOUT, headers=headers) as response:
            if response.status_code == 404:
                raise LabError(f"{url} does not exist (404)", "check os_image or the stream", code=Code.IMAGE_NOT_FOUND)
            if response.status_code != 416:  # 416: the part is complete already, its checksum decides
                response.raise_for_status()
                if response.status_code != 206 or not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
                    have = 0
                _receive(response, part, have, progress, unpacks_to)
    except requests.RequestException as error:
        raise LabError(
            f"{url} broke off ({_reason(error)})", "run again: what has arrived is kept", code=Code.DOWNLOAD_FAILED
        ) from error
    found = checksum(part)
    if found != sha256:
        part.unlink()
        raise LabError(
            f"{url} has the SHA-256 {found}, expected is {sha256}",
            "the file was removed; check the checksum's source",
            code=Code.IMAGE_DAMAGED,
        )
    part.replace(target)


def _receive(response: requests.Response, part: Path, have: int, progress: Progress, unpacks_to: int) -> None:
    length = int(response.headers.get("Content-Length") or 0)
    total = have + length if length else 0
    need_space(part.parent, length + unpacks_to * total, f"the download of {part.name.removesuffix('.part')}")
    with disk_full_explained(part), part.open("ab" if have else "wb") as file:
        for block in response.iter_content(CHUNK):
            file.write(block)
            have += len(block)
            progress(have, total)
            time.sleep(0)


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(CHUNK):
            digest.update(block)
            time.sleep(0)
    return digest.hexdigest()


def need_space(folder: Path, size: int, what: str) -> None:
    """Raise LabError unless `size` bytes fit into the folder's filesystem."""
    free = shutil.disk_usage(folder).free
    if size > free:
        raise LabError(
            f"no space for {what} in {folder}: {size >> 20} MiB needed, {free >> 20} MiB free",
            "make room there",
            code=Code.DISK_FULL,
        )


@contextmanager
def disk_full_explained(path: Path) -> Iterator[None]:
    """Turn a disk that fills up while `path` is written into a LabError."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise LabError(f"the disk is full ({path})", "make room there, then run again", code=Code.DISK_FULL) from error


def _reason(error: requests.RequestException) -> str:
    """The innermost cause, without requests' own wrapping."""
    cause: BaseException = error
    while cause.args and isinstance(cause.args[0], BaseException):
        cause = cause.args[0]
    return str(getattr(cause, "reason", None) or cause)
