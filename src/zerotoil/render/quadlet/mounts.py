"""What a container sees of the guest's files: volumes, secrets, configs, tmpfs, env files. Pure.

Three differences from Docker are made up for here. Podman makes no missing folder for a bind mount: a line before the start
makes it. It removes anonymous volumes with the container, which goes at every stop: they are refused. And secrets of a file
become bind mounts, as Compose makes them, with the SELinux label that lets just their services read them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from zerotoil.render.quadlet import reading
from zerotoil.render.quadlet.app import App, Service
from zerotoil.render.quadlet.networks import volume_source
from zerotoil.render.quadlet.text import Line, Refused, whole, words

PODMAN_SOCKET = "/run/podman/podman.sock"
_DOCKER_SOCKETS = ("/run/docker.sock", "/var/run/docker.sock")
_NO_MEANING = {"cached", "delegated", "consistent"}  # Docker Desktop's; nothing on Linux
_OPTIONS = {
    "ro", "rw", "z", "Z", "U", "copy", "nocopy", "exec", "noexec", "suid", "nosuid", "dev", "nodev",
    "shared", "slave", "private", "rshared", "rslave", "rprivate",
}  # fmt: skip
_MAKE = 'for path; do [ -e "$path" ] || mkdir -p "$path" || exit; done'


@dataclass(frozen=True)
class Mount:
    """One bind mount or named volume. `source` is an absolute path when `bind`, else a name of the compose file."""

    bind: bool
    source: str
    target: str
    options: tuple[str, ...] = ()
    make: bool = False  # a folder that is made when it is missing

    def value(self, app: App) -> str:
        """What Volume= is given."""
        source = self.source if self.bind else volume_source(app, self.source)
        return ":".join([source, self.target, *([",".join(self.options)] if self.options else [])])


def mount(service: Service, written: Any) -> Mount | Line:
    """One entry under volumes; a Line for a tmpfs."""
    return _long(service.app, written) if isinstance(written, Mapping) else _short(service.app, reading.text(written))


def _short(app: App, written: str) -> Mount:
    source, _, rest = written.partition(":")
    target, _, options = rest.partition(":")
    if not target:
        raise _anonymous(written)
    bind = source.startswith((".", "/", "~"))
    return _mount(app, bind, source, target, options.split(",") if options else [], make=True)


def _long(app: App, written: Mapping[str, Any]) -> Mount | Line:
    reading.only(written, {"type", "source", "target", "read_only", "bind", "volume", "tmpfs", "consistency"}, "leave it out")
    kind, target = written.get("type"), reading.text(written.get("target") or "")
    if kind == "tmpfs":
        return _tmpfs(target, reading.mapping(written.get("tmpfs")))
    if kind not in ("bind", "volume"):
        raise Refused(f"a mount of the type {kind!r} cannot be expressed", "write bind, volume or tmpfs")
    if not written.get("source"):
        raise _anonymous(target)
    options, make = _long_options(written)
    return _mount(app, kind == "bind", reading.text(written["source"]), target, options, make=make)


def _long_options(written: Mapping[str, Any]) -> tuple[list[str], bool]:
    options = ["ro"] if reading.truth(written.get("read_only") or False) else []
    bind, volume = reading.mapping(written.get("bind")), reading.mapping(written.get("volume"))
    reading.only(bind, {"propagation", "create_host_path", "selinux"}, "leave it out")
    reading.only(volume, {"nocopy"}, "leave it out")
    options += [reading.text(bind[key]) for key in ("selinux", "propagation") if bind.get(key)]
    options += ["nocopy"] if reading.truth(volume.get("nocopy") or False) else []
    return options, reading.truth(bind.get("create_host_path", True))


def _mount(app: App, bind: bool, source: str, target: str, options: list[str], *, make: bool) -> Mount:
    unknown = [option for option in options if option not in _OPTIONS | _NO_MEANING]
    if unknown:
        raise Refused(f"podman has no mount option {', '.join(unknown)}", f"leave it out; known: {', '.join(sorted(_OPTIONS))}")
    kept = tuple(option for option in options if option not in _NO_MEANING)
    if not target.startswith("/") or ":" in target:
        raise reading.wrong(f"{target!r} is no absolute path in the container", "write for instance ./data:/data:Z")
    if not bind:
        return Mount(False, source, target, kept)
    path = app.path(source)
    if path in _DOCKER_SOCKETS:
        raise Refused(
            "a host with podman has no Docker", f"bind podman's socket, which speaks the same: {PODMAN_SOCKET}:{target}"
        )
    return Mount(True, path, target, kept, make=make and app.is_own(path) and not app.known(path))


def _anonymous(written: str) -> Refused:
    return Refused(
        f"{written} has no source, and podman removes such a volume with the container, at every stop",
        f"bind a folder of the app: ./data:{written or '/data'}:Z",
    )


def _tmpfs(target: str, options: Mapping[str, Any]) -> Line:
    reading.only(options, {"size", "mode"}, "leave it out")
    made = [f"size={reading.size(options['size'])}"] if options.get("size") else []
    if options.get("mode"):
        made.append(f"mode={_mode(options['mode'])}")
    return Line("Container", "Tmpfs", whole(":".join([target, *([",".join(made)] if made else [])])))


def _mode(written: Any) -> str:
    if isinstance(written, int):
        return f"{written:o}"
    if not re.fullmatch("(0o)?[0-7]{3,5}", str(written)):
        raise reading.wrong(f"{written!r} is not a mode", 'write for instance "1777"')
    return str(written).removeprefix("0o")


def granted(service: Service, kind: str, written: Any) -> Mount:
    """One entry under secrets or configs, as a read-only bind mount of its file."""
    spec = reading.mapping(written) if isinstance(written, Mapping) else {"source": reading.text(written)}
    reading.only(spec, {"source", "target"}, "give the file itself its mode and owner: a bind mount keeps them")
    name = reading.text(spec.get("source") or "")
    path = _file(service.app, kind, name)
    usual = f"/run/secrets/{name}" if kind == "secrets" else f"/{name}"
    target = reading.text(spec.get("target") or usual)
    if not target.startswith("/"):
        target = f"/run/secrets/{target}" if kind == "secrets" else f"/{target}"
    return Mount(True, path, target, ("ro", *_label(service.app, path)))


def _file(app: App, kind: str, name: str) -> str:
    spec = app.declared(kind, name)
    if "file" not in spec or set(spec) - {"file", "name"}:
        given = ", ".join(key for key in spec if key != "file") or "nothing"
        raise Refused(f"{name} is declared by {given}, and podman gets its files only from a file", f"write file: ./{name}")
    return app.path(reading.text(spec["file"]))


def _label(app: App, path: str) -> list[str]:
    """Z for a file of one service, z for a shared one; a file that is not the app's is never relabelled."""
    if not app.is_own(path):
        return []
    return ["z"] if len(_users(app, path)) > 1 else ["Z"]


