"""One service of a compose app as a .container unit. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

from zerotoil.model.places import TREE
from zerotoil.render.quadlet import reading
from zerotoil.render.quadlet.app import Service
from zerotoil.render.quadlet.health import health_lines, is_checked, start_seconds
from zerotoil.render.quadlet.keys import EACH, REMEDIES, WHOLE
from zerotoil.render.quadlet.mounts import PODMAN_SOCKET, Mount, granted, made_folders, mount
from zerotoil.render.quadlet.networks import network_lines
from zerotoil.render.quadlet.text import Line, Refused, unit, whole, words

UNIT_LABEL = "zerotoil.unit"  # what the container was made from: the hash of its unit and of the files it sees
AUTOUPDATE_LABEL = "io.containers.autoupdate"
REGISTRY_LOGINS = f"{TREE}/containers/auth.json"  # need not exist
Report = Callable[[str, Refused], None]  # key, what is wrong with it
_OWN = {"networks", "network_mode", "depends_on", "healthcheck", "restart", "labels", "stop_grace_period"}
_MOUNTS = ("volumes", "secrets", "configs")
_RESTART_SECONDS = 10
_STOP_SECONDS = 10  # what Compose and podman give a container to stop
_SYSTEMD_STOP_SECONDS = 90


def container_unit(service: Service, report: Report) -> str:
    """The unit's text. What cannot be expressed is reported, every key of it, and left out."""
    lines = list(_lines(service, report))
    source = f"apps/{service.app.name}/compose.yaml"
    label = Line("Container", "Label", f"{UNIT_LABEL}={_digest(service, unit(lines, source))}")
    return unit([*lines, label], source)


def _digest(service: Service, text: str) -> str:
    """Changes with the unit and with each file of the app that the service sees: both ask for a new container."""
    seen = sorted(service.app.known(path).items() for path in _sources(service))
    return hashlib.sha256(f"{text}\n{seen}".encode()).hexdigest()[:16]


def _sources(service: Service) -> set[str]:
    found = {each.source for each in _mounts(service, lambda _key, _refused: None) if isinstance(each, Mount) and each.bind}
    files = service.spec.get("env_file") or []
    for written in files if isinstance(files, list) else [files]:
        path = written.get("path") if isinstance(written, dict) else written
        found |= {service.app.path(str(path))} if ":" not in str(path) and not str(path).startswith("~") else set()
    return {path for path in found if service.app.is_own(path)}


def _lines(service: Service, report: Report) -> Iterator[Line]:
    yield Line("Unit", "Description", f"{service.name} of the app {service.app.name}")
    yield Line("Unit", "RequiresMountsFor", "/var/mnt/data")
    yield from _guarded("depends_on", lambda: _dependencies(service), report)
    yield Line("Container", "ContainerName", service.container)
    yield Line("Container", "Pull", "missing")
    yield from _keys(service, report)
    yield from _guarded("healthcheck", lambda: health_lines(service), report)
    yield from _guarded("stop_grace_period", lambda: _stop(service), report)
    yield from _guarded("networks", lambda: network_lines(service), report)
    mounts = list(_mounts(service, report))
    if any(isinstance(each, Mount) and each.source == PODMAN_SOCKET for each in mounts):
        yield Line("Unit", "Requires", "podman.socket")
        yield Line("Unit", "After", "podman.socket")
    for each in mounts:
        yield each if isinstance(each, Line) else Line("Container", "Volume", whole(each.value(service.app)))
    yield from _guarded("updates", lambda: _updates(service), report)
    yield from _guarded("labels", lambda: _labels(service), report)
    yield from made_folders([each for each in mounts if isinstance(each, Mount)])
    yield from _service(service, report)
    yield Line("Install", "WantedBy", "multi-user.target")


def _guarded(key: str, make: Callable[[], Iterator[Line]], report: Report) -> list[Line]:
    try:
        return list(make())
    except Refused as refused:
        report(key, refused)
        return []


def _keys(service: Service, report: Report) -> Iterator[Line]:
    if not service.spec.get("image") and "build" not in service.spec:
        report("image", reading.wrong("is missing", "name the image that the service runs"))
    for key, value in service.spec.items():
        if key in _OWN or key in _MOUNTS or str(key).startswith("x-"):
            continue
        if key not in WHOLE and key not in EACH:
            report(key, Refused("podman's quadlets have nothing like it", REMEDIES.get(key, "leave it out")))
        elif value is not None and key in WHOLE:
            yield from _guarded(key, lambda key=key, value=value: WHOLE[key](service, value), report)  # type: ignore[misc]
        elif value is not None:
            yield from _items(service, key, value, report)


