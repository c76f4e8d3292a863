"""iscsi.target and iscsi.targetextent."""

from __future__ import annotations

import errno
from typing import Any

from zerotoil.minilab.nas.errors import CallError, Problems
from zerotoil.minilab.nas.methods.serving import connected, iqn, reload
from zerotoil.minilab.nas.methods.tables import readable
from zerotoil.minilab.nas.middleware import Middleware, method
from zerotoil.minilab.nas.state import Row

TARGET, MAPPING = "iscsi.target", "iscsi.targetextent"
MAX_LUN = 16382

readable(TARGET, lambda nas, row: dict(row))
readable(MAPPING, lambda nas, row: dict(row))


@method("iscsi.target.create")
def target_create(nas: Middleware, data: Row) -> Row:
    """The server chooses rel_tgt_id; an empty alias becomes null."""
    row = {"alias": None, "mode": "ISCSI", "groups": [], "auth_networks": [], "iscsi_parameters": None, **data}
    row = _checked(nas, "iscsi_target_create", row, None)
    used = {other["rel_tgt_id"] for other in nas.state.rows(TARGET)}
    row["rel_tgt_id"] = next(n for n in range(1, 32000) if n not in used)
    added = nas.state.add(TARGET, row)
    reload(nas)
    return dict(added)


@method("iscsi.target.update")
def target_update(nas: Middleware, number: int, data: Row) -> Row:
    """What is not given stays."""
    row = nas.row(TARGET, number)
    row.update(_checked(nas, "iscsi_target_update", {**row, **data}, number))
    reload(nas)
    return dict(row)


@method("iscsi.target.delete")
def target_delete(nas: Middleware, number: int, force: bool = False, delete_extents: bool = False) -> bool:
    """Drops the mappings; the extents only when asked."""
    row = nas.row(TARGET, number)
    refuse_connected(nas, number, force, f"Target {row['name']} is in use.")
    for mapping in [m for m in nas.state.rows(MAPPING) if m["target"] == number]:
        nas.state.remove(MAPPING, mapping["id"])
        if delete_extents:
            nas.state.remove("iscsi.extent", mapping["extent"])
    nas.state.remove(TARGET, number)
    reload(nas)
    return True


@method("iscsi.targetextent.create")
def mapping_create(nas: Middleware, data: Row) -> Row:
    """lunid null: the lowest free one."""
    row = _checked_mapping(nas, "iscsi_targetextent_create", {"lunid": None, **data}, None)
    added = nas.state.add(MAPPING, row)
    reload(nas)
    return dict(added)


@method("iscsi.targetextent.update")
def mapping_update(nas: Middleware, number: int, data: Row) -> Row:
    """What is not given stays."""
    row = nas.row(MAPPING, number)
    row.update(_checked_mapping(nas, "iscsi_targetextent_update", {**row, **data}, number))
    reload(nas)
    return dict(row)


@method("iscsi.targetextent.delete")
def mapping_delete(nas: Middleware, number: int, force: bool = False) -> bool:
    """Refused while an initiator is logged in, unless forced."""
    row = nas.row(MAPPING, number)
    refuse_connected(nas, row["target"], force, "Associated target is in use.")
    nas.state.remove(MAPPING, number)
    reload(nas)
    return True


@method("iscsi.global.sessions")
def sessions(nas: Middleware, wanted: Any = None, options: Any = None) -> Any:
    """Who is logged in where; a session names its target in full."""
    found = []
    for row in nas.state.rows(TARGET):
        for initiator in connected(nas, row["id"]):
            known = {"initiator": initiator, "initiator_addr": "127.0.0.1", "initiator_alias": None}
            numbers = ["max_data_segment_length", "max_receive_data_segment_length", "max_burst_length", "first_burst_length"]
            numbers += ["max_xmit_data_segment_length"] if nas.at_least("25.04") else []
            unknown = dict.fromkeys(["header_digest", "data_digest", *numbers])
            flags = dict.fromkeys(["immediate_data", "iser", "offload"], False)
            found.append({**known, "target": iqn(nas, row["name"]), "target_alias": row["alias"] or "", **unknown, **flags})
    return nas.select(found, wanted, options)


