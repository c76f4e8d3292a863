"""The `@vm/NAME` connector: SSH to a VM that may not exist yet.

A VM that libvirt says is absent or off is planned as a new machine and connected once it is up. A running VM that
refuses SSH is an error. Before anything else the host's declaration, its NAS and its hypervisor are checked, so that a
bad host drops out with clear lines and the others go on.

Host keys are pinned under the host's name, not its address (like OpenSSH's HostKeyAlias): addresses are reused.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from paramiko import SSHException
from pyinfra.api import StringCommand
from pyinfra.api.exceptions import ConnectError, InventoryError
from pyinfra.connectors.ssh import SSHConnector
from pyinfra.connectors.sshuserclient.client import get_host_keys
from pyinfra.connectors.util import CommandOutput

from zerotoil.edge.inventory import declared
from zerotoil.edge.report import report
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers.project import known_hosts
from zerotoil.layers.servers import servers
from zerotoil.model.data_volume import VolumeState
from zerotoil.model.inventory import Problems
from zerotoil.model.spec import HostSpec
from zerotoil.resources.hypervisor import address, observed
from zerotoil.resources.nas.mark import read_mark
from zerotoil.resources.nas.present import present

_LOST_SECONDS = 10
_SECONDS_BETWEEN_TRIES = 2
_SECONDS_BETWEEN_WORDS = 30


def phases(log: Callable[[str], Any]) -> Callable[[str, float], None]:
    """Says how far a boot is: at each new phase, and at least twice a minute."""
    last, at = "", 0.0

    def say(error: str, seconds: float) -> None:
        nonlocal last, at
        waits_for_address = "has no address" in error
        phase = "no address yet (firmware, kernel, Ignition)" if waits_for_address else "SSH does not answer yet"
        if phase != last or seconds - at >= _SECONDS_BETWEEN_WORDS:
            log(f"booting, {seconds:.0f} s: {phase}")
            last, at = phase, seconds

    return say


def not_accepted(host: str, reason: str) -> LabError:
    """Why SSH answers and lets nobody in, by pyinfra's words."""
    if "host key" in reason.lower():
        remedy = (
            "the guest has another SSH host key than the one pinned in .zerotoil/known_hosts: the data disk is not "
            "mounted, or somebody else answers; look before you remove the pin"
        )
        return LabError(f"{host}: {reason}", remedy, code=Code.HOST_KEY_CHANGED)
    remedy = "check ssh_user, ssh_key and ssh_authorized_keys"
    return LabError(f"{host}: {reason}", remedy, code=Code.SSH_NOT_ACCEPTED)


