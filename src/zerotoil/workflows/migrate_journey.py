"""Where a change of OS disks stands: read from the VM's mark, its power and the NAS each time it is asked."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.model.data_volume import Filesystem, VolumeState
from zerotoil.render.domain_mark import Made, Mark, Move
from zerotoil.resources.guest import Guest
from zerotoil.resources.hypervisor.os_switch import change_mark, own
from zerotoil.resources.hypervisor.rebuild import next_number, previous, runs
from zerotoil.resources.hypervisor.volumes import digest
from zerotoil.resources.nas.os_changes import End, OsChange, note_change

ASKED = "it was asked for"  # why a change is called off by a person
_WHY = 300  # characters of an error that a definition keeps


@dataclass(frozen=True)
class Wish:
    """What a person asked for. `lenient`: also of a VM that is off or does not answer, whose OS may be what is broken."""

    back: bool = False
    force_off: bool = False
    lenient: bool = False


@dataclass
class Journey:
    """One host under way. Everything but the wish is read from the servers."""

    site: Site
    wish: Wish
    to: Made | None = field(default=None)  # what `prepare` made, until it is noted

    @property
    def name(self) -> str:
        """The host's name."""
        return self.site.spec.name

    @property
    def mark(self) -> Mark:
        """The VM's mark, afresh. Raises LabError where there is no VM of ours."""
        self.site.hypervisor.forget()
        return own(self.site.spec, self.site.hypervisor)[1]

    @property
    def move(self) -> Move | None:
        """The change that is under way."""
        return self.mark.move

    @property
    def has_left(self) -> bool:
        """Is the VM defined with the new OS disk?"""
        mark = self.mark
        return mark.move is not None and mark.generation == mark.move.to.generation

    @property
    def recorded(self) -> Filesystem:
        """The filesystem that must be found again. Raises LabError where none was ever seen by a healthy guest."""
        mark = self.site.mark
        if mark is None or mark.state is not VolumeState.DATA or mark.filesystem is None:
            raise LabError(
                f"{self.name}: its data volume was never seen healthy",
                "run the deploy until it is, then repeat this",
                code=Code.NEVER_HEALTHY,
            )
        return mark.filesystem

    def is_running(self) -> bool:
        """Is the VM on, afresh?"""
        return self.site.hypervisor.is_running(self.name)

    def guest(self) -> Guest:
        """The guest, afresh. Raises LabError."""
        vars(self.site).pop("guest", None)
        self.site.hypervisor.forget()
        return self.site.guest_now()

    def note(self, move: Move | None) -> None:
        """Write down what is under way."""
        change_mark(self.site.spec, self.site.hypervisor, lambda mark: replace(mark, move=move))

    def going_back(self, why: str) -> None:
        """Write down that it is undone, and why."""
        if (move := self.move) and not move.back:
            self.note(replace(move, back=_line(why)))

    def tell(self, end: End, why: str = "") -> None:
        """Write the end of the change down for the timeline, once. Nothing is undone because that does not work."""
        if not (move := self.move):
            return
        old, new = (move.to, move.origin) if move.back else (move.origin, move.to)
        change = OsChange(end, str(old), str(new), int(self.site.now().timestamp()), _line(why))
        try:
            note_change(self.site.spec, self.site.nas, move.snapshot.rpartition("@")[2] or f"{move.to.generation}", change)
        except LabError as error:
            self.site.say(f"the timeline will not tell of it: {error.what}")

    def is_there(self) -> bool:
        """Does the VM run from what was asked for already? Then an earlier run was done but for its last step."""
        site = self.site
        if self.wish.back or self.wish.lenient or not self.is_running():
            return False
        return runs(site.spec, site.hypervisor, ignition=site.ignition, image=site.image())

    def foreseen(self) -> Made:
        """What it would change to. Reads only."""
        from zerotoil.clients import images

        if self.wish.back:
            return previous(self.site.spec, self.site.hypervisor)
        release, config = images.resolve(self.site.spec.os).release, digest(self.site.ignition)
        return Made(next_number(self.site.spec, self.site.hypervisor), config, release)


def _line(why: str) -> str:
    """A reason as one line of printable text."""
    printable = "".join(letter if letter.isprintable() else " " for letter in why)
    return " ".join(printable.split())[:_WHY]
