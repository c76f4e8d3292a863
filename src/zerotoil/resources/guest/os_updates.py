"""An OS that looks after itself: what it is given, where its updates come from, and the first step onto an image of the owner's.

What it is given lies in a tree of its own on the data disk (`model.places.OS_TREE`); `os.sh install` copies what must run without
that disk to the OS disk, where the state is, too (/var/lib/zerotoil/os). A machine that runs no app yet is taken to the declared
image at once; any other one gets it staged, and restarts when its strategy lets it.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.places import OS_TREE
from zerotoil.model.spec import HostSpec
from zerotoil.render import os_updates as render
from zerotoil.resources.guest import files, os_wait
from zerotoil.resources.guest.files import GuestFile
from zerotoil.resources.guest.guest import Guest
from zerotoil.resources.guest.os_deployments import REBASE, comes_from, moving, reference
from zerotoil.resources.guest.os_scripts import GATE_UNITS, IMAGE_UNITS, os_scripts, os_sent, os_units
from zerotoil.resources.resource import Action, Change, Risk, must_match, updated

_SCRIPT = f"{OS_TREE}/os.sh"
HEALTH = "zerotoil-os-health.service"
_OFTEN = ("update", "reboot")  # what timers start; Zincati has its own
_TIMERS = tuple(f"zerotoil-os-{name}.timer" for name in _OFTEN)
_ZINCATI = "zincati.toml"  # what its configuration is called in the tree
_RESTARTS = ("reboot", "rollback")  # verbs that end with a restart
_MAY_RESTART = (*_RESTARTS, "update")  # at once, where os_strategy is immediate
_LATER = frozenset({"source", "packages"})  # what comes with a restart


def unit_names(spec: HostSpec) -> list[str]:
    """The units of one host."""
    often = () if timers(spec) else tuple(f"zerotoil-os-{name}." for name in _OFTEN)
    return [name for name in (IMAGE_UNITS if spec.os.own_image else GATE_UNITS) if not name.startswith(often or ("-",))]


def timers(spec: HostSpec) -> tuple[str, ...]:
    """The timers of one host."""
    return _TIMERS if spec.os.own_image and spec.os.follows != "off" else ()


def guest_files(spec: HostSpec, signature_key: str | None = None) -> list[GuestFile]:
    """What one host is given; `signature_key` is the text of os_signature_key."""
    units = os_units(unit_names(spec))
    if restart := render.restart_timer(spec):
        units = [replace(unit, content=restart) if unit.path.endswith("-reboot.timer") else unit for unit in units]
    texts = {"declared.json": render.declared(spec), _ZINCATI: render.zincati(spec), "cosign.pub": signature_key}
    files = [*os_scripts(), *(GuestFile(f"{OS_TREE}/{name}", 0o644, text) for name, text in texts.items() if text), *units]
    if login := render.login(spec):
        files.append(GuestFile(f"{OS_TREE}/auth.json", 0o600, login, secret=True))
    return files


@dataclass(frozen=True)
class OsUpdates:
    """The OS of one host. `reconnect` gives up a connection that ended with the OS that it was made to."""

    guest: Guest
    spec: HostSpec
    signature_key: str | None = None
    reconnect: Callable[[], None] = lambda: None
    key: str = "OS updates"

    @cached_property
    def files(self) -> Sequence[GuestFile]:
        """What it is given."""
        return guest_files(self.spec, self.signature_key)

    def plan(self) -> list[Change]:
        """The changes that are needed now."""
        have, seen = files.found(self.guest.facts(), OS_TREE), self._seen()
        shown = files.showable(have, self.files)
        texts = self.guest.texts(shown) if shown else {}
        self._refuse(seen)
        changes = files.changes(self.key, OS_TREE, have, self.files, texts)
        if have is not None:
            changes += self._installed(seen)
        return [*changes, *self._source(seen), *self._packages(seen)]

    def _installed(self, seen: Mapping[str, Any]) -> Iterator[Change]:
        """What on the OS disk and of the units is not as the tree says."""
        for name in seen.get("in_etc", []):
            if name != _ZINCATI:
                yield Change(self.key, Action.UPDATE, f"{name} on the OS disk", "another text", "as declared")
        started = {name: "enabled, active" for name in timers(self.spec)} | {HEALTH: "enabled"}
        units, want, have = seen.get("units", {}), render.zincati(self.spec), (seen.get("zincati") or {}).get("config")
        if have != want and (want or _ZINCATI in seen.get("in_etc", [])):
            yield Change(self.key, Action.UPDATE, "Zincati's configuration", have, want or "none")
        yield from updated(self.key, started, {name: _unit(units.get(name, {}), name) for name in started})

    def _source(self, seen: Mapping[str, Any]) -> Iterator[Change]:
        """The step onto the declared image; none while something is pinned, or while it is on its way."""
        want = self.spec.os.reference
        if want is None:
            return
        if not seen:
            yield Change(self.key, Action.CREATE, "source", None, want, Risk.RESTART)
        elif not (comes_from(want, seen) or moving(seen) or seen["state"].get("pin")):
            yield Change(self.key, Action.UPDATE, "source", reference(seen) or "a stream", want, Risk.RESTART)

    def _packages(self, seen: Mapping[str, Any]) -> Iterator[Change]:
        """Declared packages that are not layered. What others have layered is theirs."""
        have = set(seen.get("packages", ()))
        if missing := [name for name in self.spec.os.packages if name not in have]:
            action = Action.UPDATE if have else Action.CREATE
            yield Change(self.key, action, "packages", ", ".join(sorted(have)) or None, ", ".join(missing), Risk.RESTART)

    def apply(self) -> list[Change]:
        """Write and install the files, layer packages, and move to the declared image; restart only a machine without apps."""
        changes = self.plan()
        if not changes:
            return changes
        have = files.found(self.guest.facts(), OS_TREE)
        self.guest.write(f"{files.write_script(OS_TREE, have, self.files)}sh {_SCRIPT} install >&2\n")
        if (
            any(change.field == "packages" or "declared.json" in change.field for change in changes)
            and not self.spec.os.own_image
        ):
            self._do("its packages were not layered", "packages")
        if any(change.field == "source" for change in changes):  # install may have begun it already
            self.guest.write(f"systemctl start --no-block {REBASE}\n")
            if is_fresh(self.guest.facts()) or self.spec.vm.restart == "now":
                self._move()
        must_match(self.key, [change for change in self.plan() if change.field not in _LATER])
        return changes

    def _move(self) -> None:
        """Wait until the image is staged, restart into it, and wait until the guest is back."""
        name, want = self.spec.name, self.spec.os.reference or ""
        os_wait.until_staged(self.guest, lambda: comes_from(want, self._seen()))
        if comes_from(want, {"reference": self._seen().get("reference")}):
            return
        boot = self.guest.facts()["boot"]
        self._do("it was not restarted into its OS image", "reboot", "--now")
        os_wait.until_rebooted(self.guest, boot, self.spec.vm.boot_timeout, self.reconnect)
        if not comes_from(want, {"reference": self._seen().get("reference")}):
            raise LabError(
                f"{name}: it came back with {reference(self._seen()) or 'a stream'}, not with {self.spec.os.source}",
                f"zerotoil os status {name}; the image did not come up, and its console says why",
                code=Code.OS_NOT_STAGED,
            )

    def _refuse(self, seen: Mapping[str, Any]) -> None:
        name, backend = self.spec.name, self.spec.os.backend
        if seen and not seen.get("program", True):
            raise LabError(
                f"{name}: the program {backend} is not in its OS: nothing was changed",
                "declare the os_backend that is there, or boot an image of Fedora CoreOS (zerotoil migrate)",
                code=Code.OS_NOT_DONE,
            )

    def _do(self, what: str, *words: str) -> str:
        return done(self.guest, what, *words, reconnect=self.reconnect)

    def _seen(self) -> dict[str, Any]:
        """What the guest says of its OS; it is asked apart where it has no script yet that says it."""
        return observed(self.guest)


@dataclass(frozen=True)
class GoneOsUpdates:
    """A host that leaves its OS to itself again: what it was given goes, its deployments and its state stay."""

    guest: Guest
    key: str = "OS updates that are declared no more"
    gone: ClassVar[bool] = True  # not one of the resources that are as declared

    def plan(self) -> list[Change]:
        """One change where it is still there."""
        if not was_given(self.guest.facts()):
            return []
        return [Change("OS updates", Action.UPDATE, "looked after", "yes", "no: its timers and checks go, its deployments stay")]

    def apply(self) -> list[Change]:
        """Take away what it was given."""
        changes = self.plan()
        if changes:
            written = files.write_script(OS_TREE, files.found(self.guest.facts(), OS_TREE), [])
            self.guest.write(f"set -eu\nsh {_SCRIPT} remove >&2\n{written}rmdir {OS_TREE}/units || true\n")
            must_match(self.key, self.plan())
        return changes


def was_given(facts: Mapping[str, Any]) -> bool:
    """Was it given to this guest, and not taken away again?"""
    return files.found(facts, OS_TREE) is not None


def observed(guest: Guest) -> dict[str, Any]:
    """What os.sh says of the OS; empty for a guest that is not there yet."""
    told: dict[str, Any] = guest.facts().get("os_updates") or {}
    if told or not guest.exists:
        return told
    answer: dict[str, Any] = json.loads(guest.ask(os_sent("observe")))
    return answer


def done(guest: Guest, what: str, *words: str, reconnect: Callable[[], None] = lambda: None) -> str:
    """One step of os.sh; its last line. Raises LabError with its words where it failed.

    A restart may end the connection before its answer comes: then it is waited for the guest, whose boot id tells.
    """
    boot = guest.facts()["boot"] if words[0] in _MAY_RESTART else ""
    try:
        answer = guest.write(f"sh {_SCRIPT} {shlex.join(words)}\n").strip().splitlines()
    except LabError:
        if not boot or not os_wait.has_restarted(guest, boot, reconnect):
            raise
        return "rebooting"
    said = answer[-1] if answer else "failed without a word"
    word = said.partition(" ")[0]
    if word in ("failed", "refused") or (words[0] in _RESTARTS and word != "rebooting"):
        look = f"zerotoil os status {guest.name}"
        raise LabError(f"{guest.name}: {what}: {said.removeprefix('failed ')}", look, code=Code.OS_NOT_DONE)
    return said


def is_fresh(facts: Mapping[str, Any]) -> bool:
    """Does nothing of the owner's run yet that a restart would interrupt?"""
    ours = any(line.startswith(("apps/", "zerotoil/k3s/")) for line in facts.get("notes", "").splitlines())
    others = [one for one in facts.get("containers", ()) if one.get("Name") != "/watchtower"]
    return not (ours or others or (facts.get("podman") or {}).get("containers"))


def _unit(found: Mapping[str, Any], name: str) -> str:
    enabled = found.get("UnitFileState") or "not there"
    return f"{enabled}, {found.get('ActiveState', 'inactive')}" if name.endswith(".timer") else enabled