def _items(service: Service, key: str, value: Any, report: Report) -> Iterator[Line]:
    for index, item in enumerate(value if isinstance(value, list) else [value]):
        place = f"{key}[{index}]" if isinstance(value, list) else key
        yield from _guarded(place, lambda item=item: EACH[key](service, item), report)  # type: ignore[misc]


def _mounts(service: Service, report: Report) -> Iterator[Mount | Line]:
    for key in _MOUNTS:
        given = service.spec.get(key) or []
        if not isinstance(given, list):
            report(key, reading.wrong("is not a list", "write a - in front of each"))
            continue
        for index, written in enumerate(given):
            try:
                made = mount(service, written) if key == "volumes" else granted(service, key, written)
                if isinstance(made, Mount):
                    made.value(service.app)  # is its volume declared?
                yield made
            except Refused as refused:
                report(f"{key}[{index}]", refused)


def _dependencies(service: Service) -> Iterator[Line]:
    """Wants= and After=, not Requires=: that would stop the service for good when what it needs fails to start once.

    Just so podman rolls an image back: the first restart fails, the second succeeds, and nothing starts again what hung on it.
    """
    given = service.spec.get("depends_on") or {}
    for name, options in (dict.fromkeys(given) if isinstance(given, list) else reading.mapping(given)).items():
        other = service.app.services.get(name)
        if other is None:
            raise reading.wrong(f"{name} is no service of the app", f"services: {', '.join(service.app.services)}")
        spec = reading.mapping(options)
        reading.only(spec, {"condition", "required", "restart"}, "leave it out")
        _check_condition(other, spec.get("condition", "service_started"))
        for key in ("Wants", "After", *(["PartOf"] if reading.truth(spec.get("restart") or False) else [])):
            yield Line("Unit", key, f"{other.unit}.service")


def _check_condition(other: Service, condition: Any) -> None:
    if condition == "service_completed_successfully":
        raise Refused(
            f"{other.name} would have to end, and podman's units keep running", "let the image of the service do its work"
        )
    if condition not in ("service_started", "service_healthy"):
        raise reading.wrong(f"the condition {condition!r} is not known", "write service_started or service_healthy")
    if condition == "service_healthy" and not is_checked(other):
        raise Refused(f"{other.name} has no healthcheck in the compose file", f"write one for {other.name}")


def _updates(service: Service) -> Iterator[Line]:
    if service.policy == "auto+revert" and not is_checked(service):
        raise Refused(
            "auto+revert without a healthcheck: podman would take any image for a good one that starts", "write one, or use auto"
        )
    if service.policy in ("auto", "auto+revert"):
        yield Line("Container", "AutoUpdate", "registry")  # podman rolls back by itself either way
    elif service.policy not in ("notify", "off"):
        raise reading.wrong(f"{service.policy!r} is no policy", "write auto, notify, off or auto+revert")


def _labels(service: Service) -> Iterator[Line]:
    own = reading.pairs(service.spec.get("labels") or {})
    if AUTOUPDATE_LABEL in own:
        raise Refused(f"{AUTOUPDATE_LABEL} contradicts the app's update policy", "set updates under x-zerotoil")
    if service.policy == "notify":
        own.setdefault("zerotoil.updates", "notify")
    for label in [*(f"{name}={value or ''}" for name, value in own.items()), *service.app.labels()]:
        yield Line("Container", "Label", words([label]))


def _service(service: Service, report: Report) -> Iterator[Line]:
    yield Line("Service", "Environment", f"REGISTRY_AUTH_FILE={REGISTRY_LOGINS}")  # podman's own; the container does not get it
    yield from _guarded("restart", lambda: _restart(service), report)
    yield from _guarded(
        "healthcheck", lambda: iter([Line("Service", "TimeoutStartSec", str(start_seconds(service)))]), lambda *_: None
    )


def _restart(service: Service) -> Iterator[Line]:
    written = reading.text(service.spec.get("restart") or "no")
    # A unit that was stopped by hand starts again with the machine: unless-stopped cannot be told from always.
    known = {"no": "no", "false": "no", "always": "always", "unless-stopped": "always", "on-failure": "on-failure"}
    if written not in known:
        raise Refused(f"{written!r} cannot be expressed", "write no, always, unless-stopped or on-failure")
    yield Line("Service", "Restart", known[written])
    # Longer than systemd's limit of five starts in ten seconds, which would end all restarts.
    yield Line("Service", "RestartSec", str(_RESTART_SECONDS))


def _stop(service: Service) -> Iterator[Line]:
    if "stop_grace_period" not in service.spec:
        return
    grace = reading.whole_seconds(service.spec["stop_grace_period"])
    yield Line("Container", "StopTimeout", str(grace))
    if grace + _STOP_SECONDS > _SYSTEMD_STOP_SECONDS:  # systemd would kill what podman still waits for
        yield Line("Service", "TimeoutStopSec", str(grace + 3 * _STOP_SECONDS))