def _users(app: App, path: str) -> set[str]:
    """The services that mount a path, by whatever key."""
    return {service.name for service in app.services.values() if path in _paths(service)}


def _paths(service: Service) -> Iterator[str]:
    for kind in ("secrets", "configs"):
        for written in _list(service.spec.get(kind)):
            name = str(written.get("source") if isinstance(written, Mapping) else written)
            file = reading.mapping(service.app.section(kind).get(name)).get("file")
            if file:
                yield service.app.path(reading.text(file))
    for written in _list(service.spec.get("volumes")):
        source = written.get("source") if isinstance(written, Mapping) else str(written).partition(":")[0]
        if str(source).startswith((".", "/")):
            yield service.app.path(str(source))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def env_file(service: Service, written: Any) -> Line:
    """One entry under env_file."""
    spec = reading.mapping(written) if isinstance(written, Mapping) else {"path": reading.text(written)}
    reading.only(spec, {"path", "required", "format"}, "leave it out")
    if not reading.truth(spec.get("required", True)):
        raise Refused("podman needs the file to be there", "leave required out, and ship an empty file")
    return Line("Container", "EnvironmentFile", words([service.app.path(reading.text(spec.get("path") or ""))]))


def made_folders(mounts: list[Mount]) -> Iterator[Line]:
    """The line that makes the folders which Docker would make."""
    paths = list(dict.fromkeys(each.source for each in mounts if each.make))
    if paths:
        yield Line("Service", "ExecStartPre", words(["/bin/sh", "-c", _MAKE, "sh", *paths]))
