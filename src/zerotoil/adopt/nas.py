"""What is behind a LUN: from its IQN to the zvol, and everything on the way that the inventory declares. Only reads."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from zerotoil.clients.truenas import Nas
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.nas import IQN
from zerotoil.model.units import Cron, Lifetime, format_size
from zerotoil.resources.hypervisor.iscsi_disk import IscsiDisk
from zerotoil.resources.nas.mark import dataset, neighbour, property_of

Entry = dict[str, Any]


@dataclass(frozen=True)
class FoundTask:
    """The snapshot task that covers a volume."""

    dataset: str
    schedule: str
    keep: str
    naming: str


@dataclass(frozen=True)
class FoundVolume:
    """A volume as the NAS serves it. `remarks`: what no key can declare, and what the next plan makes of it."""

    zvol: str
    size: int
    target: str
    extent: str
    portal: list[str]
    port: int
    group: str = ""
    initiators: list[str] = field(default_factory=list)  # empty: not known
    chap_tag: int | None = None
    chap_user: str = ""
    chap_peer_user: str = ""
    task: FoundTask | None = None
    remarks: list[str] = field(default_factory=list)


def match(nas: Nas, lun: IscsiDisk, owner: str) -> FoundVolume:
    """The volume behind a LUN, marked by nobody or as `owner`'s. Raises LabError with the reason why it cannot be adopted."""
    target = _target(nas, lun)
    extent = _extent(nas, target, lun)
    zvol, size = _zvol(nas, extent, owner)
    access = _access(target)
    port = int(nas.config("iscsi.global").get("listen_port", 3260))
    if port != lun.port:
        raise LabError(f"it reaches the NAS at port {lun.port}, the NAS serves iSCSI at {port}", code=Code.VOLUME_UNFIT_TO_ADOPT)
    remarks: list[str] = []
    group, initiators = _initiators(nas, access, lun, remarks)
    tag, user, peer = _chap(nas, access, lun)
    return FoundVolume(
        zvol, size, target["name"], extent["name"], _portal(nas, access), port, group, initiators, tag, user, peer,
        _task(nas, zvol, remarks), remarks,
    )  # fmt: skip


def _target(nas: Nas, lun: IscsiDisk) -> Entry:
    base = nas.config("iscsi.global")["basename"]
    for target in nas.query("iscsi.target"):
        name = target["name"]
        if lun.iqn in (name, f"{base}:{name}"):
            return target
    raise LabError(f"the NAS has no target {lun.iqn}", code=Code.VOLUME_UNFIT_TO_ADOPT)


def _extent(nas: Nas, target: Entry, lun: IscsiDisk) -> Entry:
    extents = {extent["id"]: extent for extent in nas.query("iscsi.extent")}
    served = {
        mapping["lunid"]: extents[mapping["extent"]]
        for mapping in nas.query("iscsi.targetextent")
        if mapping["target"] == target["id"] and mapping["extent"] in extents
    }
    extent = served.pop(lun.lun, None)
    if extent is None:
        raise LabError(f"the target {target['name']} serves no LUN {lun.lun}", code=Code.VOLUME_UNFIT_TO_ADOPT)
    if served:
        names = ", ".join(other["name"] for other in served.values())
        raise LabError(
            f"its target {target['name']} serves {names} too, zerotoil keeps one target per VM", code=Code.VOLUME_UNFIT_TO_ADOPT
        )
    if extent["ro"] or not extent["enabled"]:
        raise LabError(
            f"its extent {extent['name']} is {'read-only' if extent['ro'] else 'disabled'}", code=Code.VOLUME_UNFIT_TO_ADOPT
        )
    return extent


def _zvol(nas: Nas, extent: Entry, ours: str) -> tuple[str, int]:
    disk = str(extent.get("disk") or "")
    if not disk.startswith("zvol/"):
        raise LabError(f"its extent {extent['name']} is no zvol ({disk or extent.get('path')})", code=Code.VOLUME_UNFIT_TO_ADOPT)
    name = disk.removeprefix("zvol/")
    entry = dataset(nas, name)
    if entry is None or entry["type"] != "VOLUME":
        raise LabError(f"the NAS shows no zvol {name}", code=Code.VOLUME_UNFIT_TO_ADOPT)
    owner = property_of(entry, "owner") or neighbour(entry)
    if owner not in ("", ours):
        raise LabError(f"its zvol {name} is marked as {owner}'s", code=Code.VOLUME_UNFIT_TO_ADOPT)
    size = int(entry["volsize"]["parsed"])
    if size % 1024**2:
        raise LabError(
            f"its zvol {name} is {format_size(size)}, which is no whole number of MiB", code=Code.VOLUME_UNFIT_TO_ADOPT
        )
    return name, size


