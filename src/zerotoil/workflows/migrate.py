"""Another OS under the same data: a host's OS disk swapped, proven, and swapped back by itself when it does not hold.

The steps are in `migrate_steps`. Where a run stands is read from the VM's mark and its power, never remembered here: killed
after any step, a second run goes on, or finds the old OS as it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.render.domain_mark import Move
from zerotoil.resources.nas.os_changes import End
from zerotoil.workflows.migrate_journey import ASKED, Journey, Wish
from zerotoil.workflows.migrate_steps import BACK, CLEAR, FORWARD, PREPARE, SHUT_DOWN, SNAPSHOT, START, Step, unsettled
from zerotoil.workflows.snapshot import covering

After = Callable[[str], None]


def migrate(site: Site, wish: Wish | None = None, *, after: After = lambda _step: None) -> None:
    """Swap the OS disk. Raises LabError with what failed; from the shutdown on, the old OS disk runs again by then.

    An earlier run that was cut off is finished first, whatever is wished now. `after` is told each step that is done.
    """
    journey = Journey(site, wish or Wish())
    move = journey.move
    if move and (move.back or (journey.wish.back and _is_called_off(journey, move))):
        _undo(journey, move.back or ASKED, after)
        if move.back:
            raise _undone(journey, move, move.back)
        return
    if move and journey.has_left:
        site.say(f"going on with the migration to {move.to}")
    try:
        _walk(journey, _rest(journey, after), after)
    except LabError as error:
        _recover(journey, error, after)


def dry_run(site: Site, wish: Wish) -> list[str]:
    """What would happen, after all that can be checked without a change. Raises LabError."""
    journey = Journey(site, wish)
    move = journey.move
    if move and journey.has_left:
        return [f"would go on with the migration from {move.origin} to {move.to} that was cut off"]
    FORWARD[0].do(journey)
    to, now = journey.foreseen(), journey.mark.made
    if not wish.back and (to.ignition_sha256, to.os_release) == (now.ignition_sha256, now.os_release):
        return [f"it runs from {now} with this config already: nothing would change, if the image is the same file"]
    return [
        f"would take a snapshot of {covering(site)}",
        f"would shut the VM down, and start it from {to} instead of {now}; the data volume stays as it is",
        f"would go back by itself when {to} is not healthy with the same data within {site.spec.vm.boot_timeout} s",
    ]


def with_image(site: Site, *, stream: str = "", image: str = "", sha256: str = "") -> Site:
    """The same host with the OS image that is asked for; as declared where none is. Raises LabError for half an answer."""
    if stream and image:
        raise LabError(
            "a stream and an image are two different answers", "give --os-stream or --os-image", code=Code.WRONG_OPTION
        )
    if sha256 and not image:
        raise LabError("a checksum without an image", "give --os-image, too", code=Code.WRONG_OPTION)
    if image and not re.fullmatch("[0-9a-f]{64}", sha256):
        raise LabError(
            f"{image} comes without its SHA-256: an image is never booted unverified",
            "give --os-image-sha256, 64 hex digits (sha256sum prints them)",
            code=Code.WRONG_OPTION,
        )
    if not stream and not image:
        return site
    other: dict[str, str | None] = {"stream": stream} if stream else {}
    os = site.spec.os.model_copy(update={**other, "image": image or None, "image_sha256": sha256 or None})
    return Site(site.spec.model_copy(update={"os": os}), site.root, site.say, site.shell)


def _is_called_off(journey: Journey, move: Move) -> bool:
    """Does `--back` undo the change that is under way? One that goes back itself is finished instead."""
    return move.to.generation > move.origin.generation and (journey.has_left or not journey.is_running())


def _rest(journey: Journey, after: After) -> Sequence[Step]:
    """The steps that are left: after the switch from the start on, with the VM shut down by us what follows, else all."""
    move = journey.move
    if move and journey.has_left:
        return FORWARD[START:]
    if move and not journey.is_running():
        return FORWARD[SHUT_DOWN if move.snapshot else SNAPSHOT :]
    _walk(journey, FORWARD[:PREPARE], after)
    if journey.is_there():
        journey.site.say(f"it runs from {journey.mark.made} already; zerotoil rebuild {journey.name} makes a fresh disk of it")
        return FORWARD[CLEAR:]
    return FORWARD[PREPARE:]


def _walk(journey: Journey, steps: Sequence[Step], after: After) -> None:
    for step in steps:
        step.do(journey)
        after(step.name)


def _recover(journey: Journey, error: LabError, after: After) -> None:
    """What becomes of a run that failed: nothing before the shutdown, else the way back. Always raises."""
    move = journey.move
    if move is None:
        raise error
    if not journey.has_left and journey.is_running():
        unsettled(journey)
        raise error
    if move.blind:
        if journey.has_left:
            journey.tell(End.REBUILT, error.what)
        unsettled(journey)  # nothing good to go back to: the next run makes yet another OS disk
        raise LabError(
            f"{journey.name}: the new OS disk is not healthy ({error.what})",
            f"the old OS disk is kept; look at virsh -c {journey.site.spec.hypervisor.uri} console {journey.name}",
            code=Code.REBUILD_UNHEALTHY,
        ) from error
    _undo(journey, error.what, after)
    raise _undone(journey, move, error.what) from error


def _undo(journey: Journey, why: str, after: After) -> None:
    journey.site.say(f"going back: {why}")
    journey.going_back(why)
    try:
        _walk(journey, BACK, after)
    except LabError as error:
        raise LabError(
            f"{journey.name}: {why}; going back failed, too ({error.what})",
            f"{error.remedy}; then zerotoil migrate {journey.name} --back".removeprefix("; "),
            code=Code.MIGRATION_STUCK,
        ) from error


def _undone(journey: Journey, move: Move, why: str) -> LabError:
    kept = f"; the data of before is in {move.snapshot}" if move.snapshot else ""
    return LabError(
        f"{journey.name}: {move.to} was not kept ({why}); {move.origin} is running again",
        f"look into it, then migrate again{kept}",
        code=Code.MIGRATION_UNDONE,
    )
