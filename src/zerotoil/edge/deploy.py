"""The full deploy of one host, layer by layer, and how its scripts reach the guest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from paramiko import SSHException
from pyinfra import host as current_host
from pyinfra.api import StringCommand
from pyinfra.api.host import Host

from zerotoil.edge import operations
from zerotoil.edge.inventory import declared
from zerotoil.error_codes import Code
from zerotoil.errors import LabError, Several
from zerotoil.layers import LAYERS, Layer, Site
from zerotoil.workflows.migrate import with_image
from zerotoil.workflows.migrate_journey import Wish


def full() -> None:
    """Everything that is declared about the current host."""
    host = current_host
    spec = declared(host.inventory).specs[host.name]
    site = Site(spec, Path(host.state.cwd or "."), say=lambda text: host.log(text), shell=shell(host))
    site.reconnect = host.connector.drop_if_lost
    if problems := site.app_problems():
        operations.refuse(name="apps: preconditions", error=Several(problems))
        return
    if problems := site.cluster_problems():
        operations.refuse(name="cluster: preconditions", error=Several(problems))
        return
    waited = False
    for layer in LAYERS:
        if layer.in_guest and not waited:
            operations.reachable(name="guest: reachable")
            waited = True
        if not _keep_all(host, layer, site):
            return
    operations.worth_knowing(name="worth knowing", site=site)


def migrate() -> None:
    """Swap the current host's OS disk: `zerotoil migrate`, told by --data what to do."""
    host = current_host
    asked = host.inventory.get_override_data() or {}
    # no shell of pyinfra's: its connection ends with the OS that it was made to
    site = Site(declared(host.inventory).specs[host.name], Path(host.state.cwd or "."), say=lambda text: host.log(text))
    try:
        wish = Wish(back=_yes(asked, "back"), force_off=_yes(asked, "force_off"))
        stream = "" if "os_image" in asked else str(asked.get("os_stream", ""))  # it wins over an os_image of the inventory
        operations.migrate(name="migrate", site=with_image(site, stream=stream), wish=wish)
    except LabError as error:
        operations.refuse(name="migrate: preconditions", error=error)


def _yes(asked: dict[str, Any], key: str) -> bool:
    given = str(asked.get(key, "no")).lower()
    if given not in ("yes", "no", "true", "false"):
        raise LabError(f"--data {key}={given} is neither yes nor no", f"write --data {key}=yes", code=Code.WRONG_OPTION)
    return given in ("yes", "true")


def _keep_all(host: Host, layer: Layer, site: Site) -> bool:
    try:
        resources = layer.resources(site)
    except LabError as error:
        operations.refuse(name=f"{layer.title}: preconditions", error=error)
        return False
    for resource in host.loop(resources):
        name = f"{layer.title}: {operations.kind(resource)}"
        operations.keep(name=name, resource=resource, needs_guest=layer.in_guest)
    return True


def shell(host: Host) -> Callable[[str], str]:
    """Run a script as root in the guest over pyinfra's connection; the script travels on stdin."""

    def run(script: str) -> str:
        try:
            ok, output = host.run_shell_command(StringCommand("sudo", "-n", "sh", "-s"), _stdin=script, _timeout=300)
        except (OSError, EOFError, SSHException) as error:  # a timeout is an OSError, too
            raise LabError(
                f"{host.name}: the guest stopped answering ({error or 'timeout'})",
                "run again when it is up",
                code=Code.GUEST_SILENT,
            ) from error
        if not ok:
            lines = "; ".join(output.stderr_lines[-3:]) or "no message"
            raise LabError(
                f"{host.name}: a command in the guest failed ({lines})",
                f"zerotoil ssh {host.name}",
                code=Code.GUEST_COMMAND_FAILED,
            )
        return str(output.stdout)

    return run
