"""What an OS that looks after itself is told: its declaration, its window's timer, Zincati's configuration. Pure.

Sources: systemd.timer(5), systemd.time(7); Zincati's usage/updates-strategy and its config fragments (dist/config.d).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator

from zerotoil.model.image import ImageRef
from zerotoil.model.os_updates import OsSpec
from zerotoil.model.os_window import DAYS, LEAST, Window, clock
from zerotoil.model.spec import HostSpec
from zerotoil.render.registry import podman_auth

_AGAIN = 10  # minutes between two looks whether the host may restart
_TIMER = (
    "[Unit]\nDescription=Restart into a newer OS in the window\n[Timer]\n{lines}\nAccuracySec=10s\n"
    "[Install]\nWantedBy=timers.target\n"
)
_ZINCATI = "# Written by zerotoil.\n[updates]\n{lines}\n"


def declared(spec: HostSpec) -> str:
    """What os.sh and health.sh go by (declared.json)."""
    os, podman = spec.os, spec.container.backend == "podman"
    told = {
        "source": os.source,
        "reference": os.reference,
        "backend": os.backend,
        "strategy": os.follows or None,
        "windows": [{"days": list(one.days), "start": clock(one.start), "minutes": one.minutes} for one in os.window],
        "timezone": os.timezone,
        "offset": spec.os_offset,
        "fleet_lock": os.fleet_lock,
        "apply_live": os.apply_live,
        "packages": os.packages,
        "signed": os.signature_key is not None,
        "grace": os.grace,
        "stale_after": os.stale_after,
        "engine": "docker" if spec.docker.enabled else "podman" if podman else "none",
        "k3s": bool(spec.k3s.role),
        "apps": list(spec.apps.run),
    }
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def login(spec: HostSpec) -> str | None:
    """auth.json with the login of the image's registry; None where it has none. Reveals it."""
    if not spec.os.own_image:
        return None
    registry = ImageRef.parse(spec.os.source).registry
    declared = spec.registry.logins.get(registry)
    return podman_auth({registry: declared}) if declared else None


def restart_timer(spec: HostSpec) -> str | None:
    """The timer that restarts the host within its turn of a window; None where it goes by none."""
    if not spec.os.own_image or spec.os.follows != "window":
        return None
    times = [f"OnCalendar={time} {spec.os.timezone}" for window in spec.os.window for time in _times(window, spec)]
    return _TIMER.format(lines="\n".join(times))


def _times(window: Window, spec: HostSpec) -> Iterator[str]:
    """OnCalendar= values of the host's turn, every ten minutes. Not Persistent=: later the window is closed."""
    minutes_of: dict[tuple[tuple[str, ...], int], list[int]] = defaultdict(list)
    begins = spec.os_offset // 60
    for passed in range(begins, begins + _length(window, spec), _AGAIN):
        days, moment = window.at(passed)
        minutes_of[days, moment // 60].append(moment % 60)
    hours_of: dict[tuple[tuple[str, ...], tuple[int, ...]], list[int]] = defaultdict(list)
    for (days, hour), minutes in minutes_of.items():
        hours_of[days, tuple(minutes)].append(hour)
    for (days, at), hours in hours_of.items():
        weekdays = "" if len(days) == len(DAYS) else f"{','.join(days)} "
        yield f"{weekdays}*-*-* {_joined(tuple(sorted(hours)))}:{_joined(at)}:00"


def _length(window: Window, spec: HostSpec) -> int:
    """Minutes of the host's turn: a host that is blocked does not wait into the turn of the next."""
    left = window.minutes - spec.os_offset // 60
    return left if spec.os_turn.of == 1 else min(left, max(spec.os.stagger // 60, LEAST))


def _joined(numbers: tuple[int, ...]) -> str:
    return ",".join(f"{number:02}" for number in numbers)


def zincati(spec: HostSpec) -> str | None:
    """Zincati's fragment for a stream; None where it goes by its own."""
    os = spec.os
    if os.own_image or not os.follows:
        return None
    if os.follows == "off":
        return _ZINCATI.format(lines="enabled = false")
    if os.follows == "window":
        return _ZINCATI.format(lines="\n".join(['strategy = "periodic"', *_periodic(spec)]))
    if os.follows == "fleet-lock":
        return _ZINCATI.format(lines=f'strategy = "fleet_lock"\n[updates.fleet_lock]\nbase_url = "{os.fleet_lock}/"')
    return _ZINCATI.format(lines='strategy = "immediate"')


def _periodic(spec: HostSpec) -> Iterator[str]:
    """The host's own part of each window, since Zincati restarts at any time of one."""
    yield f'[updates.periodic]\ntime_zone = "{spec.os.timezone}"'
    offset = spec.os_offset // 60
    for window in spec.os.window:
        days, start = window.at(offset)
        length = _length(window, spec)
        names = ", ".join(f'"{day}"' for day in days)
        yield f'[[updates.periodic.window]]\ndays = [ {names} ]\nstart_time = "{clock(start)}"\nlength_minutes = {length}'


def describes(os: OsSpec) -> str:
    """Where updates come from, as a person reads it."""
    return os.source if os.own_image else f"the stream {os.stream}"
