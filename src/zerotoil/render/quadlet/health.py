"""Health checks of a service, and how long a start may take. Pure.

With a health check the unit has Notify=healthy: the start ends when the container is healthy, and fails at TimeoutStartSec
when it never is. This is what lets podman's own rollback see a broken image: it puts the old image back when the restart of
the unit fails, and a container that merely runs counts as started (podman-auto-update(1), --rollback). It makes
`condition: service_healthy` true as well, since systemd orders by the end of the start.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from zerotoil.render.quadlet import reading
from zerotoil.render.quadlet.app import Service
from zerotoil.render.quadlet.text import Line, Refused, whole

_KEYS = {"test", "interval", "timeout", "retries", "start_period", "disable"}
_WORDS = ("CMD", "CMD-SHELL", "NONE")
_INTERVAL = _TIMEOUT = 30  # seconds; the defaults of Compose and of podman
_RETRIES = 3
_MARGIN = 120  # seconds for all that is not the check: a pull prolongs the start by itself, relabelling files does not
_PLAIN = 300  # seconds, without a check


def health_lines(service: Service) -> Iterator[Line]:
    """The check itself; nothing when the service has none of its own."""
    spec = reading.mapping(service.spec.get("healthcheck"))
    reading.only(spec, _KEYS, "leave it out")
    if not spec:
        return
    if not is_checked(service):
        yield Line("Container", "HealthCmd", "none")
        return
    yield Line("Container", "HealthCmd", whole(_command(_test(spec))))
    for key, name in (("interval", "HealthInterval"), ("timeout", "HealthTimeout"), ("start_period", "HealthStartPeriod")):
        if key in spec:
            yield Line("Container", name, _duration(key, spec[key]))
    if "retries" in spec:
        yield Line("Container", "HealthRetries", str(_retries(spec)))
    yield Line("Container", "Notify", "healthy")


def is_checked(service: Service) -> bool:
    """Has the service a health check of its own that is not switched off? An image's own one is not seen."""
    spec = reading.mapping(service.spec.get("healthcheck"))
    return bool(spec) and not reading.truth(spec.get("disable") or False) and _test(spec)[0] != "NONE"


def start_seconds(service: Service) -> int:
    """How long the start may take: until the check has failed as often as it may."""
    if not is_checked(service):
        return _PLAIN
    spec = reading.mapping(service.spec.get("healthcheck"))
    period = reading.whole_seconds(spec.get("start_period", "0s"))
    once = reading.seconds(spec.get("interval", f"{_INTERVAL}s")) + reading.seconds(spec.get("timeout", f"{_TIMEOUT}s"))
    return _MARGIN + period + int(_retries(spec) * once)


def _test(spec: Mapping[str, Any]) -> list[str]:
    test = spec.get("test")
    if not test:
        raise Refused("test is missing, and podman does not change the check of an image by parts", "write the test too")
    if isinstance(test, str):
        return ["CMD-SHELL", test]
    found = reading.texts(test)
    fits = {"CMD": len(found) > 1, "CMD-SHELL": len(found) == 2, "NONE": True}
    if not fits.get(found[0]):
        raise reading.wrong(
            f"{test!r} is not CMD with a command, CMD-SHELL with one text, or NONE", 'write ["CMD", "pg_isready"]'
        )
    return found


def _command(test: list[str]) -> str:
    """The check as `podman run --health-cmd` takes it (pkg/specgenutil, MakeHealthCheckFromCli)."""
    kind, *argv = test
    if kind == "CMD-SHELL":
        return json.dumps(test, ensure_ascii=False)
    if argv[0].upper() in _WORDS or "" in argv:
        raise Refused(f"podman would misread the check {test!r}", "write it as CMD-SHELL")
    if len(argv) > 1:
        return json.dumps(argv, ensure_ascii=False)
    # A list of one would be run by a shell, which the image may not have; CMD in front is split at blanks.
    if any(letter.isspace() for letter in argv[0]) or argv[0].startswith("["):
        raise Refused(f"podman would misread the check {test!r}", "write it as CMD-SHELL")
    return f"CMD {argv[0]}"


def _duration(key: str, value: Any) -> str:
    if key != "start_period" and not reading.seconds(value):
        raise reading.wrong(f"{key} {value!r} is no time at all", "write for instance 30s")
    return str(value)


def _retries(spec: Mapping[str, Any]) -> int:
    value = spec.get("retries", _RETRIES)
    if not str(value).isdigit() or int(value) < 1:
        raise reading.wrong(f"retries {value!r} is not a whole number of at least 1", "write for instance 3")
    return int(value)
