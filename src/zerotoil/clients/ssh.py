"""OpenSSH with the keys, addresses and pinned host keys of the deploy."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
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


_ITS_OWN = 255  # exit code of ssh itself; any other is the script's


def _kind(exit_code: int, said: str) -> Code:
    """Why ssh failed: it has one exit code for all of it, so its words tell."""
    if exit_code != _ITS_OWN:
        return Code.GUEST_COMMAND_FAILED
    if "Host key verification failed" in said:
        return Code.HOST_KEY_CHANGED
    return Code.SSH_NOT_ACCEPTED if "Permission denied" in said else Code.SSH_REFUSED


def shell(spec: HostSpec, address: str, known_hosts: Path, timeout: int = 300) -> Callable[[str], str]:
    """Run scripts as root in the guest; a script travels on stdin. Raises LabError with the guest's own words."""

    def run(script: str) -> str:
        line = [*command(spec, address, known_hosts)[:-1], "-o", "BatchMode=yes", address, "sudo -n sh -s"]
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
