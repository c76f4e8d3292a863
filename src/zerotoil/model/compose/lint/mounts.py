"""What of the host a container may see without a reason: the app's own folder. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from zerotoil.error_codes import Code
from zerotoil.model.compose import hostpath
from zerotoil.model.compose.app import App
from zerotoil.model.compose.findings import Finding
from zerotoil.model.compose.hostpath import Where
from zerotoil.model.compose.lint.reason import unless
from zerotoil.model.compose.source import Place
from zerotoil.model.places import app_folder

_RULE = {Where.SOCKET: "docker-socket", Where.ROOT: "host-root", Where.ETC: "etc"}
_ROOT = ": whoever has it is root on the host"
_ZONES = ("/etc/localtime", "/etc/timezone")


def host_paths(app: App) -> Iterator[Finding]:
    """Findings about mounts of the host's files and folders."""
    for service in app.services.values():
        place: Place = ("services", service.name)
        for bind in service.binds:
            at: Place = (*place, "volumes", bind.index)
            yield from _judged(app, at, f"services.{service.name}.volumes[{bind.index}]", bind.source, bind.path, bind.where)
            if bind.path == app_folder(app.name) and not bind.read_only:
                what = "mounts the app's whole folder, so that the container could rewrite compose.yaml; mount ./data of it"
                yield app.finding(Code.COMPOSE_RULE, at, f"services.{service.name}.volumes[{bind.index}]: {what}")
        if service.api_socket:
            what = f"services.{service.name}: use_api_socket mounts the engine's socket{_ROOT}; leave it out"
            at = (*place, "use_api_socket")
            yield app.finding(Code.COMPOSE_RULE, at, what + unless("docker-socket"), "docker-socket")
    for kind in ("secrets", "configs"):
        for name, given in app.part(kind).items():
            if isinstance(given, Mapping) and given.get("file"):
                source = str(given["file"])
                path = hostpath.absolute(app.name, source)
                yield from _judged(app, (kind, name, "file"), f"{kind}.{name}", source, path, hostpath.where(app.name, path))
    yield from _disguised(app)


def _judged(app: App, place: Place, where: str, source: str, path: str, kind: Where) -> Iterator[Finding]:
    if kind in (Where.OWN, Where.VOLUME):
        return
    rule = _RULE.get(kind, "outside")
    what, right = f"{source} is {kind.value}", "leave it out"
    if kind is Where.SOCKET:
        what += _ROOT
    if path in _ZONES:
        right = "write TZ into environment: instead"
    elif rule == "outside":
        what = f"{source} is outside the app's folder"
        right = f"keep data in {app_folder(app.name)}, for instance ./data"
    what = f"{where}: {what}; {right}{unless(rule)}"
    yield app.finding(Code.COMPOSE_RULE, place, what, rule)


def _disguised(app: App) -> Iterator[Finding]:
    """A named volume with a device is a bind mount that no rule would see."""
    for name, given in app.part("volumes").items():
        options: Any = given.get("driver_opts") if isinstance(given, Mapping) else None
        device = str(options.get("device", "")) if isinstance(options, Mapping) else ""
        if device.startswith("/") and "bind" in str(options.get("o", "")):
            what = f"volumes.{name} is a bind mount of {device} in disguise; write it as one: - {device}:/…"
            yield app.finding(Code.COMPOSE_RULE, ("volumes", name, "driver_opts"), what)
