"""The keys of a compose service and how each is said in a .container unit: one table for whole values, one for lists. Pure.

Source: Compose specification, "Services"; podman-systemd.unit(5) of podman 5.4. A key that is in neither table is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from zerotoil.render.quadlet import reading
from zerotoil.render.quadlet.app import Service
from zerotoil.render.quadlet.images import qualified
from zerotoil.render.quadlet.mounts import env_file
from zerotoil.render.quadlet.text import Line, Refused, bare, whole, words

Handler = Callable[[Service, Any], Iterator[Line]]
_PORT = re.compile(
    r"(?:(?P<ip>\[[0-9a-fA-F:.]+\]|\d+\.\d+\.\d+\.\d+):)?(?:(?P<published>\d+(?:-\d+)?)?:)?(?P<target>\d+(?:-\d+)?)"
    r"(?P<protocol>/(?:tcp|udp|sctp))?"
)
_CONTAINER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def _one(key: str, write: Callable[[str], str] = whole, read: Callable[[Any], str] = reading.text) -> Handler:
    def handler(_service: Service, value: Any) -> Iterator[Line]:
        yield Line("Container", key, write(read(value)))

    return handler


def _flag(key: str) -> Handler:
    def handler(_service: Service, value: Any) -> Iterator[Line]:
        yield Line("Container", key, reading.text(reading.truth(value)))

    return handler


def _argument(option: str, read: Callable[[Any], str] = reading.text) -> Handler:
    """For what quadlet 5.4 has no key of its own."""

    def handler(_service: Service, value: Any) -> Iterator[Line]:
        yield Line("Container", "PodmanArgs", words([f"{option}={read(value)}"]))

    return handler


def _switch(option: str) -> Handler:
    def handler(_service: Service, value: Any) -> Iterator[Line]:
        if reading.truth(value):
            yield Line("Container", "PodmanArgs", option)

    return handler


def _named(key: str, write: Callable[[str], str]) -> Handler:
    """For NAME=VALUE, one line each."""

    def handler(_service: Service, value: Any) -> Iterator[Line]:
        for name, inner in reading.pairs(value).items():
            yield Line("Container", key, write(f"{name}={inner or ''}"))

    return handler


def _image(_service: Service, value: Any) -> Iterator[Line]:
    yield Line("Container", "Image", whole(qualified(reading.text(value))))


def _container_name(_service: Service, value: Any) -> Iterator[Line]:
    if not _CONTAINER_NAME.fullmatch(reading.text(value)):
        raise reading.wrong(f"{value!r} cannot be a container's name", "letters, digits, and . _ - inside")
    yield from ()  # the line itself is written for every service


def _environment(_service: Service, value: Any) -> Iterator[Line]:
    for name, inner in reading.pairs(value).items():
        if inner is None:
            raise Refused(
                f"{name} has no value, and a unit has no shell to take it from", f"write {name}: ${{{name}}}, or a value"
            )
        if not re.fullmatch(r"[^\s=*]+", name):
            raise reading.wrong(f"{name!r} cannot be the name of a variable", "no blanks, = or *")
        yield Line("Container", "Environment", words([f"{name}={inner}"]))


def _command(_service: Service, value: Any) -> Iterator[Line]:
    argv = reading.argv(value)
    if not argv:
        raise Refused("an empty command cannot be expressed", "leave it out, or set the entrypoint, which empties it too")
    yield Line("Container", "Exec", words(argv))


def _entrypoint(_service: Service, value: Any) -> Iterator[Line]:
    argv = reading.argv(value)
    if argv:
        yield Line("Container", "Entrypoint", whole(json.dumps(argv, ensure_ascii=False)))
    else:
        yield Line("Container", "PodmanArgs", "--entrypoint=")


def _user(_service: Service, value: Any) -> Iterator[Line]:
    user, _, group = reading.text(value).partition(":")
    yield Line("Container", "User", whole(user))
    if group:
        yield Line("Container", "Group", whole(group))


def _ulimits(_service: Service, value: Any) -> Iterator[Line]:
    for name, limit in reading.mapping(value).items():
        if isinstance(limit, dict):
            reading.only(limit, {"soft", "hard"}, "write soft and hard")
            limit = ":".join(reading.number(limit[kind]) for kind in ("soft", "hard") if kind in limit)
        yield Line("Container", "Ulimit", whole(f"{name}={limit}"))


def _hosts(_service: Service, value: Any) -> Iterator[Line]:
    if isinstance(value, list):
        entries = [re.split("[=:]", reading.text(item), maxsplit=1) for item in value]
    else:
        entries = [[name, address] for name, inner in reading.mapping(value).items() for address in reading.texts(inner)]
    for entry in entries:
        if len(entry) < 2 or not entry[1]:
            raise reading.wrong(f"{entry[0]!r} has no address", "write NAME=ADDRESS")
        yield Line("Container", "AddHost", whole(f"{entry[0]}:{entry[1].strip('[]')}"))


def _pull_policy(_service: Service, value: Any) -> Iterator[Line]:
    if value not in ("missing", "if_not_present"):
        raise Refused(f"{value!r}: the app's update policy says when an image is pulled", "set updates under x-zerotoil")
    yield from ()  # it is the default of all


def _expose(_service: Service, value: Any) -> Iterator[Line]:
    for port in reading.texts(value):
        if not re.fullmatch(r"\d+(-\d+)?(/(tcp|udp))?", port):
            raise reading.wrong(f"{port!r} is not a port", "write for instance 8080")
        yield Line("Container", "ExposeHostPort", port)


def _port(service: Service, value: Any) -> Iterator[Line]:
    written = _port_text(value) if isinstance(value, dict) else reading.text(value)
    found = _PORT.fullmatch(written)
    if not found:
        raise reading.wrong(f"{written!r} is not a port", "write for instance 127.0.0.1:8080:80, an IPv6 address in []")
    if found["published"] and _span(found["published"]) != _span(found["target"]):
        raise Refused(f"{written!r}: podman needs as many ports on the host as in the container", "write equally long ranges")
    if service.network_mode:
        raise Refused(f"a port cannot be published with network_mode {service.network_mode}", "leave one of them out")
    yield Line("Container", "PublishPort", whole(written))


def _port_text(value: dict[str, Any]) -> str:
    reading.only(value, {"target", "published", "host_ip", "protocol", "mode", "name", "app_protocol"}, "leave it out")
    address = reading.text(value.get("host_ip") or "")
    address = f"[{address}]" if ":" in address and not address.startswith("[") else address
    published = reading.text(value.get("published") or "")
    front = ":".join([*([address] if address else []), published]) + ":" if address or published else ""
    protocol = f"/{reading.text(value['protocol'])}" if value.get("protocol") else ""
    return f"{front}{reading.text(value.get('target') or '')}{protocol}"


def _span(ports: str) -> int:
    first, _, last = ports.partition("-")
    return int(last or first) - int(first)


def _device(_service: Service, value: Any) -> Iterator[Line]:
    if isinstance(value, dict):
        reading.only(value, {"source", "target", "permissions"}, "leave it out")
        value = ":".join(reading.text(value[key]) for key in ("source", "target", "permissions") if value.get(key))
    yield Line("Container", "AddDevice", bare(reading.text(value)))


def _security(_service: Service, value: Any) -> Iterator[Line]:
    kind, _, option = reading.text(value).replace("=", ":", 1).partition(":")
    if (kind, option) == ("label", "disable"):
        yield Line("Container", "SecurityLabelDisable", "true")
    elif kind == "label" and option.startswith("type:"):
        yield Line("Container", "SecurityLabelType", whole(option.removeprefix("type:")))
    elif kind == "no-new-privileges":
        yield Line("Container", "NoNewPrivileges", reading.text(reading.truth(option or True)))
    elif kind == "seccomp" and (option == "unconfined" or option.startswith("/")):
        yield Line("Container", "SeccompProfile", whole(option))
    else:
        known = "label=disable, label=type:TYPE, no-new-privileges, seccomp=unconfined or seccomp=/PATH"
        raise Refused(f"{value!r} cannot be expressed", f"write {known}")


def _env_file(service: Service, value: Any) -> Iterator[Line]:
    yield env_file(service, value)


WHOLE: dict[str, Handler] = {
    "image": _image,
    "container_name": _container_name,
    "pull_policy": _pull_policy,
    "entrypoint": _entrypoint,
    "command": _command,
    "environment": _environment,
    "user": _user,
    "working_dir": _one("WorkingDir"),
    "hostname": _one("HostName"),
    "extra_hosts": _hosts,
    "expose": _expose,
    "init": _flag("RunInit"),
    "read_only": _flag("ReadOnly"),
    "shm_size": _one("ShmSize", read=reading.size),
    "sysctls": _named("Sysctl", bare),
    "ulimits": _ulimits,
    "pids_limit": _one("PidsLimit", read=reading.number),
    "stop_signal": _one("StopSignal"),
    "annotations": _named("Annotation", lambda text: words([text])),
    "userns_mode": _one("UserNS"),
    "mem_limit": _argument("--memory", reading.size),
    "cpus": _argument("--cpus", reading.number),
    "pid": _argument("--pid"),
    "ipc": _argument("--ipc"),
    "platform": _argument("--platform"),
    "privileged": _switch("--privileged"),
    "tty": _switch("--tty"),
    "stdin_open": _switch("--interactive"),
}
EACH: dict[str, Handler] = {
    "ports": _port,
    "env_file": _env_file,
    "devices": _device,
    "cap_add": _one("AddCapability", bare),
    "cap_drop": _one("DropCapability", bare),
    "security_opt": _security,
    "group_add": _one("GroupAdd"),
    "tmpfs": _one("Tmpfs"),
    "dns": _one("DNS"),
    "dns_search": _one("DNSSearch"),
    "dns_opt": _one("DNSOption"),
}
REMEDIES = {
    "build": "build the image elsewhere, push it to a registry, and name it under image",
    "logging": "podman writes to the guest's journal; leave it out",
    "deploy": "write mem_limit, cpus or pids_limit instead",
    "profiles": "make the service an app of its own, which a host runs or not",
    "extends": "write the service in full",
    "links": "services find each other by name; leave it out",
    "scale": "write a service for each",
    "volumes_from": "write the volumes of each service",
}
