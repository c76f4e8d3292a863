"""What a person asks of a host's OS: update now, go back, stay, go on. The guest's os.sh does it; here is what it would do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.resources.guest import Guest
from zerotoil.resources.guest.os_deployments import named, refusal
from zerotoil.resources.guest.os_notices import pinned, when
from zerotoil.resources.guest.os_updates import done, observed, was_given

_SECONDS = 3600  # an image is a gigabyte or two


@dataclass(frozen=True)
class Asked:
    """A host's OS as it was found."""

    site: Site
    guest: Guest
    seen: dict[str, Any]

    @property
    def host(self) -> str:
        """The host's name."""
        return self.site.spec.name

    def would_update(self, now: bool) -> str:
        """What `update` would do. Raises LabError where it cannot."""
        spec = self.site.spec
        if not spec.os.own_image:
            raise LabError(
                f"{self.host}: Zincati updates a stream by itself (os_source)",
                f"zerotoil ssh {self.host} -- sudo rpm-ostree upgrade --bypass-driver",
                code=Code.WRONG_OPTION,
            )
        if held := pinned(self.seen):
            raise LabError(f"{self.host}: {held}", f"zerotoil os unpin {self.host}", code=Code.OS_NOT_DONE)
        return f"asks for a newer {spec.os.source}, and stages it; it comes {'now: the host restarts' if now else when(spec)}"

    def update(self, now: bool) -> str:
        """Stage a newer image, and restart into it if that is asked for; what became of it."""
        said = done(self.guest, "it was not updated", "update")
        if said == "rebooting":  # os_strategy immediate
            return f"a newer image is there, and the host restarts into it; zerotoil os status {self.host} says when it is judged"
        staged = observed(self.guest).get("staged")
        if not staged:
            return "nothing newer is there" if said in ("ok", "nothing new") else said
        if not now:
            return f"{named(staged)} is staged; it comes {when(self.site.spec)}"
        done(self.guest, "it was not restarted", "reboot", "--now")
        return f"{named(staged)}: the host restarts; zerotoil os status {self.host} says when it is judged"

    def would_rollback(self) -> str:
        """What `rollback` would do. Raises LabError where there is nothing to go back to."""
        before, now = self.seen.get("rollback"), self.seen.get("booted")
        if not before:
            raise LabError(
                f"{self.host}: it has no deployment to go back to",
                f"zerotoil os status {self.host}; an older OS disk: zerotoil migrate {self.host} --back",
                code=Code.OS_NOT_DONE,
            )
        if why := refusal(before, self.seen):
            raise LabError(
                f"{self.host}: the deployment before, {named(before)}, was bad here ({why})",
                f"zerotoil os unpin --forget {self.host} lets it come again",
                code=Code.OS_NOT_DONE,
            )
        return f"goes back from {named(now)} to {named(before)}, and restarts; {named(now)} is refused from then on"

    def go_back(self) -> str:
        """Go back and restart; what became of it."""
        before = named(self.seen.get("rollback"))
        done(self.guest, "it did not go back", "rollback", "owner")
        return f"goes back to {before} and restarts; take updates again: zerotoil os unpin {self.host}"

    def would_pin(self) -> str:
        """What `pin` would do."""
        return pinned(self.seen) or f"stays at {named(self.seen.get('booted'))}: no update is taken"

    def pin(self) -> str:
        """Take no update; what became of it."""
        done(self.guest, "it was not pinned", "pin")
        return f"stays at {named(self.seen.get('booted'))}; take updates again: zerotoil os unpin {self.host}"

    def would_unpin(self, forget: bool) -> str:
        """What `unpin` would do."""
        bad = [named(one) for one in self.seen["state"].get("bad") or []]
        taken = "also what was refused" if forget else f"but not {', '.join(bad)}"
        return f"takes updates again{f', {taken}' if bad else ''}" if self.seen["state"].get("pin") or forget else "is not pinned"

    def unpin(self, forget: bool) -> str:
        """Take updates again; what became of it."""
        said = self.would_unpin(forget)
        done(self.guest, "it was not unpinned", "unpin", *(["--forget"] if forget else []))
        return said


def ask(site: Site) -> Asked:
    """Read a host's OS. Raises LabError where nothing of ours looks after it."""
    name = site.spec.name
    if not site.spec.os.managed:
        remedy = "declare os_strategy or os_source; stock CoreOS: zerotoil ssh {0} -- rpm-ostree status"
        raise LabError(f"{name}: its OS is left to itself", remedy.format(name), code=Code.WRONG_OPTION)
    guest = site.guest_now(_SECONDS)
    if not was_given(guest.facts()):
        raise LabError(f"{name}: what looks after its OS is not there yet", "run the deploy", code=Code.NEEDS_ANOTHER_FIRST)
    return Asked(site, guest, observed(guest))
