"""Mounts of a service, in Compose's short and long syntax. Pure.

Source: compose-go's format/volume.go, and for what becomes of the SELinux option docker/compose's pkg/compose/create.go:
only a plain bind goes the way that knows it; with propagation, recursive or create_host_path: false it is silently dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from zerotoil.model.compose import hostpath
from zerotoil.model.compose.hostpath import Where

_LABELS = ("z", "Z")
_PROPAGATION = ("rprivate", "private", "rshared", "shared", "rslave", "slave")


@dataclass(frozen=True)
class Bind:
    """A file or folder of the host in a container."""

    source: str  # as written
    path: str  # where that is on the host
    where: Where
    target: str
    read_only: bool = False
    selinux: str = ""  # "z", "Z" or ""
    drops_selinux: str = ""  # the option beside it for which Compose drops the label
    short: bool = True  # SOURCE:TARGET:OPTIONS, not a mapping
    options: tuple[str, ...] = ()  # of the short syntax
    index: int = 0  # in the service's list

    def labelled(self, label: str) -> str:
        """The line that gives it a label, as it would stand in the file."""
        if not self.short:
            return f"bind: {{selinux: {label}}}"
        kept = [option for option in self.options if option not in _LABELS]
        return f'- "{self.source}:{self.target}:{",".join([*kept, label])}"'

    def unlabelled(self) -> str:
        """The line without a label."""
        if not self.short:
            return "it without bind.selinux"
        kept = [option for option in self.options if option not in _LABELS]
        return f'- "{":".join([self.source, self.target, *filter(None, [",".join(kept)])])}"'


@dataclass(frozen=True)
class NamedVolume:
    """A volume of the engine in a container."""

    name: str
    target: str
    read_only: bool = False
    index: int = 0


def read_mount(app: str, given: Any, index: int) -> Bind | NamedVolume | None:
    """The mount of one entry; None for one without a source on the host or a name. Raises ValueError in words."""
    return _long(app, given, index) if isinstance(given, dict) else _short(app, str(given), index)


def _short(app: str, text: str, index: int) -> Bind | NamedVolume | None:
    parts = text.split(":")
    if not all(parts) or len(parts) > 3:
        raise ValueError(f"{text!r} is no mount; write for instance ./data:/data:Z")
    if len(parts) == 1:
        return None  # an anonymous volume
    source, target = parts[:2]
    options = tuple(parts[2].split(",")) if len(parts) == 3 else ()
    if not target.startswith("/"):
        raise ValueError(f"{target!r} is no place in the container; write a path from /, for instance {source}:/data")
    if source[0] not in "./~":
        return NamedVolume(source, target, "ro" in options, index)
    path = hostpath.absolute(app, source)
    bind = Bind(source, path, hostpath.where(app, path), target, "ro" in options, options=options, index=index)
    label = next((option for option in options if option in _LABELS), "")
    return replace(bind, selinux=label, drops_selinux=next((option for option in options if option in _PROPAGATION), ""))


def _long(app: str, given: dict[str, Any], index: int) -> Bind | NamedVolume | None:
    source, target = str(given.get("source") or ""), str(given.get("target") or "")
    if not target:
        raise ValueError("target is missing; write the path in the container")
    read_only = is_true(given.get("read_only"))
    if given.get("type") == "volume":
        return NamedVolume(source, target, read_only, index) if source else None
    if given.get("type") != "bind":
        return None
    if not source:
        raise ValueError("source is missing; write the path on the host")
    options = given.get("bind") or {}
    dropping = [name for name in ("propagation", "recursive") if options.get(name)]
    if "create_host_path" in options and not is_true(options["create_host_path"]):
        dropping.append("create_host_path: false")
    path = hostpath.absolute(app, source)
    bind = Bind(source, path, hostpath.where(app, path), target, read_only, short=False, index=index)
    return replace(bind, selinux=str(options.get("selinux") or ""), drops_selinux="".join(dropping[:1]))


def is_true(value: Any) -> bool:
    """A switch of a compose file, which may be text for the sake of variables."""
    return value is True or str(value).lower() in ("true", "yes", "on", "1", "y")
