"""Our mark on a zvol, in ZFS user properties (`zerotoil:owner`, `zerotoil:state`, …): no state file, nothing to lose."""

from __future__ import annotations

from typing import Any

from zerotoil.clients.truenas import Nas
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.data_volume import DataMark, Filesystem, VolumeState

PREFIX = "zerotoil:"
_PROPERTIES = ("owner", "state", "filesystem", "label", "uuid", "adopted")


def dataset(nas: Nas, name: str) -> dict[str, Any] | None:
    """The server's entry of a dataset or zvol; asked once per pool (the server reads all of it whatever the filter)."""
    pool = name.split("/")[0]
    return next(iter(nas.found("pool.dataset", "id", name, ["pool", "=", pool])), None)


def property_of(entry: dict[str, Any], name: str) -> str:
    """One of our user properties; empty when absent, or inherited: ZFS passes them on to all that lies below."""
    value = (entry.get("user_properties") or {}).get(PREFIX + name)
    if isinstance(value, dict):
        return "" if value.get("source") == "INHERITED" else str(value.get("value") or "")
    return str(value or "")


def neighbour(entry: dict[str, Any]) -> str:
    """Whose the dataset around it is, when ZFS hands our property down from there; empty when nobody's."""
    value = (entry.get("user_properties") or {}).get(PREFIX + "owner")
    return str(value.get("value") or "") if isinstance(value, dict) and value.get("source") == "INHERITED" else ""


def as_properties(mark: DataMark) -> dict[str, str]:
    """The mark as user properties."""
    properties = {"owner": mark.owner, "state": str(mark.state)}
    if mark.filesystem:
        properties |= {"filesystem": mark.filesystem.type, "label": mark.filesystem.label, "uuid": mark.filesystem.uuid}
    if mark.adopted:
        properties["adopted"] = "yes"
    return {PREFIX + name: value for name, value in properties.items()}


def of_entry(entry: dict[str, Any]) -> DataMark | None:
    """The mark in a dataset's entry."""
    owner, state = property_of(entry, "owner"), property_of(entry, "state")
    if not owner or state not in list(VolumeState):
        return None
    kind = property_of(entry, "filesystem")
    filesystem = Filesystem(kind, property_of(entry, "label"), property_of(entry, "uuid")) if kind else None
    return DataMark(owner, VolumeState(state), filesystem, property_of(entry, "adopted") == "yes")


def read_mark(nas: Nas, zvol: str) -> DataMark | None:
    """The mark on a zvol; None when there is no zvol, or no mark of ours."""
    entry = dataset(nas, zvol)
    return of_entry(entry) if entry else None


def write_mark(nas: Nas, zvol: str, mark: DataMark) -> None:
    """Write the mark and read it back. Raises LabError when the NAS did not keep it."""
    wanted = {name: value for name, value in as_properties(mark).items() if value}
    changes: list[dict[str, Any]] = [{"key": name, "value": value} for name, value in wanted.items()]
    entry = dataset(nas, zvol) or {}
    stale = [PREFIX + name for name in _PROPERTIES if PREFIX + name not in wanted and property_of(entry, name)]
    changes += [{"key": name, "remove": True} for name in stale]
    nas.write("pool.dataset.update", zvol, {"user_properties_update": changes})
    if read_mark(nas, zvol) != mark:
        raise LabError(
            f"the NAS did not keep the mark on {zvol}", "look at its user properties (zfs get all)", code=Code.MARK_NOT_KEPT
        )
