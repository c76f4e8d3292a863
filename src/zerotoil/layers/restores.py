"""What is beside a host's data: on the NAS, on the hypervisor and in the guest, whatever an interruption left. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from zerotoil.errors import LabError
from zerotoil.layers import snapshots
from zerotoil.layers.site import Site
from zerotoil.layers.snapshots import named
from zerotoil.model.restore import FOLDER, Restore, comment_prefix, is_name, name_in, name_of_target
from zerotoil.model.volumes import FIRST, Volume, further, volumes
from zerotoil.model.volumes import volume as data_volume
from zerotoil.resources.guest import beside
from zerotoil.resources.hypervisor.beside import BesideDisk, attached_names, is_on, pool_names
from zerotoil.resources.nas.beside import MARK, clone_name, is_marked, local, served
from zerotoil.resources.nas.clone import ancestry, origin, origin_of
from zerotoil.resources.nas.mark import dataset

_WHERE = {"ro": "mounted read-only at", "rw": "mounted, writable, at"}


@dataclass(frozen=True)
class Found:
    """One restore as it is; `used` in bytes; `mount`: "ro", "rw" or empty.

    `has` and `lacks` are its parts; `unknown` those that could not be looked for.
    """

    host: str
    name: str
    volume: str = FIRST
    snapshot: str = ""  # DATASET@NAME
    taken: datetime | None = None
    used: int = 0
    mount: str = ""
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """In words."""
        if self.lacks:
            return f"left behind: {', '.join(self.has)}; without {', '.join(self.lacks)}"
        if self.unknown:
            return f"not known: {', '.join(self.unknown)}"
        return f"{_WHERE.get(self.mount, 'mounted at')} {FOLDER}/{self.name}"

    @property
    def finish(self) -> str:
        """The command that completes one that was left behind; empty when nothing says of which snapshot it is."""
        of = "" if self.volume == FIRST else f" --volume {self.volume}"
        command = f"zerotoil restore {self.host} {self.snapshot} --beside --as {self.name}{of}"
        return command if self.snapshot and self.lacks else ""

    @property
    def drop(self) -> str:
        """The command that takes it apart."""
        return f"zerotoil restore {self.host} --drop {self.name}"

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "name": self.name,
            "volume": self.volume,
            "snapshot": self.snapshot or None,
            "taken": self.taken.isoformat() if self.taken else None,
            "used": self.used,
            "mount": self.mount or None,
            "has": list(self.has),
            "lacks": list(self.lacks),
            "unknown": list(self.unknown),
            "finish": self.finish or None,
            "drop": self.drop,
        }


@dataclass(frozen=True)
class Looked:
    """All of one host, and what could not be looked at."""

    found: tuple[Found, ...]
    problems: tuple[LabError, ...] = ()


@dataclass
class _Sight:
    """What was seen outside the NAS; None: it could not be looked at."""

    attached: set[str] | None = None
    logins: set[str] | None = None
    mounts: dict[str, str] | None = None
    problems: list[LabError] = field(default_factory=list)

    def see(self, read: Callable[[], Any]) -> Any:
        """What `read` says; a failure is kept, and None."""
        try:
            return read()
        except LabError as error:
            self.problems.append(error)
            return None


def find_snapshot(site: Site, given: str, volume: Volume | None = None) -> str:
    """A snapshot of a volume (the data volume) as DATASET@NAME; `given` may be that, its NAME, or "latest". Raises LabError."""
    volume = volume or data_volume(site.spec, FIRST)
    return named(snapshots.look(volume.spec, site.nas), site.spec.name, given, volume).id


def volume_of(site: Site, name: str) -> Volume:
    """The volume whose snapshot a restore shows, by its clone; the data volume where there is none."""
    restore, nas = Restore(site.spec, name), site.nas
    for one in further(site.spec):
        clone = clone_name(nas, restore, site.path_of(one))
        if origin_of(nas, clone).partition("@")[0] in ancestry(nas, site.path_of(one)):
            return one
    return data_volume(site.spec, FIRST)


def paths(site: Site) -> set[str]:
    """All volumes that are the host's, by their zvols; of an undo's both."""
    return {site.spec.zvol, *(site.path_of(one) for one in volumes(site.spec))}


def look(site: Site) -> Looked:
    """Everything that is beside the host's data, and what an interruption left of it. Raises LabError without the NAS."""
    site.nas.forget()
    on_nas, sight = set(_names_on_nas(site)), _look_around(site)
    names = on_nas | (sight.attached or set()) | (sight.logins or set()) | set(sight.mounts or {})
    return Looked(tuple(_found(site, name, sight) for name in sorted(names)), tuple(sight.problems))


