"""OpenSSH with the keys, addresses and pinned host keys of the deploy.

What runs many scripts in one guest sends them over one connection (OpenSSH's ControlMaster): a login costs far more than what a
script does. The sockets lie in a folder that only this user can enter, and no other process uses them. A guest that goes down
without a word is noticed by ServerAliveInterval, after 45 s; one that libvirt starts anew gets a connection of its own.
"""

from __future__ import annotations

import atexit
import hashlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.spec import HostSpec


def command(spec: HostSpec, address: str, known_hosts: Path) -> list[str]:
    """The ssh command line up to the host. The key is pinned under the host's name, whatever its address."""
    options = {
        "HostKeyAlias": spec.name,
        "UserKnownHostsFile": str(known_hosts.absolute()),
        "StrictHostKeyChecking": "accept-new",
        "HostKeyAlgorithms": "ssh-ed25519",
        "ConnectTimeout": "10",
        "ServerAliveInterval": "15",
    }
    arguments = ["ssh", "-p", str(spec.ssh.port), "-l", spec.ssh.user]
    if spec.ssh.key:
        arguments += ["-i", str(Path(spec.ssh.key).expanduser()), "-o", "IdentitiesOnly=yes"]
    for name, value in options.items():
        arguments += ["-o", f"{name}={value}"]
    return [*arguments, address]


_LEAVING_SECONDS = 5
_IDLE_SECONDS = 30  # after which a connection that nobody closed (the process was killed) ends by itself


@cache
def _sockets() -> Path:
    """The folder of this process's connections; they are closed when it ends."""
    folder = Path(tempfile.mkdtemp(prefix="zerotoil-", dir="/tmp"))  # 0700, and short: a socket's path has at most 100 characters
    atexit.register(_hang_up, folder)
    return folder


def _hang_up(folder: Path) -> None:
    """End them all, at the same time."""
    leaving = [
        subprocess.Popen(
            ["ssh", "-O", "exit", "-S", str(socket), "zerotoil"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for socket in folder.iterdir()
    ]  # fmt: skip
    deadline = time.monotonic() + _LEAVING_SECONDS
    for ssh in leaving:
        try:
            ssh.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            ssh.kill()
    shutil.rmtree(folder, ignore_errors=True)


def _shared(spec: HostSpec, address: str, start: int) -> list[str]:
    """Options that make scripts share a connection: one for each start of the VM, for that of a VM that went off is dead."""
    name = hashlib.sha256(f"{spec.owner} {spec.ssh.user} {spec.ssh.key} {address} {spec.ssh.port} {start}".encode()).hexdigest()
    return ["-o", "ControlMaster=auto", "-o", f"ControlPath={_sockets() / name[:12]}", "-o", f"ControlPersist={_IDLE_SECONDS}"]


_ITS_OWN = 255  # exit code of ssh itself; any other is the script's


def _kind(exit_code: int, said: str) -> Code:
    """Why ssh failed: it has one exit code for all of it, so its words tell."""
    if exit_code != _ITS_OWN:
        return Code.GUEST_COMMAND_FAILED
    if "Host key verification failed" in said:
        return Code.HOST_KEY_CHANGED
    return Code.SSH_NOT_ACCEPTED if "Permission denied" in said else Code.SSH_REFUSED


def shell(spec: HostSpec, address: str, known_hosts: Path, timeout: int = 300, start: int | None = None) -> Callable[[str], str]:
    """Run scripts as root in the guest; a script travels on stdin. With `start`, which is another number after each start of the
    VM, they share a connection with all others of this process.

    Raises LabError with the guest's own words.
    """

    def run(script: str) -> str:
        shared = _shared(spec, address, start) if start is not None else []
        ours = [*shared, "-o", "BatchMode=yes"]
        line = [*command(spec, address, known_hosts)[:-1], *ours, address, "sudo -n sh -s"]
        try:
            done = subprocess.run(line, input=script, capture_output=True, text=True, timeout=timeout)
        except subprocess.TimeoutExpired as error:
            raise LabError(
                f"{spec.name}: no answer over SSH in {timeout} s", "is the guest overloaded?", code=Code.GUEST_SILENT
            ) from error
        if done.returncode:
            raise LabError(
                f"{spec.name}: SSH to {address} failed ({done.stderr.strip()[-300:]})",
                f"zerotoil ssh {spec.name}",
                code=_kind(done.returncode, done.stderr),
            )
        return done.stdout

    return run
