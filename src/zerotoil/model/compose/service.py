"""One service of a compose file, whatever syntax it is written in. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from zerotoil.model.compose.mounts import Bind, NamedVolume, is_true, read_mount
from zerotoil.model.compose.ports import Port, read_ports
from zerotoil.model.compose.settings import UPDATES, UPDATES_LABEL, Updates
from zerotoil.model.compose.source import Place

_LABEL_OFF = ("label=disable", "label:disable")
_WITH_CONDITION = "service_started"  # what a plain list of depends_on means

Trouble = Callable[[Place, str], None]


@dataclass(frozen=True)
class Service:
    """A service. What is not written is empty; variables are replaced."""

    name: str
    image: str = ""
    updates: Updates = "auto"  # its label, else the app's policy, else the host's
    labels: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str | None] = field(default_factory=dict)  # None: taken from Compose's own environment
    env_file: tuple[str, ...] = ()
    ports: tuple[Port, ...] = ()
    binds: tuple[Bind, ...] = ()
    volumes: tuple[NamedVolume, ...] = ()
    depends_on: Mapping[str, str] = field(default_factory=dict)  # service -> condition
    healthcheck: bool = False  # declared here; the image may have one of its own
    security_opt: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    configs: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    restart: str = ""
    container_name: str = ""
    network_mode: str = ""
    replicas: int = 1
    privileged: bool = False
    api_socket: bool = False  # use_api_socket: Compose mounts the engine's socket itself
    build: bool = False

    @property
    def label_disabled(self) -> bool:
        """Whether it switches SELinux off for its container."""
        return any(option in _LABEL_OFF for option in self.security_opt)

    @property
    def confined(self) -> bool:
        """Whether SELinux keeps its container from files without its label."""
        return not self.label_disabled and not self.privileged


def read_service(app: str, name: str, given: Mapping[str, Any], updates: Updates, trouble: Trouble) -> Service:
    """The service; what cannot be read is told to `trouble` (place, words) and left out."""
    place: Place = ("services", name, "labels")
    mounts = _each(name, given, "volumes", lambda item, index: read_mount(app, item, index), trouble)
    ports = _each(name, given, "ports", read_ports, trouble)
    labels = {key: value or "" for key, value in pairs(given.get("labels")).items()}
    healthcheck = given.get("healthcheck") or {}
    deploy = given.get("deploy") or {}
    return Service(
        name=name,
        image=str(given.get("image") or ""),
        updates=_updates(labels, updates, lambda what: trouble((*place, entry(given.get("labels"), UPDATES_LABEL)), what)),
        labels=labels,
        environment=pairs(given.get("environment")),
        env_file=tuple(_env_files(given.get("env_file"))),
        ports=tuple(port for expanded in ports for port in expanded),
        binds=tuple(mount for mount in mounts if isinstance(mount, Bind)),
        volumes=tuple(mount for mount in mounts if isinstance(mount, NamedVolume)),
        depends_on=_depends_on(given.get("depends_on")),
        healthcheck=bool(healthcheck) and not is_true(healthcheck.get("disable")) and healthcheck.get("test") != ["NONE"],
        security_opt=tuple(map(str, _items(given.get("security_opt")))),
        secrets=_sources(given.get("secrets")),
        configs=_sources(given.get("configs")),
        profiles=tuple(map(str, _items(given.get("profiles")))),
        restart=str(given.get("restart") or ""),
        container_name=str(given.get("container_name") or ""),
        network_mode=str(given.get("network_mode") or ""),
        replicas=_number(given.get("scale", deploy.get("replicas"))),
        privileged=is_true(given.get("privileged")),
        api_socket=is_true(given.get("use_api_socket")),
        build="build" in given,
    )


def _each(name: str, given: Mapping[str, Any], key: str, read: Callable[[Any, int], Any], trouble: Trouble) -> list[Any]:
    """The entries of a list as `read` makes them."""
    made = []
    for index, item in enumerate(given.get(key) or []):
        if item is None:
            continue  # what the schema refused
        try:
            made.append(read(item, index))
        except ValueError as error:
            trouble(("services", name, key, index), f"services.{name}.{key}[{index}]: {error}")
    return made


def pairs(given: Any) -> dict[str, str | None]:
    """What Compose takes as a mapping or as a list of NAME=VALUE; None for a name without a value."""
    if isinstance(given, Mapping):
        return {str(key): None if value is None else text(value) for key, value in given.items()}
    entries = [str(entry).partition("=") for entry in _items(given)]
    return {name: value if equals else None for name, equals, value in entries}


def entry(given: Any, name: str) -> str | int:
    """The place of a name in what is a mapping or a list of NAME=VALUE: itself, or its index."""
    if isinstance(given, Mapping):
        return name
    return next((index for index, item in enumerate(given or []) if str(item).partition("=")[0] == name), 0)


def text(value: Any) -> str:
    """A plain value as Compose passes it on: true, not True."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _updates(labels: Mapping[str, str], updates: Updates, trouble: Callable[[str], None]) -> Updates:
    given = labels.get(UPDATES_LABEL, updates)
    if given in UPDATES:
        return cast(Updates, given)
    trouble(f"{given!r} is not known; write {', '.join(UPDATES[:-1])} or {UPDATES[-1]}")
    return updates


def _depends_on(given: Any) -> dict[str, str]:
    if isinstance(given, Mapping):
        return {str(name): str((how or {}).get("condition", _WITH_CONDITION)) for name, how in given.items()}
    return {str(name): _WITH_CONDITION for name in _items(given)}


def _env_files(given: Any) -> list[str]:
    entries = _items(given) if isinstance(given, list) else [given] if given else []
    return [str(entry["path"] if isinstance(entry, Mapping) else entry) for entry in entries]


def _sources(given: Any) -> tuple[str, ...]:
    return tuple(str(entry.get("source", "") if isinstance(entry, Mapping) else entry) for entry in _items(given))


def _items(given: Any) -> list[Any]:
    """A list without the items that the schema refused."""
    return [item for item in given or [] if item is not None]


def _number(given: Any) -> int:
    return int(given) if str(given).isdigit() else 1
