"""What this machine needs, whatever the inventory: Python, libvirt's library, Butane, OpenSSH, access to its libvirt."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import sys
from collections.abc import Callable

from zerotoil.doctor.check import Check, attempt, failure, ok, warning
from zerotoil.doctor.packages import Family, as_root, install, join_libvirt_group
from zerotoil.error_codes import Code
from zerotoil.errors import LabError

PYTHON = (3, 11)
BUTANE = (0, 23, 0)  # the first that knows fcos 1.6.0, which templates/host.bu.j2 is written in
_SECONDS = 10
_SOCKETS = " ".join(f"virt{part}d.socket" for part in ("qemu", "storage", "network", "secret", "nodedev"))
DAEMONS = {Family.DEBIAN: "libvirtd", Family.FEDORA: _SOCKETS, Family.RED_HAT: _SOCKETS, Family.UNKNOWN: "libvirtd"}
_NOT_RUNNING = ("No such file or directory", "Connection refused")
_NOT_ALLOWED = ("Permission denied", "authentication", "polkit", "access denied")


def checks(family: Family) -> list[Check]:
    """All of this machine, but for its libvirt daemon."""
    looks: dict[str, Callable[[], Check]] = {
        "python": lambda: python(sys.version_info[:3], family),
        "libvirt library": lambda: library(family),
        "butane": lambda: butane(family),
        "ignition-validate": lambda: ignition_validate(family),
        "ssh": lambda: ssh(family),
        "virsh": lambda: virsh(family),
    }
    return [attempt(name, look) for name, look in looks.items()]


def python(version: tuple[int, ...], family: Family) -> Check:
    """Python is new enough."""
    found = ".".join(map(str, version))
    if version < PYTHON:
        return failure("python", f"{found}, needed is {PYTHON[0]}.{PYTHON[1]}", install("python", family))
    return ok("python", found)


def library(family: Family) -> Check:
    """libvirt's client library can be imported. Its absence has two causes with different cures."""
    name = "libvirt library"
    try:
        found = importlib.import_module("libvirt")
    except ModuleNotFoundError:
        fix = f"{install('libvirt headers', family)}, then {sys.executable} -m pip install libvirt-python"
        return failure(name, "the Python module libvirt is not installed", fix)
    except ImportError as error:
        return failure(name, f"the Python module libvirt cannot be loaded ({error})", install("libvirt library", family))
    return ok(name, dotted(found.getVersion()))


def butane(family: Family) -> Check:
    """Butane is there and knows the version of our templates."""
    from zerotoil.clients.butane import find

    path = find("butane")
    if not path:
        return failure("butane", "not installed", install("butane", family))
    said = _answer([path, "--version"])
    match = re.search(r"(\d+)\.(\d+)\.(\d+)", said)
    if not match:
        return warning("butane", f"{path} says {said!r} for its version", install("butane", family))
    if tuple(map(int, match.groups())) < BUTANE:
        needed = ".".join(map(str, BUTANE))
        return failure("butane", f"{match[0]} in {path}, needed is {needed}", install("butane", family))
    return ok("butane", f"{match[0]} in {path}")


def ignition_validate(family: Family) -> Check:
    """The second opinion on the first-boot configuration; without it only Butane looks."""
    from zerotoil.clients.butane import find

    path = find("ignition-validate")
    if not path:
        return warning("ignition-validate", "not installed: only Butane checks configs", install("ignition-validate", family))
    return ok("ignition-validate", f"{_answer([path, '--version'])} in {path}")


def ssh(family: Family) -> Check:
    """OpenSSH, by which guests and remote hypervisors are reached."""
    path = shutil.which("ssh")
    if not path:
        return failure("ssh", "not installed", install("ssh", family))
    return ok("ssh", _answer([path, "-V"]))


def virsh(family: Family) -> Check:
    """libvirt's own command: nothing calls it, but the ways out that are printed use it."""
    path = shutil.which("virsh")
    if not path:
        return warning("virsh", "not installed; only people need it", install("virsh", family))
    return ok("virsh", path)


def daemon(family: Family) -> Check:
    """May this user manage this machine's libvirt? Asked without an inventory, so its absence may be right."""
    from zerotoil.clients.hypervisor import Hypervisor, HypervisorError

    name = "qemu:///system"
    try:
        hypervisor = Hypervisor.connect(name, _SECONDS)
        version = hypervisor.run("ask for its version", hypervisor.connection.getLibVersion)
    except HypervisorError as error:
        found = f"{error.what} (not needed when the hypervisor is another machine)"
        return warning(name, found, daemon_fix(error.what, family))
    return ok(name, f"libvirt {dotted(version)}")


def daemon_fix(said: str, family: Family) -> str:
    """What helps against what a local libvirt said: join its group, or install and start it."""
    if any(words in said for words in _NOT_ALLOWED):
        return join_libvirt_group()
    if any(words in said for words in _NOT_RUNNING):
        return f"{install('libvirt daemon', family)}, then {as_root(f'systemctl enable --now {DAEMONS[family]}')}"
    return "see what it says: virsh -c qemu:///system version"


def dotted(version: int) -> str:
    """libvirt's number for a version: 9000000 -> "9.0.0"."""
    return f"{version // 1_000_000}.{version // 1000 % 1000}.{version % 1000}"


def _answer(line: list[str]) -> str:
    """The first line a program says; ssh says its version on stderr. Raises LabError when it cannot be run."""
    try:
        done = subprocess.run(line, capture_output=True, text=True, timeout=_SECONDS, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{line[0]} did not answer in {_SECONDS} s", "run it by hand", code=Code.TOOL_FAILED) from error
    except OSError as error:
        raise LabError(f"{line[0]} cannot be run ({error.strerror})", "install it anew", code=Code.TOOL_FAILED) from error
    return ((done.stdout or done.stderr).strip().splitlines() or [""])[0]
