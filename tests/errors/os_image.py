"""How each failure of an OS image is provoked."""

import os
import shutil
from typing import Any

import pytest

from tests.errors.world import Provoke, World
from tests.os_image import image_folder
from zerotoil.clients.image_engine import Access, ImageEngine
from zerotoil.error_codes import Code
from zerotoil.layers.os_image import ImageFolder
from zerotoil.model.image import ImageRef
from zerotoil.workflows.os_image import build, last_build

LOCK = f"reference ghcr.io/x/y:z\ndigest sha256:{'a' * 64}\n"


def checked(w: World, name: str, text: str) -> Any:
    if not shutil.which("systemd-analyze") or not shutil.which("shellcheck"):
        pytest.skip("systemd-analyze and shellcheck are not installed")
    folder = image_folder(w.tmp / "images")
    w.file(f"images/{name}", text)
    return folder.check()


class Empty(ImageEngine):
    """An engine that builds an image without a list of packages."""

    def build(self, *_: Any) -> str:
        return "id"

    def read(self, *_: Any) -> None:
        return None


def unlisted(w: World) -> Any:
    folder = image_folder(w.tmp / "images")
    w.file("images/base.lock", LOCK)
    w.patch.setattr(ImageFolder, "check", lambda _: None)
    return build(folder, "base", Empty("podman"), Access(), print)


def failing(w: World) -> ImageEngine:
    """An engine that fails at whatever it is asked."""
    program = w.file("bin/podman", "#!/bin/sh\necho no >&2\nexit 1\n")
    program.chmod(0o755)
    w.patch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return ImageEngine("podman")


def nothing_built(w: World) -> Any:
    w.patch.chdir(w.tmp)
    return last_build("base")


CASES: dict[Code, Provoke] = {
    Code.IMAGE_FOLDER: lambda w: ImageFolder(w.tmp).check(),
    Code.CONTAINERFILE_RULE: lambda w: checked(w, "Containerfile", "FROM fedora:latest\n"),
    Code.OVERLAY_PATH: lambda w: checked(w, "overlay/base/opt/x", ""),
    Code.IMAGE_UNIT: lambda w: checked(w, "overlay/base/etc/systemd/system/x.timer", "[Timer]\nOnBootSec=1\nOnn=1\n"),
    Code.IMAGE_SCRIPT: lambda w: checked(w, "overlay/base/etc/x", "#!/bin/sh\necho $1\n"),
    Code.BASE_NOT_PINNED: lambda w: ImageFolder(w.tmp).base,
    Code.IMAGE_BUILD_FAILED: lambda w: failing(w).build(w.tmp, "base", "x", Access()),
    Code.IMAGE_NO_PACKAGES: unlisted,
    Code.IMAGE_PUSH_FAILED: lambda w: failing(w).push("x", ImageRef.parse("ghcr.io/x/y:z"), Access()),
    Code.NO_IMAGE_BUILT: nothing_built,
}
