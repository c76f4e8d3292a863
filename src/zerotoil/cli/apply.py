"""`zerotoil apply INVENTORY`: the plan, one question, then the same pyinfra run as by hand."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zerotoil.cli import INTERRUPTED
from zerotoil.cli.hosts import data_option, inventory_argument, limit_option, sites

if TYPE_CHECKING:
    from zerotoil.layers import Site
    from zerotoil.layers.plan import LabPlan

_DEPLOY = Path("deploys/full.py")


@click.command()
@inventory_argument
@limit_option
@data_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def apply(inventory: Path, limit: tuple[str, ...], data: tuple[str, ...], yes: bool) -> None:
    """Show the plan of INVENTORY, ask once, and make it so.

    Exit code 0: it is as declared, 1: something failed, 130: interrupted.
    """
    found, problems = sites(inventory, limit, data)
    from zerotoil.cli.plan_view import show
    from zerotoil.layers.plan import plan_lab

    plan = plan_lab(found, problems)
    show(plan)
    if not any(host.changes for host in plan.hosts):
        _tell(plan, found)  # what pyinfra would do at the end of its run
        raise SystemExit(plan.exit_code)
    for host in plan.hosts:
        if host.changes and host.problems:
            click.echo(f"{host.host}: the deploy will stop at what could not be read; not all of its changes will be made")
    if not yes:
        click.confirm("Make these changes?", abort=True)
    raise SystemExit(_run(inventory, limit, data) or (1 if plan.problems else 0))


def _tell(plan: LabPlan, sites: list[Site]) -> None:
    """Tell of a run that has nothing to do, or cannot."""
    from zerotoil.workflows.tell import Outcome, tell

    specs = {site.spec.name: site.spec for site in sites}
    failed = {problem.host: problem.shown for problem in reversed(plan.problems)}
    failed |= {host.host: host.problems[0].shown.splitlines()[0] for host in plan.hosts if host.problems}
    notices = {host.host: host.notices for host in plan.hosts}
    names = sorted(notices.keys() | failed)
    for line in tell([Outcome(n, specs.get(n), failure=failed.get(n, ""), notices=notices.get(n, ())) for n in names]):
        click.echo(line, err=True)


def _run(inventory: Path, limit: tuple[str, ...], data: tuple[str, ...]) -> int:
    """Run pyinfra and wait for it; its exit code, or 130 when it was interrupted."""
    shipped = Path(__file__).parents[3] / _DEPLOY
    command = [str(Path(sys.executable).parent / "pyinfra"), "-y", str(inventory), str(_DEPLOY if _DEPLOY.exists() else shipped)]
    for option, values in (("--limit", limit), ("--data", data)):
        command += [part for value in values for part in (option, value)]
    interrupts: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: interrupts.append(number))
    try:
        code = subprocess.Popen(command).wait()  # the terminal told pyinfra too; it ends by itself
    finally:
        signal.signal(signal.SIGINT, before)
    if interrupts or code in (-signal.SIGINT, -signal.SIGTERM):
        click.echo("interrupted: what was done stays, the next run goes on from there", err=True)
        return INTERRUPTED  # pyinfra itself would say 0
    return 1 if code else 0
