"""SELinux labels of mounts: data gets one, the host's own files never do. Pure.

On Fedora CoreOS a container reads only files that are labelled for containers. `z` labels them for every container, `Z` for
one alone. The label is written to the files themselves, so on a path of the host's system it breaks the host.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from zerotoil.error_codes import Code
from zerotoil.model.compose import hostpath
from zerotoil.model.compose.app import App
from zerotoil.model.compose.findings import Finding
from zerotoil.model.compose.hostpath import Where
from zerotoil.model.compose.mounts import Bind
from zerotoil.model.compose.service import Service
from zerotoil.model.compose.source import Place


def selinux(app: App) -> Iterator[Finding]:
    """Findings about labels that are missing, harmful or useless, and about SELinux switched off."""
    for service in app.services.values():
        for bind in service.binds:
            if what := _of_bind(app, service, bind):
                place: Place = ("services", service.name, "volumes", bind.index)
                yield _finding(app, place, f"services.{service.name}.volumes[{bind.index}]: {what}")
        for kind in ("secrets", "configs"):
            yield from _of_files(app, service, kind)
        yield from _switched_off(app, service)


def _of_bind(app: App, service: Service, bind: Bind) -> str:
    """What is wrong with one mount's label; empty if nothing is."""
    if not bind.where.labelled:
        if bind.selinux:
            return (
                f"{bind.selinux} would relabel {bind.source}, which is {bind.where.value}, and break the host; "
                f"write {bind.unlabelled()}"
            )
        return ""
    sharers = _sharers(app, service, bind)
    label = "z" if sharers or bind.where in (Where.DATA, Where.VOLUME) else "Z"
    if service.confined and bind.selinux and bind.drops_selinux:
        return f"Compose drops {bind.selinux} next to {bind.drops_selinux}, so the container could not read it; leave one out"
    if bind.selinux == "Z" and label == "z":
        by = (
            f"{' and '.join(sharers)} {'mounts' if len(sharers) == 1 else 'mount'} it too"
            if sharers
            else "other apps may read it"
        )
        return f"Z keeps {bind.source} for this container alone, and {by}; write {bind.labelled('z')}"
    if service.confined and not bind.selinux:
        return f"{bind.source} has no SELinux label, so the container could not read it; write {bind.labelled(label)}"
    return ""


def _sharers(app: App, service: Service, bind: Bind) -> list[str]:
    """Who else has the files of a mount."""
    others = [
        other.name
        for other in app.services.values()
        if other.name != service.name and other.confined and any(_shared(bind, theirs) for theirs in other.binds)
    ]
    return others or (["another container of it"] if service.replicas > 1 else [])


def _shared(bind: Bind, other: Bind) -> bool:
    return other.where.labelled and hostpath.overlap(bind.path, other.path)


def _of_files(app: App, service: Service, kind: str) -> Iterator[Finding]:
    """Compose mounts the file of a secret or config without a label, and has no option for one."""
    names = service.secrets if kind == "secrets" else service.configs
    for index, name in enumerate(names if service.confined else ()):
        given = app.part(kind).get(name)
        file = str(given.get("file") or "") if isinstance(given, Mapping) else ""
        if not file:
            continue
        target = f"/run/secrets/{name}" if kind == "secrets" else f"/{name}"
        what = (
            f"services.{service.name}.{kind}: Compose mounts {file} without a SELinux label, so the container could not "
            f'read it; write it below volumes: - "{file}:{target}:ro,{"Z" if _only_user(app, service, kind, name) else "z"}"'
        )
        yield _finding(app, ("services", service.name, kind, index), what)


def _only_user(app: App, service: Service, kind: str, name: str) -> bool:
    others = (other for other in app.services.values() if other.name != service.name)
    return service.replicas == 1 and not any(name in (other.secrets if kind == "secrets" else other.configs) for other in others)


def _switched_off(app: App, service: Service) -> Iterator[Finding]:
    place: Place = ("services", service.name, "security_opt")
    socket = service.api_socket or any(bind.where is Where.SOCKET for bind in service.binds)
    if socket and service.confined:
        what = f"services.{service.name}: SELinux keeps containers from the socket; write security_opt: [label=disable]"
        yield _finding(app, place, what)
    if service.label_disabled and not socket and all(bind.where.labelled for bind in service.binds):
        what = (
            f"services.{service.name}: label=disable takes SELinux away, and only a mounted socket or path of the host needs "
            "that; leave it out"
        )
        yield _finding(app, place, what)


def _finding(app: App, place: Place, what: str) -> Finding:
    return app.finding(Code.COMPOSE_LABEL, place, what)
