"""One host looked at: its OS image, its containers, what its apps declare, and what the registries have. Reads only."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import notices
from zerotoil.layers.site import Site
from zerotoil.layers.updates import declared
from zerotoil.layers.updates.found import Asks, HostUpdates, Running, Service, Update, Updater, Version
from zerotoil.layers.updates.judge import Judge
from zerotoil.model.image import ImageRef
from zerotoil.model.schedule import next_run
from zerotoil.model.spec import HostSpec
from zerotoil.model.tags import Version as TagVersion
from zerotoil.model.units import Lifetime
from zerotoil.render.registry import mirrored
from zerotoil.resources.guest import Guest
from zerotoil.resources.guest.packaged import script_text
from zerotoil.resources.guest.watchtower import NAME, OWNER_LABEL
from zerotoil.resources.hypervisor import observed

_ENABLE = "com.centurylinklabs.watchtower.enable"
_MONITOR_ONLY = "com.centurylinklabs.watchtower.monitor-only"


def look(site: Site, ask: Asks, now: datetime) -> HostUpdates:
    """Everything about one host. What cannot be read is among its problems; the rest is there all the same."""
    problems: list[LabError] = []
    os: Update | None = None
    rows: list[Update] = []
    try:
        os = os_update(site)
    except LabError as error:
        problems.append(error)
    try:
        engine = site.spec.container.backend
        if site.spec.docker.enabled or engine == "podman":
            running = read_running(site.guest, engine)
            found, wrong = declared.services(site)
            rows, problems = _judged(site.spec, running, found, ask, now), [*problems, *wrong]
    except LabError as error:
        problems.append(error)
    return HostUpdates(site.spec.name, os, tuple(rows), tuple(problems))


def os_update(site: Site) -> Update | None:
    """The OS image that the VM was made from, and the newest of its stream; None where there is no VM of ours."""
    vm = observed(site.spec, site.hypervisor)
    if not vm.ours or not vm.os_release:
        return None
    newest = notices.newest_release(site.spec.os)
    found = Update("", "OS", site.spec.name, site.spec.os.image or site.spec.os.stream, "rebuild", Version(vm.os_release))
    if not newest:
        raise LabError(
            f"{site.spec.name}: the stream of the OS image cannot be read", "check os_stream_url and the network",
            code=Code.STREAM_UNREADABLE,
        )  # fmt: skip
    if newest == vm.os_release:
        return found
    why = f"a new OS image comes with a new OS disk: zerotoil rebuild {site.spec.name}"
    return Update("", "OS", site.spec.name, found.image, "rebuild", found.running, Version(newest), why=(why,))


def read_running(guest: Guest, engine: Literal["docker", "podman"] = "docker") -> list[Running]:
    """The containers of a guest, in one round trip. Raises LabError."""
    answer = guest.ask(f"engine={engine}\n{script_text('images.sh')}")
    try:
        return [_running(item) for item in json.loads(answer)]
    except (ValueError, TypeError, KeyError) as error:
        what = f"{guest.name}: the guest answered no list of containers ({answer[:200]!r})"
        raise LabError(what, "is jq in its OS image?", code=Code.GUEST_COMMAND_FAILED) from error


def watchtower(spec: HostSpec, now: datetime) -> Updater:
    """Watchtower as what updates the host."""
    declared = spec.watchtower
    return Updater(
        "Watchtower",
        declared.enabled,
        "watchtower_enabled is False",
        _timedelta(declared.cooldown) if declared.cooldown else None,
        next_run(declared.schedule, declared.timezone, now) if declared.enabled else None,
        (_ENABLE, "true") if declared.label_enable else None,
    )


def podman(spec: HostSpec, now: datetime) -> Updater:
    """Podman itself, which updates what says so at Watchtower's hour and knows no minimum age."""
    return Updater("podman", True, "", None, next_run(spec.watchtower.schedule, spec.watchtower.timezone, now), None)


def _running(item: dict[str, Any]) -> Running:
    made = datetime.fromisoformat(item["created"]) if item["created"] else None
    return Running(
        item["container"], item["image"], item["app"], item["service"], item["state"], tuple(item["repo_digests"]),
        made if made is None or made.tzinfo else made.replace(tzinfo=UTC), item["version"], item["labels"],
    )  # fmt: skip


def _timedelta(age: Lifetime) -> timedelta:
    return timedelta(**{f"{age.unit}s": age.value})


def _judged(spec: HostSpec, running: list[Running], found: list[Service], ask: Asks, now: datetime) -> list[Update]:
    """A row for each container that is declared or runs; a service with several containers has one for each."""
    if spec.container.backend == "podman":  # it is told of mirrors; Docker's images are renamed for them
        judge = Judge(ask, podman(spec, now), now, str)
    else:
        judge = Judge(ask, watchtower(spec, now), now, lambda image: mirrored(image, spec.registry))
    rows: list[Update] = []
    ours = {(service.app, service.name) for service in found}
    for service in found:
        own = [container for container in running if (container.app, container.service) == (service.app, service.name)]
        rows += [judge(service, container) for container in own] or [judge(service, None)]
    others = [container for container in running if (container.app, container.service) not in ours]
    rows += [_by_id(container) or judge(_undeclared(spec, container), container) for container in others]
    return sorted(rows, key=lambda row: (row.app, row.service, row.container))


def _by_id(container: Running) -> Update | None:
    """The row of a container that somebody made from an image's id; None for all others."""
    try:
        ImageRef.parse(container.image)
    except ValueError:
        why = "made from the id of an image, so there is no tag to follow"
        return Update(container.app, container.service, container.container, container.image, "off", why=(why,))
    return None


def _undeclared(spec: HostSpec, container: Running) -> Service:
    """What a container's own labels say, where no app of the project declares it; Watchtower's is declared by the inventory."""
    if container.container == NAME and OWNER_LABEL in container.labels:
        version = TagVersion.of(ImageRef.parse(spec.watchtower.image).tag)
        tags = f"^{'.'.join(map(str, version.numbers))}" if version else None
        return Service("", NAME, spec.watchtower.image, "off", tags, "watchtower_image")
    enabled = container.labels.get(_ENABLE, "").lower()
    if enabled == "false" or (spec.watchtower.label_enable and enabled != "true"):
        updates = "off"
    else:
        updates = "notify" if container.labels.get(_MONITOR_ONLY, "").lower() == "true" else "auto"
    return Service(container.app, container.service or container.container, container.image, updates)
