"""Runs one change of the lab's host and kills itself with SIGKILL after one step of it, as a crash or a power cut would.

    python -m tests.e2e.cut_off migrate STEP [IMAGE SHA256]      to that image, or to the declared one
    python -m tests.e2e.cut_off back STEP                        to the OS disk before; calls a migration off that was begun
    python -m tests.e2e.cut_off undo STEP [SNAPSHOT]             to that snapshot; without one, what was begun is gone on with
    python -m tests.e2e.cut_off return STEP

In a project's folder, on lab 1. An unknown step runs to the end.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from tests.e2e.guide_plan_and_drift import HOST
from zerotoil.cli.hosts import find
from zerotoil.layers import Site
from zerotoil.workflows import undo
from zerotoil.workflows.migrate import migrate, with_image
from zerotoil.workflows.migrate_journey import Wish
from zerotoil.workflows.swap import Swapping


def killing(last: str) -> Callable[[str], None]:
    """Told of each step that is done; nothing of this process runs after that one."""

    def after(step: str) -> None:
        print(f"done: {step}", flush=True)
        if step == last:
            os.kill(os.getpid(), signal.SIGKILL)

    return after


def swapping(site: Site, what: str, more: list[str]) -> Swapping:
    """The change of volumes that is asked for; one that was begun is gone on with, whatever is asked."""
    if undo.unfinished(site.spec, site.nas):
        return undo.go_on(site)
    ahead = undo.look_back(site) if what == "return" else undo.look_ahead(site, *more)
    return Swapping(site, ahead.swap, pin=ahead.snapshot is not None)


def main(what: str, step: str, *more: str) -> None:
    site = Site(find(HOST, Path("inventory/lab.py")), Path(), say=lambda text: print(text, flush=True))
    if what in ("migrate", "back"):
        wanted = with_image(site, image=more[0], sha256=more[1]) if more else site
        migrate(wanted, Wish(back=what == "back"), after=killing(step))
        return
    change = swapping(site, what, list(more))
    change.after = killing(step)
    change.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
