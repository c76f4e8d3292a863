"""One container against its registry: is there something newer, and why does it not run yet? Pure but for what it asks.

Watchtower follows a tag to its newest digest and never to another tag. So there are two kinds of newer: the same tag with another
digest, which an updater brings by itself, and a newer tag in the allowed range, which the owner brings by changing compose.yaml.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers.updates.found import Asks, Info, Running, Service, Update, Updater, Version
from zerotoil.model.image import ImageRef
from zerotoil.model.tags import TagPolicy, allowed

_TRIES = 5  # how many tags below the newest are looked at for one that is old enough; each may cost a pull


@dataclass(frozen=True)
class Judge:
    """What one host's containers are judged by. `deployed` turns a declared image into the one that the engine is given."""

    ask: Asks
    updater: Updater
    now: datetime
    deployed: Callable[[str], str]

    def __call__(self, service: Service, running: Running | None) -> Update:
        """The verdict on one service, running or not. Never raises for what a registry or an owner does wrong."""
        found = Update(service.app, service.name, running.container if running else "", service.image, service.updates)
        try:
            ref = ImageRef.parse(service.image)
        except ValueError as error:
            problem = LabError(f"{service.app}/{service.name}: {error}", "write it in full", code=Code.IMAGE_REFERENCE)
            return replace(found, problem=problem, why=("its image is no reference",))
        if running is None:
            return replace(found, why=("no container of it runs; zerotoil plan says more",))
        found = replace(
            found, running=Version(ref.tag or "latest", running.version, min(running.digests, default=""), running.created)
        )
        if running.state != "running":
            found = replace(found, why=(f"its container is {running.state}",))
        for step in (self._same_tag, self._newer_tag):
            try:
                found = step(found, service, ref, running)
            except LabError as error:
                found = replace(found, problem=found.problem or error)
                asked = error.code not in (Code.TAG_RANGE, Code.IMAGE_OUTSIDE)
                found = replace(found, why=found.why or (f"could not be asked: {error.what}" if asked else error.what,))
        return found

    def _same_tag(self, found: Update, service: Service, ref: ImageRef, running: Running) -> Update:
        """The newest digest of the declared tag."""
        runs = _reference(running.image)
        declared = ImageRef.parse(self.deployed(service.image))
        if runs is None or not _is_deployed(declared, runs):
            tag = runs.tag or "latest" if runs else running.image
            why = f"{service.image} is declared and not deployed yet: zerotoil apply"
            return replace(found, running=replace(found.running or Version(tag), tag=tag), why=(*found.why, why))
        if ref.digest and not ref.tag:
            return replace(found, why=(*found.why, "pinned by digest, without a tag to follow"))
        if not running.digests:
            return replace(found, why=(*found.why, "its image came from no registry, so there is nothing to compare"))
        wanted = ref.at(tag=ref.tag or "latest")
        if self.ask.digest(wanted) in running.digests:
            return found
        newer = _version(wanted.tag, self.ask.image(wanted))
        held_back = "held at its digest since an update was rolled back" if runs.digest and not ref.digest else ""
        return replace(found, same_tag=newer, why=(*found.why, held_back or self._waits(newer, service, ref, running)))

    def _newer_tag(self, found: Update, service: Service, ref: ImageRef, running: Running) -> Update:
        """The newest tag that the owner's range allows, and that is old enough."""
        if service.tags is None:
            return found
        try:
            policy = TagPolicy.parse(service.tags)
        except ValueError as error:
            raise LabError(f"{service.app}/{service.name}: {error}", "mend it in compose.yaml", code=Code.TAG_RANGE) from error
        why = list(found.why)
        for tag in allowed(self.ask.tags(ref), policy, ref.tag or "latest")[:_TRIES]:
            newer = _version(tag, self.ask.image(ref.at(tag=tag)))
            if newer.digest in running.digests:
                break
            held = self._held(newer)
            if not held:
                how = f"set {service.keeper}" if service.keeper else "zerotoil updates --write sets it in compose.yaml"
                why.append(f"a new tag is yours to take: {'change the digest with it' if ref.digest else how}")
                return replace(found, newer_tag=newer, why=tuple(why))
            why.append(f"{tag} is {held}")
        return replace(found, why=tuple(why))

    def _waits(self, newer: Version, service: Service, ref: ImageRef, running: Running) -> str:
        """Why the newer digest does not run yet."""
        updater = self.updater
        if ref.digest:
            return "pinned by digest"
        if service.updates == "off":
            return f"kept as it is by {service.keeper}" if service.keeper else "updates are off"
        if service.updates == "notify":
            return "updates are only notified: it is reported, not installed"
        if not updater.enabled:
            return f"nothing updates it: {updater.off_because}"
        if updater.label and running.labels.get(updater.label[0], "").lower() != updater.label[1]:
            return f"its container has no label {updater.label[0]}={updater.label[1]}: zerotoil apply"
        held = self._held(newer)
        next_run = f"at {self._shown(updater.next_run)}" if updater.next_run else "not known"
        return held or f"the next run of {updater.name} is {next_run}"

    def _held(self, newer: Version) -> str:
        """Why an image is not old enough; empty where it is, or there is no cooldown."""
        if self.updater.cooldown is None:
            return ""
        if newer.created is None:
            return "of unknown age, so the cooldown holds it back"
        if newer.created > self.now or self.now - newer.created > self.updater.cooldown:  # of the future: Watchtower lets it pass
            return ""
        return f"younger than the cooldown until {self._shown(newer.created + self.updater.cooldown)}"

    def _shown(self, moment: datetime) -> str:
        zone = self.updater.next_run.tzinfo if self.updater.next_run else moment.tzinfo
        return f"{moment.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def judge(
    service: Service, running: Running | None, *, ask: Asks, updater: Updater, now: datetime, deployed: Callable[[str], str] = str
) -> Update:
    """The verdict on one service; see Judge."""
    return Judge(ask, updater, now, deployed)(service, running)


def _version(tag: str, info: Info) -> Version:
    return Version(tag, info.version, info.digest, info.created)


def _reference(text: str) -> ImageRef | None:
    try:
        return ImageRef.parse(text)
    except ValueError:  # a container that was made from an image's id
        return None


def _is_deployed(declared: ImageRef, runs: ImageRef) -> bool:
    """Whether the container was made from what is declared, or held at a digest of it."""
    if runs.name != declared.name:
        return False
    if runs.digest or declared.digest:
        return not declared.digest or runs.digest == declared.digest
    return (runs.tag or "latest") == (declared.tag or "latest")