def refuse_connected(nas: Middleware, target: int, force: bool, message: str) -> None:
    """Raise CallError EFAULT when someone is logged in and force is not given."""
    if not force and (names := connected(nas, target)):
        raise CallError(f"{message} Connected: {', '.join(names)}", errno.EFAULT)


def _checked(nas: Middleware, argument: str, row: Row, own: int | None) -> Row:
    problems = Problems(argument)
    row = {**row, "alias": row["alias"] or None, "groups": [dict(group) for group in row["groups"]]}
    others = [other for other in nas.state.rows(TARGET) if other["id"] != own]
    if row["name"] in [other["name"] for other in others]:
        problems.add("name", f"Target with name {row['name']} already exists", errno.EEXIST)
    if row["alias"] and (row["alias"] == "target" or '"' in row["alias"]):
        problems.add("alias", "The alias must not be 'target' nor hold a double quote.")
    if row["alias"] and row["alias"] in [other["alias"] for other in others]:
        problems.add("alias", "Alias already exists", errno.EEXIST)
    portals = [group["portal"] for group in row["groups"]]
    for index, group in enumerate(row["groups"]):
        group.update({"initiator": None, "authmethod": "NONE", "auth": None} | group)
        if portals.index(group["portal"]) != index:
            problems.add(f"groups.{index}.portal", f"Portal {group['portal']} is duplicated.")
        _check_group(nas, problems, f"groups.{index}", group)
    problems.check()
    return row


def _check_group(nas: Middleware, problems: Problems, where: str, group: Row) -> None:
    if nas.state.find("iscsi.portal", group["portal"]) is None:
        problems.add(f"{where}.portal", f"{group['portal']} Portal not found in database", errno.ENOENT)
    if group["initiator"] is not None and nas.state.find("iscsi.initiator", group["initiator"]) is None:
        problems.add(f"{where}.initiator", f"{group['initiator']} Initiator not found in database", errno.ENOENT)
    accounts = [row for row in nas.state.rows("iscsi.auth") if row["tag"] == group["auth"]]
    if group["auth"] is None:
        if group["authmethod"] != "NONE":
            problems.add(f"{where}.auth", "Authentication group is required for CHAP and CHAP_MUTUAL.")
    elif not accounts:
        problems.add(f"{where}.auth", f"{group['auth']} Authentication group not found in database", errno.ENOENT)
    elif group["authmethod"] == "CHAP_MUTUAL" and not any(row["peeruser"] for row in accounts):
        problems.add(f"{where}.auth", f"Authentication group {group['auth']} does not support CHAP_MUTUAL")


def _checked_mapping(nas: Middleware, argument: str, row: Row, own: int | None) -> Row:
    problems = Problems(argument)
    others: list[Any] = [other for other in nas.state.rows(MAPPING) if other["id"] != own]
    if nas.state.find(TARGET, row["target"]) is None:
        problems.add("target", f"{row['target']} Target not found in database", errno.ENOENT)
    if nas.state.find("iscsi.extent", row["extent"]) is None:
        problems.add("extent", f"{row['extent']} Extent not found in database", errno.ENOENT)
    if row["extent"] in [other["extent"] for other in others]:
        problems.add("extent", "Extent is already in use", errno.EEXIST)
    taken = {other["lunid"] for other in others if other["target"] == row["target"]}
    first = nas.targets.first_lun
    lun = row["lunid"] if row["lunid"] is not None else next(n for n in range(first, MAX_LUN + 1) if n not in taken)
    if lun in taken:
        problems.add("lunid", "LUN ID is already being used for this target.", errno.EEXIST)
    if not first <= lun <= MAX_LUN:
        problems.add("lunid", f"LUN ID must be between {first} and {MAX_LUN}.")
    problems.check()
    return {**row, "lunid": lun}
