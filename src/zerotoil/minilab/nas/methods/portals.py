"""iscsi.portal, iscsi.initiator, iscsi.auth, iscsi.global."""

from __future__ import annotations

import errno
from typing import Any

from zerotoil.minilab.nas.errors import CallError, Problems
from zerotoil.minilab.nas.methods.serving import reload
from zerotoil.minilab.nas.methods.tables import readable
from zerotoil.minilab.nas.middleware import Middleware, method
from zerotoil.minilab.nas.state import Row

PORTAL, INITIATOR, AUTH = "iscsi.portal", "iscsi.initiator", "iscsi.auth"


def _shown_portal(nas: Middleware, row: Row) -> Row:
    port = nas.state.data["global"]["listen_port"]
    tags = [other["id"] for other in nas.state.rows(PORTAL)]
    return {**row, "tag": tags.index(row["id"]) + 1, "listen": [{"ip": ip, "port": port} for ip in row["listen"]]}


def _shown_auth(nas: Middleware, row: Row) -> Row:
    masked = {k: "********" for k in ("secret", "peersecret") if row[k]} if nas.faults.mask_secrets else {}
    return {**row, **masked}


readable(PORTAL, _shown_portal)
readable(INITIATOR, lambda nas, row: dict(row))
readable(AUTH, _shown_auth)


@method("iscsi.portal.listen_ip_choices")
def listen_ip_choices(nas: Middleware) -> dict[str, str]:
    """The wildcards and the NAS's own addresses."""
    return {address: address for address in ["0.0.0.0", "::", *nas.addresses]}


@method("iscsi.portal.create")
def portal_create(nas: Middleware, data: Row) -> Row:
    """An address belongs to one portal only."""
    _check_listen(nas, "iscsiportal_create", data, None)
    row = {"comment": "", "discovery_authmethod": "NONE", "discovery_authgroup": None, **data}
    row["listen"] = [entry["ip"] for entry in data["listen"]]
    return _shown_portal(nas, _saved(nas, nas.state.add(PORTAL, row)))


@method("iscsi.portal.update")
def portal_update(nas: Middleware, number: int, data: Row) -> Row:
    """As create; what is not given stays."""
    row = nas.row(PORTAL, number)
    if "listen" in data:
        _check_listen(nas, "iscsiportal_update", data, number)
        data = {**data, "listen": [entry["ip"] for entry in data["listen"]]}
    row.update(data)
    return _shown_portal(nas, _saved(nas, row))


@method("iscsi.portal.delete")
def portal_delete(nas: Middleware, number: int) -> bool:
    """Takes the target groups along that use it, without asking."""
    nas.row(PORTAL, number)
    for target in nas.state.rows("iscsi.target"):
        target["groups"] = [group for group in target["groups"] if group["portal"] != number]
    return _removed(nas, PORTAL, number)


@method("iscsi.initiator.create")
def initiator_create(nas: Middleware, data: Row) -> Row:
    """Duplicates are allowed; an empty list lets everyone in."""
    return dict(_saved(nas, nas.state.add(INITIATOR, {"initiators": [], "comment": "", **data})))


@method("iscsi.initiator.update")
def initiator_update(nas: Middleware, number: int, data: Row) -> Row:
    """What is not given stays."""
    row = nas.row(INITIATOR, number)
    row.update(data)
    return dict(_saved(nas, row))


@method("iscsi.initiator.delete")
def initiator_delete(nas: Middleware, number: int) -> bool:
    """No check whether a target uses it."""
    nas.row(INITIATOR, number)
    return _removed(nas, INITIATOR, number)


@method("iscsi.auth.create")
def auth_create(nas: Middleware, data: Row) -> Row:
    """tag+user is not enforced unique."""
    row = {"peeruser": "", "peersecret": "", "discovery_auth": "NONE", **data}
    _check_auth(nas, "iscsi_auth_create", row, None)
    return _shown_auth(nas, _saved(nas, nas.state.add(AUTH, row)))


@method("iscsi.auth.update")
def auth_update(nas: Middleware, number: int, data: Row) -> Row:
    """What is not given stays."""
    row = nas.row(AUTH, number)
    merged = {**row, **data}
    _check_auth(nas, "iscsi_auth_update", merged, number)
    row.update(merged)
    return _shown_auth(nas, _saved(nas, row))


@method("iscsi.auth.delete")
def auth_delete(nas: Middleware, number: int) -> bool:
    """The last entry of a tag that a target uses stays."""
    tag = nas.row(AUTH, number)["tag"]
    last = sum(row["tag"] == tag for row in nas.state.rows(AUTH)) == 1
    groups = [group for target in nas.state.rows("iscsi.target") for group in target["groups"]]
    if last and any(group["auth"] == tag for group in groups):
        raise CallError(f"Authorized access of tag {tag} is being used by target(s)", errno.EFAULT)
    return _removed(nas, AUTH, number)


@method("iscsi.global.config")
def global_config(nas: Middleware) -> Row:
    """The one row."""
    return dict(nas.state.data["global"])


@method("iscsi.global.update")
def global_update(nas: Middleware, data: Row) -> Row:
    """Without isns_servers that list is cleared (facts of truenas/middleware, all versions)."""
    port = data.get("listen_port")
    problems = Problems("iscsiglobal_update")
    if port is not None and not 1025 <= port <= 65535:
        problems.add("listen_port", "should be between 1025 and 65535")
    problems.check()
    nas.state.data["global"].update({"isns_servers": [], **data})
    reload(nas)
    return global_config(nas)


def _check_listen(nas: Middleware, argument: str, data: Row, own: int | None) -> None:
    problems = Problems(argument)
    if not data["listen"]:
        problems.add("listen", "At least one listen entry is required.")
    used = {ip for row in nas.state.rows(PORTAL) if row["id"] != own for ip in row["listen"]}
    for index, entry in enumerate(data["listen"]):
        if entry["ip"] in used:
            problems.add(f"listen.{index}.ip", f"{entry['ip']} is already in use by another portal.")
        if entry["ip"] not in listen_ip_choices(nas):
            problems.add(f"listen.{index}.ip", f"IP {entry['ip']} not configured on this system.")
    problems.check()


def _check_auth(nas: Middleware, argument: str, row: Row, own: int | None) -> None:
    problems = Problems(argument)
    for field in ("secret", "peersecret"):
        value = row[field]
        if field == "secret" or value:
            if not 12 <= len(value) <= 16:
                problems.add(field, "Secret must be between 12 and 16 characters.")
            if "#" in value or value != value.strip():
                problems.add(field, "Secret must not hold # or outer spaces.")
    if bool(row["peeruser"]) != bool(row["peersecret"]):
        problems.add("peersecret" if row["peeruser"] else "peeruser", "The peer user and the peer secret go together.")
    if row["peersecret"] and row["peersecret"] == row["secret"]:
        problems.add("peersecret", "The peer secret cannot be the same as user secret.")
    others = [other for other in nas.state.rows(AUTH) if other["id"] != own]
    if row["discovery_auth"] == "CHAP_MUTUAL" and any(o["discovery_auth"] == "CHAP_MUTUAL" for o in others):
        problems.add("discovery_auth", "Cannot specify CHAP_MUTUAL as only one such entry is permitted.")
    problems.check()


def _saved(nas: Middleware, row: Row) -> Row:
    reload(nas)
    return row


def _removed(nas: Middleware, table: str, number: Any) -> bool:
    nas.state.remove(table, number)
    reload(nas)
    return True
