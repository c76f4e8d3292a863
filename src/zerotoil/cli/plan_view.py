"""A plan on the terminal: its details where there are any, then one line that sums it up."""

from __future__ import annotations

import click

from zerotoil.layers.plan import LabPlan
from zerotoil.layers.summary import in_words


def show(plan: LabPlan, verbose: bool = False) -> None:
    """Print it. Hosts without changes, notices and problems are only counted."""
    if plan.problems or any(host.changes or host.problems or host.notices for host in plan.hosts):
        from zerotoil.cli.plan_details import details  # loads `rich`, which a converged lab does not need

        details(plan, verbose)
    click.secho(in_words(plan), bold=True)
