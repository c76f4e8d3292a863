"""`zerotoil k3s status HOST`, `zerotoil k3s approve HOST UPDATE` and `zerotoil k3s kubeconfig HOST`."""

from __future__ import annotations

from pathlib import Path

import click

from zerotoil.cli.hosts import find, inventory_option
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.spec import HostSpec


@click.group()
def k3s() -> None:
    """A cluster: its nodes, Plans and jobs; its kubeconfig."""


@k3s.command()
@inventory_option
@click.argument("host")
def status(host: str, inventory: Path | None) -> None:
    """Nodes, versions, where the Plans lead, cordons and waiting approvals, with the command that mends what is wrong.

    Exit code 0: all is well, 2: something is to be mended.
    """
    spec = _server(host, inventory)
    from zerotoil.layers import Site
    from zerotoil.resources.cluster import kubectl
    from zerotoil.resources.cluster.status import is_well, lines

    seen = kubectl.status(Site(spec, Path()).guest_now())
    for line in lines(host, spec.k3s.cluster, seen):
        click.echo(line)
    raise SystemExit(0 if is_well(seen) else 2)


@k3s.command()
@inventory_option
@click.option("--reject", is_flag=True, help="Say no to it instead.")
@click.argument("host")
@click.argument("update")
def approve(host: str, update: str, inventory: Path | None, reject: bool) -> None:
    """Let Keel make an update that waits for you; `zerotoil k3s status HOST` names those that do."""
    spec = _server(host, inventory)
    from zerotoil.layers import Site
    from zerotoil.resources.cluster.approvals import decide

    click.echo(decide(Site(spec, Path()).guest_now(), update, reject=reject))


@k3s.command()
@inventory_option
@click.option(
    "--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="File; default: .zerotoil/CLUSTER.kubeconfig"
)
@click.option("--print", "printed", is_flag=True, help="Print it instead: whoever reads it rules the cluster.")
@click.argument("host")
def kubeconfig(host: str, inventory: Path | None, output: Path | None, printed: bool) -> None:
    """Write what kubectl needs on this machine to a file that only you can read."""
    spec = _server(host, inventory)
    from zerotoil.layers import Site
    from zerotoil.layers.kubeconfig import read, write
    from zerotoil.layers.servers import servers
    from zerotoil.resources.hypervisor import address

    site = Site(spec, Path())
    where = address(spec, servers.hypervisor(spec)) or ""
    text = read(site.guest_now(), where, spec.k3s.cluster)
    if printed:
        click.echo(text, nl=False)
        return
    path = output or Path(".zerotoil") / f"{spec.k3s.cluster}.kubeconfig"
    write(path, text)
    click.echo(f"export KUBECONFIG={path.absolute()}")


def _server(host: str, inventory: Path | None) -> HostSpec:
    """The host, which has to be a server of a cluster. Raises LabError."""
    spec = find(host, inventory)
    if spec.k3s.role == "server":
        return spec
    first = spec.k3s_in.first if spec.k3s_in else ""
    remedy = f"ask its server: {first}" if first else "name a host with k3s_role server"
    raise LabError(f"{host} is no server of a cluster", remedy, code=Code.WRONG_OPTION)
