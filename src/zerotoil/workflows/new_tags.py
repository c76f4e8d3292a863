"""The newest allowed tags, set in the owner's compose.yaml: one line each, read back, nothing else touched."""

from __future__ import annotations

import difflib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers.updates.declared import compose_file
from zerotoil.layers.updates.found import HostUpdates
from zerotoil.model.tags import Version
from zerotoil.render.compose_image import set_tag


def new_tags(hosts: Iterable[HostUpdates]) -> dict[tuple[str, str], str]:
    """(app, service) -> tag. Hosts that run one app share its file: it gets the tag that is allowed on each of them."""
    wanted: dict[tuple[str, str], str] = {}
    for update in (update for host in hosts for update in host.containers):
        if update.app and update.newer_tag:
            place, tag = (update.app, update.service), update.newer_tag.tag
            wanted[place] = min(wanted.get(place, tag), tag, key=_order)
    return wanted


def write_tag(root: Path, app: str, service: str, tag: str) -> str:
    """Set the tag of a service and return the difference, as `diff -u` shows it. Raises LabError; then nothing was written."""
    path = compose_file(root, app)
    try:
        with path.open(encoding="utf-8", newline="") as file:  # line ends stay as they are
            before = file.read()
        after = set_tag(before, service, tag)
        if after != before:
            _replace(path.resolve(), after)
    except UnicodeDecodeError as error:
        raise LabError(f"{path} is no text", "write it in UTF-8", code=Code.FILE_UNREADABLE) from error
    except OSError as error:
        what = f"{path} cannot be changed ({error.strerror})"
        raise LabError(what, "check its path and who may write it", code=Code.FILE_UNWRITABLE) from error
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), str(path), str(path), n=1, lineterm="")
    return "".join(f"{line}\n" for line in lines)


def _replace(path: Path, text: str) -> None:
    """Put the text in the file's place, whole or not at all, with the file's own mode; read it back."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
        shutil.copymode(path, draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    with path.open(encoding="utf-8", newline="") as file:
        if file.read() != text:
            raise LabError(f"{path} was not kept as it was written", "look at the disk", code=Code.FILE_UNWRITABLE)


def _order(tag: str) -> tuple[tuple[int, ...], int]:
    version = Version.of(tag)
    return version.order if version else ((), 0)
