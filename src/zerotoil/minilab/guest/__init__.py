"""The stand-in guest image: Debian that behaves like Fedora CoreOS at its first boot.

It boots by BIOS from its own disk and runs the real Ignition (fw_cfg) in its initramfs. It is not Fedora CoreOS: no
ostree, no SELinux enforcing, no UEFI. /etc/os-release says IMAGE_ID=zerotoil-standin.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.minilab.cache import cached
from zerotoil.minilab.tools import tool

RELEASE = "44.20260802.3.1-standin"  # numbered like the Fedora CoreOS release that it stands in for
SUITE = "trixie"
# What the builder needs on Debian; `make setup` installs them.
APT_PACKAGES = (
    "mmdebstrap", "debian-archive-keyring", "gdisk", "e2fsprogs", "qemu-utils", "xz-utils", "gcc", "libc6-dev", "libblkid-dev",
)  # fmt: skip
_HERE = Path(__file__).parent
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_UNNEEDED = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/lib/cni/*")


def guest_image() -> Path:
    """The image as qcow2 (8 GiB, about 0.35 GB on disk); built in about 90 s when not cached. Needs root."""
    ignition = tool("ignition")
    inputs: list[bytes | Path] = [
        ignition, _HERE / "packages.txt", _HERE / "customize.sh", _HERE / "assemble.sh",
        _HERE / "disk.sh", _HERE / "files", RELEASE.encode()
    ]  # fmt: skip
    return cached("guest", inputs, lambda target: _build(ignition, target), suffix=".qcow2")


def packages(listing: Path = _HERE / "packages.txt") -> list[str]:
    """Names of the Debian packages in the image."""
    lines = listing.read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def mirror() -> str:
    """The Debian mirror that this machine's apt uses. LabError when it has none."""
    listing = _run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(SUITE) $(COMPONENT)", "Created-By: Packages"])
    for line in listing.splitlines():
        uri, suite, component = line.split()
        if component == "main" and re.match(r"[a-z]+$", suite) and "/debian" in uri:
            return uri
    raise LabError(
        "apt on this machine knows no Debian mirror",
        remedy="add one to /etc/apt and run apt-get update",
        code=Code.LAB_PART_MISSING,
    )


def _build(ignition: Path, target: Path) -> None:
    if os.geteuid() != 0:
        raise LabError("building the guest image needs root", code=Code.LAB_NEEDS_ROOT)
    work = target.with_name(f"{target.name}.work")  # a fixed name, so that a killed build's is found and removed
    shutil.rmtree(work, ignore_errors=True)
    (work / "disk").mkdir(parents=True)
    try:
        customize = [str(_HERE / "customize.sh"), str(_HERE / "files"), str(ignition), RELEASE]
        hook = f'{shlex.join(customize)} "$1"'
        mmdebstrap(packages(), work / "tree", work / "apt.conf", hook)
        _run([str(_HERE / "assemble.sh"), str(work / "tree"), str(work / "disk"), str(target)])
    finally:
        shutil.rmtree(work, ignore_errors=True)


def mmdebstrap(include: list[str], target: Path, apt_conf: Path, hook: str, form: str = "directory") -> None:
    """Fill `target` with a small Debian and these packages. `hook` is shell that gets the tree as $1.

    The machine's own ways to reach the mirror are used and not left in the result.
    """
    settings = _run(["apt-config", "dump"]).splitlines()
    apt_conf.write_text("\n".join(line for line in settings if line.startswith("Acquire::")) + "\n")
    inside = "etc/apt/apt.conf.d/00builder"
    command = [
        "mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", f"--format={form}",
        *(f"--dpkgopt=path-exclude={path}" for path in _UNNEEDED),
        f"--include={','.join(include)}",
        f"--setup-hook=cp {shlex.quote(str(apt_conf))} \"$1\"/{inside}",
        f"--customize-hook={hook} && rm \"$1\"/{inside}",
        SUITE, str(target), f"deb [signed-by={_KEYRING}] {mirror()} {SUITE} main",
    ]  # fmt: skip
    _run(command, INITRD="No")  # the guest's own comes in customize.sh


def _run(command: list[str], **environment: str) -> str:
    """Standard output of a command that must succeed within half an hour."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=1800, env=os.environ | environment, check=False)
    except FileNotFoundError:
        raise LabError(
            f"{command[0]} is not installed", remedy=f"apt-get install {' '.join(APT_PACKAGES)}", code=Code.LAB_PART_MISSING
        ) from None
    except subprocess.TimeoutExpired:
        raise LabError(f"{command[0]} did not end within half an hour", code=Code.LAB_STEP_FAILED) from None
    if done.returncode:
        raise LabError(
            f"{Path(command[0]).name} failed (exit {done.returncode})",
            remedy="\n".join(done.stderr.strip().splitlines()[-8:]),
            code=Code.LAB_STEP_FAILED,
        )
    return done.stdout