def _look_around(site: Site) -> _Sight:
    """Hypervisor and guest."""
    sight, spec = _Sight(), site.spec
    sight.attached = sight.see(lambda: attached_names(spec, site.hypervisor))
    if sight.attached is None:
        return sight
    if spec.data.attach == "block":
        sight.logins = sight.see(lambda: pool_names(spec, site.hypervisor))
    if is_on(spec, site.hypervisor):
        sight.mounts = sight.see(lambda: beside.mounts(site.guest_now()))
    else:
        sight.mounts = {}
    return sight


def _names_on_nas(site: Site) -> Iterator[str]:
    spec, nas = site.spec, site.nas
    of = {above for one in volumes(spec) for above in ancestry(nas, site.path_of(one))}
    for entry in nas.query("pool.dataset", ["pool", "=", site.volume.split("/")[0]]):
        if entry["type"] != "VOLUME":
            continue
        if local(entry, "owner") == spec.owner and is_name(local(entry, MARK)):
            yield local(entry, MARK)
        elif origin(entry).partition("@")[0] in of:  # one that was made and not marked yet
            yield from (name for one in of if (name := name_in(entry["id"], one)))
    for extent in nas.query("iscsi.extent"):
        if extent["comment"].startswith(comment_prefix(spec)):
            yield from (name for name in [extent["comment"].removeprefix(comment_prefix(spec))] if is_name(name))
    yield from _names_of_targets(site)


def _names_of_targets(site: Site) -> Iterator[str]:
    """Only those that admit the host's own initiators: another host may be called so."""
    own = next(iter(site.nas.found("iscsi.target", "name", site.spec.iscsi.target)), {})
    admitted = {group["initiator"] for group in own.get("groups", [])}
    for target in site.nas.query("iscsi.target"):
        if admitted & {group["initiator"] for group in target["groups"]} and (name := name_of_target(site.spec, target["name"])):
            yield name


def _found(site: Site, name: str, sight: _Sight) -> Found:
    spec, nas = site.spec, site.nas
    restore, volume = Restore(spec, name), volume_of(site, name)
    parts = served(nas, restore, site.path_of(volume))
    entry = dataset(nas, parts.clone.name)
    extent = next((e for e in nas.found("iscsi.extent", "name", restore.extent)), None)
    target = next((e for e in nas.found("iscsi.target", "name", restore.target)), None)
    mappings = nas.found("iscsi.targetextent", "extent", extent["id"]) if extent else []
    there: dict[str, bool | None] = {
        "clone": entry is not None,
        "its mark": entry is not None and is_marked(entry, restore),
        "extent": extent is not None,
        "target": target is not None,
        "mapping": bool(target and any(mapping["target"] == target["id"] for mapping in mappings)),
        **({"login": None if sight.logins is None else name in sight.logins} if spec.data.attach == "block" else {}),
        "disk": None if sight.attached is None else name in sight.attached,
        "mount": None if sight.mounts is None else name in sight.mounts,
    }
    of = origin(entry or {})
    return Found(
        spec.name,
        name,
        volume.name,
        of,
        _taken(site, of) if of else None,
        int(entry["used"]["parsed"] or 0) if entry else 0,
        (sight.mounts or {}).get(name, ""),
        tuple(part for part, is_there in there.items() if is_there),
        tuple(part for part, is_there in there.items() if is_there is False),
        tuple(part for part, is_there in there.items() if is_there is None),
    )


def _taken(site: Site, snapshot: str) -> datetime | None:
    entries = site.nas.query(site.nas.capabilities.snapshots, ["dataset", "=", snapshot.partition("@")[0]])
    found = next((entry for entry in entries if entry["id"] == snapshot), None)
    return datetime.fromtimestamp(int(found["properties"]["creation"]["rawvalue"]), UTC) if found else None


def disk_of(site: Site, restore: Restore) -> BesideDisk:
    """The hypervisor's side of a restore."""
    return BesideDisk(restore, site.hypervisor, served(site.nas, restore, site.volume).iqn)
