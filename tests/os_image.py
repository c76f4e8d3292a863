"""What the tests of OS images build: a storage of their own, and a base that is a bit of Debian, made from this machine."""

import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.clients.registry.oci import RealRegistry
from zerotoil.clients.image_engine import Access, ImageEngine
from zerotoil.layers.os_image import ImageFolder
from zerotoil.model.image import ImageRef

PROGRAMS = ("sh", "cat", "mkdir", "dirname", "sort", "rm", "mawk", "dpkg-query", "sed")
STATUS = """Package: {}
Status: install ok installed
Architecture: amd64
Installed-Size: 10
Maintainer: x
Version: {}
Description: x

"""
CONTAINERFILE = """ARG BASE
FROM ${BASE} AS base
COPY overlay/base/ /
RUN sh /usr/libexec/zerotoil/list-packages.sh
FROM base AS more
COPY overlay/more/ /
"""
SHIPPED = Path(__file__).parents[1] / "images"


def engine(folder: Path, patch: pytest.MonkeyPatch) -> ImageEngine:
    """buildah with a storage in `folder`, which is root's to do without a container runtime."""
    if not shutil.which("buildah") or os.geteuid():
        pytest.skip("buildah is not installed, or this is not root")
    folder.mkdir(parents=True, exist_ok=True)
    storage = folder / "storage.conf"
    storage.write_text(f'[storage]\ndriver = "vfs"\ngraphroot = "{folder}/root"\nrunroot = "{folder}/run"\n')
    patch.setenv("CONTAINERS_STORAGE_CONF", str(storage))
    patch.setenv("BUILDAH_ISOLATION", "chroot")
    return ImageEngine("buildah")


def root_tar(path: Path, version: str) -> None:
    """A few programs, the libraries that they name, and a package database with two packages."""
    with tarfile.open(path, "w") as tar:
        names = {Path(shutil.which(name) or "") for name in PROGRAMS}
        for program in sorted(names):
            said = subprocess.run(["ldd", str(program)], capture_output=True, text=True, timeout=10).stdout
            names = names | {Path(found) for found in re.findall(r"(/\S+) \(0x", said)}
        for name in sorted(names):
            real = name.resolve()
            tar.add(real, f"usr/bin/{name.name}" if "bin" in name.parts else f"usr/lib/x86_64-linux-gnu/{name.name}")
        for link, target in (
            ("bin", "usr/bin"),
            ("lib", "usr/lib"),
            ("lib64", "usr/lib/x86_64-linux-gnu"),
            ("usr/bin/awk", "mawk"),
        ):
            entry = tarfile.TarInfo(link)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            tar.addfile(entry)
        status = path.with_name("status")
        status.write_text(STATUS.format("base-files", "13") + STATUS.format("tailscale", version))
        tar.add(status, "var/lib/dpkg/status")
        for folder in ("tmp", "etc", "proc", "sys", "dev", "var/lib/dpkg/info", "var/lib/dpkg/updates"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)


def push_base(folder: Path, made: ImageEngine, registry: RealRegistry, version: str, name: str = "os/base") -> ImageRef:
    """The base on the registry, as NAME:stable. `folder` has the registry's logins."""
    context = folder / f"base-{version}"
    context.mkdir()
    root_tar(context / "root.tar", version)
    (context / "Containerfile").write_text(
        f"FROM scratch AS x\nADD root.tar /\nLABEL org.opencontainers.image.version={version}\n"
    )
    ref = ImageRef.parse(f"{registry.name}/{name}:stable")
    access = Access(folder / "auth.json", registry.ca)
    made.push(made.build(context, "x", "", access), ref, access)
    return ref


def image_folder(root: Path) -> ImageFolder:
    """An owner's folder: the shipped script, and a stage more with a file."""
    script = "overlay/base/usr/libexec/zerotoil/list-packages.sh"
    (root / script).parent.mkdir(parents=True)
    shutil.copy(SHIPPED / script, root / script)
    (root / "overlay/more/etc").mkdir(parents=True)
    (root / "overlay/more/etc/motd").write_text("hello\n")
    (root / "Containerfile").write_text(CONTAINERFILE)
    return ImageFolder(root)
