"""The lab's state folder, its secrets, and the lock that keeps two `lab` commands apart."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import string
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.minilab import layout
from zerotoil.minilab.commands import run

MARK = layout.STATE / "this-is-a-zerotoil-lab"  # without it the folder is somebody else's, and `reset` refuses
PRIVATE = ("tls", "ssh", "nas", "run", "log", "private-registry", "signal")
TRAVERSED = ("pool", "registry", "mirror")  # QEMU's own user passes through STATE and pool to its images


def ensure() -> str:
    """Make the folders with their modes, the SSH key and the servers' secrets, where missing."""
    made = not MARK.exists()
    if made and layout.STATE.exists() and any(layout.STATE.iterdir()):
        raise LabError(
            f"{layout.STATE} exists and is not a lab's folder", "name another in ZEROTOIL_LAB_STATE", code=Code.LAB_STATE
        )
    layout.STATE.mkdir(parents=True, exist_ok=True)
    layout.STATE.chmod(0o711)
    MARK.touch()
    for name in (*PRIVATE, *TRAVERSED):
        folder = layout.STATE / name
        folder.mkdir(exist_ok=True)
        folder.chmod(0o700 if name in PRIVATE else 0o711)
    _ensure_secrets()
    return f"{'made' if made else 'kept'} {layout.STATE}"


def _ensure_secrets() -> None:
    if not layout.NAS_KEY_FILE.exists():
        write_secret(layout.NAS_KEY_FILE, f"1-{_random(64)}\n")  # TrueNAS's form: key id, dash, 64 characters
    if not layout.CHAP_SECRET_FILE.exists():
        write_secret(layout.CHAP_SECRET_FILE, f"{_random(16)}\n")
    if not layout.REGISTRY_PASSWORD_FILE.exists():
        write_secret(layout.REGISTRY_PASSWORD_FILE, f"{_random(24)}\n")
    if not layout.SSH_KEY.exists():
        draft = layout.SSH_KEY.with_name("draft")
        for leftover in (draft, draft.with_name("draft.pub")):
            leftover.unlink(missing_ok=True)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "zerotoil-lab", "-f", str(draft))
        draft.with_name("draft.pub").rename(layout.SSH_KEY.with_name(layout.SSH_KEY.name + ".pub"))
        draft.rename(layout.SSH_KEY)


def _random(length: int) -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))


def write_secret(path: Path, text: str) -> None:
    """Write a file that only root can read, whole or not at all."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.rename(path)


def mounts_below(folder: Path) -> list[str]:
    """Mount points at or under `folder`, deepest first."""
    points = [line.split()[4].replace("\\040", " ") for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    inside = [point for point in points if Path(point).is_relative_to(folder)]
    return sorted(set(inside), key=len, reverse=True)


def remove() -> None:
    """Delete the whole state folder. Refuses where it is not a lab's, or where something is still mounted in it."""
    if not layout.STATE.exists():
        return
    if not MARK.exists():
        raise LabError(f"{layout.STATE} is not a lab's folder", "nothing was removed", code=Code.LAB_STATE)
    still = mounts_below(layout.STATE)
    if still:
        raise LabError(f"{still[0]} is still mounted", f"unmount it; {layout.STATE} was not removed", code=Code.LAB_STATE)
    shutil.rmtree(layout.STATE)


@contextmanager
def lock() -> Iterator[None]:
    """Only one `lab up`, `down` or `reset` at a time; a second one is told so at once."""
    with Path(f"/run/{layout.NAME}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LabError("another `zerotoil lab` command is at work", "wait for it to end", code=Code.LAB_STATE) from error
        yield