class VmConnector(SSHConnector):
    """SSH to a VM of the lab, once it is there."""

    client: Any  # paramiko's, None until the VM answers
    __examples_doc__ = """An inventory with one VM: ``docker = [("@vm/docker1", {"data_size": "20 GiB", …})]``"""

    @staticmethod
    def make_names_data(name: str) -> Iterator[tuple[str, dict[str, Any], list[str]]]:
        """`@vm/docker1` is the host docker1. Raises InventoryError for `@vm/`."""
        if not name:
            raise InventoryError("a host without a name")
        yield name, {}, ["vms"]

    @property
    def spec(self) -> HostSpec:
        """What is declared about this host. Raises LabError with all its problems."""
        found = declared(self.host.inventory)
        problems = found.problems_of(self.host.name)
        if problems:
            raise Problems(problems)
        return found.specs[self.host.name]

    def connect(self) -> None:
        """Check declaration, NAS and hypervisor; connect when the VM should answer, else leave it for later."""
        try:
            self._connect_if_up()
        except LabError as error:
            report(self.state).of(self.host.name).failure = error
            raise ConnectError(error.shown) from error

    def _connect_if_up(self) -> None:
        spec = self.spec
        vm = observed(spec, servers.hypervisor(spec))
        nas = servers.nas(spec)
        if not vm.exists or not vm.running:
            return
        mark = read_mark(nas, present(spec, nas))
        if not mark or mark.state is not VolumeState.DATA:
            return  # never seen healthy: an interrupted first boot, waited for when the run gets there
        self._open(timeout=int(self.state.config.CONNECT_TIMEOUT))

    def drop_if_lost(self) -> None:
        """Forget a connection that answers no more, as after a restart in this very run."""
        if self.client is None:
            return
        try:
            self.client.get_transport().open_session(timeout=_LOST_SECONDS).close()
        except (OSError, EOFError, SSHException, AttributeError):  # AttributeError: its transport is gone already
            self.client.close()
            self.client = None

    def wait_until_up(self) -> None:
        """Connect, waiting for a booting guest. Raises LabError after vm_boot_timeout."""
        spec, began = self.spec, time.monotonic()
        deadline, say = began + spec.vm.boot_timeout, phases(self.host.log)
        while self.client is None:
            try:
                self._open(timeout=10)
            except LabError as error:
                say(error.what, time.monotonic() - began)
                if error.code is Code.HOST_KEY_CHANGED or time.monotonic() > deadline:
                    raise LabError(
                        f"{spec.name}: no SSH {spec.vm.boot_timeout} s after the start ({error.what})",
                        f"look at its console: virsh -c {spec.hypervisor.uri} console {spec.name}",
                        code=Code.BOOT_TIMEOUT,
                    ) from error
                time.sleep(_SECONDS_BETWEEN_TRIES)

    def _open(self, timeout: int) -> None:
        spec = self.spec
        where = address(spec, servers.hypervisor(spec))
        if not where:
            raise LabError(f"{spec.name}: the VM has no address yet", "is DHCP answering on its network?", code=Code.NO_ADDRESS)
        try:
            self._socket = socket.create_connection((where, spec.ssh.port), timeout=timeout)
        except OSError as error:
            remedy = f"look at its console: virsh -c {spec.hypervisor.uri} console {spec.name}"
            raise LabError(
                f"{spec.name}: the VM runs but refuses SSH at {where} port {spec.ssh.port} ({error})",
                remedy,
                code=Code.SSH_REFUSED,
            ) from error
        get_host_keys.cache.clear()  # pyinfra memoizes the file, and we may have pinned a key in this very run
        try:
            super().connect()
        except ConnectError as error:
            self.client = None
            raise not_accepted(spec.name, str(error.args[0])) from error

    def make_paramiko_kwargs(self) -> dict[str, Any]:
        """pyinfra's own, with our socket, and the host's name as the name its key is pinned under."""
        kwargs: dict[str, Any] = super().make_paramiko_kwargs()
        root = Path(self.state.cwd or ".")
        return kwargs | {
            "hostname": self.host.name,
            "sock": self._socket,
            "port": 22,  # only part of the pin's name; the socket is connected already
            "username": self.spec.ssh.user,
            "banner_timeout": 60,
            "auth_timeout": 60,
            "_pyinfra_ssh_known_hosts_file": self.data["ssh_known_hosts_file"] or str(known_hosts(root)),
        }

    def run_shell_command(self, command: StringCommand, *args: Any, **kwargs: Any) -> tuple[bool, CommandOutput]:
        """Before the VM exists facts take their defaults ("a new machine"); while executing it is waited for."""
        if self.client is None:
            if not self.state.is_executing:
                return True, CommandOutput([])
            self._wait_or_refuse()
        result: tuple[bool, CommandOutput] = super().run_shell_command(command, *args, **kwargs)
        return result

    def put_file(self, *args: Any, **kwargs: Any) -> bool:
        """As pyinfra's, once the VM is up."""
        if self.client is None:
            if not self.state.is_executing:
                return True
            self._wait_or_refuse()
        return bool(super().put_file(*args, **kwargs))

    def get_file(self, *args: Any, **kwargs: Any) -> bool:
        """As pyinfra's, once the VM is up."""
        if self.client is None:
            if not self.state.is_executing:
                return False
            self._wait_or_refuse()
        return bool(super().get_file(*args, **kwargs))

    def _wait_or_refuse(self) -> None:
        try:
            self.wait_until_up()
        except LabError as error:
            raise OSError(error.shown) from error  # the class of error pyinfra turns into one line per host

    def disconnect(self) -> None:
        """Close what was opened."""
        if self.client is not None:
            super().disconnect()
            self.client.close()