def _access(target: Entry) -> Entry:
    groups: list[Entry] = target["groups"]
    if len(groups) != 1:
        raise LabError(
            f"its target {target['name']} has {len(groups)} portal groups, zerotoil keeps one", code=Code.VOLUME_UNFIT_TO_ADOPT
        )
    return groups[0]


def _portal(nas: Nas, access: Entry) -> list[str]:
    portal = next((entry for entry in nas.query("iscsi.portal") if entry["id"] == access["portal"]), None)
    if portal is None:
        raise LabError("the portal of its target is gone", code=Code.VOLUME_UNFIT_TO_ADOPT)
    return [listen["ip"] for listen in portal["listen"]]


def _initiators(nas: Nas, access: Entry, lun: IscsiDisk, remarks: list[str]) -> tuple[str, list[str]]:
    """Comment and members of the target's initiator group. A group that lets everybody in is never declared."""
    groups = nas.query("iscsi.initiator")
    group = next((entry for entry in groups if entry["id"] == access["initiator"]), None)
    members = list(group["initiators"]) if group else []
    if not members or not all(re.fullmatch(IQN, name) for name in members):
        remarks.append("its target lets everybody in: the next plan lets only iscsi_initiators in, by a group of the host's own")
        return "", [lun.initiator] if lun.initiator else []
    if lun.initiator in members:
        members.sort(key=lambda name: name != lun.initiator)
    comment = group["comment"] if group else ""
    if not comment or [entry["comment"] for entry in groups].count(comment) > 1:
        remarks.append("its initiator group has no comment of its own: the next plan makes a group for the host")
        return "", members
    return comment, members


def _chap(nas: Nas, access: Entry, lun: IscsiDisk) -> tuple[int | None, str, str]:
    """Tag, user and the NAS's own user (mutual CHAP)."""
    if access["authmethod"] == "NONE":
        return None, "", ""
    users = {entry["user"]: entry for entry in nas.query("iscsi.auth") if entry["tag"] == access["auth"]}
    user = lun.chap_user or (next(iter(users)) if len(users) == 1 else "")
    if user not in users:
        several = f"several CHAP users have tag {access['auth']} ({', '.join(users)}), and the VM does not say which is its own"
        raise LabError(
            f"the NAS has no CHAP user {user} with tag {access['auth']}" if user or not users else several,
            code=Code.VOLUME_UNFIT_TO_ADOPT,
        )
    peer = users[user]["peeruser"] if access["authmethod"] == "CHAP_MUTUAL" else ""
    return access["auth"], user, peer


def _task(nas: Nas, zvol: str, remarks: list[str]) -> FoundTask | None:
    """The nearest enabled task that covers the zvol and that the inventory can declare."""
    tasks = [task for task in nas.query("pool.snapshottask") if _covers(task, zvol)]
    for task in sorted(tasks, key=lambda task: (-len(task["dataset"]), task["id"])):
        schedule = task["schedule"]
        whole_day = (schedule.get("begin", "00:00"), schedule.get("end", "23:59")) == ("00:00", "23:59")
        try:
            cron = Cron.parse(" ".join(schedule[name] for name in ("minute", "hour", "dom", "month", "dow")))
            keep = Lifetime.parse(f"{task['lifetime_value']} {task['lifetime_unit'].lower()}")
        except ValueError:
            continue
        if whole_day:
            return FoundTask(task["dataset"], str(cron), str(keep), task["naming_schema"])
    why = "a snapshot task covers it whose schedule no key can declare" if tasks else "no snapshot task covers it"
    remarks.append(f"{why}: the next plan makes one on the zvol")
    return None


def _covers(task: Entry, zvol: str) -> bool:
    if not task["enabled"] or any(f"{zvol}/".startswith(f"{name}/") for name in task.get("exclude") or []):
        return False
    return bool(task["dataset"] == zvol or (task["recursive"] and zvol.startswith(f"{task['dataset']}/")))
