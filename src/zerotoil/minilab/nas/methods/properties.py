"""How a dataset looks in the API: every property wrapped as {value, rawvalue, parsed, source, source_info}."""

from __future__ import annotations

from typing import Any

from zerotoil.minilab.nas.state import Row
from zerotoil.minilab.nas.storage import Dataset

API_TO_ZFS = {
    "comments": "org.freenas:description",
    "managedby": "org.truenas:managedby",
    "quota_warning": "org.freenas:quota_warning",
    "quota_critical": "org.freenas:quota_critical",
    "refquota_warning": "org.freenas:refquota_warning",
    "refquota_critical": "org.freenas:refquota_critical",
    "deduplication": "dedup",
    "special_small_block_size": "special_small_blocks",
}
DEFAULTS = {
    "deduplication": "off",
    "checksum": "on",
    "sync": "standard",
    "compression": "lz4",
    "copies": "1",
    "readonly": "off",
    "snapdev": "hidden",
}
FILESYSTEM_DEFAULTS = {
    "aclmode": "discard",
    "acltype": "posix",
    "xattr": "sa",
    "atime": "off",
    "casesensitivity": "sensitive",
    "exec": "on",
    "snapdir": "hidden",
    "recordsize": "131072",
    "special_small_block_size": "0",
}
LIMITS = ("reservation", "refreservation")
FILESYSTEM_LIMITS = ("quota", "refquota")
NOT_PROPERTIES = {"name", "type", "volsize", "volblocksize", "sparse", "force_size", "create_ancestors", "share_type"} | {
    "encryption",
    "encryption_options",
    "inherit_encryption",
    "user_properties",
    "user_properties_update",
}


def local_properties(data: Row) -> dict[str, str | None]:
    """What a create or update sets, by ZFS name; None: inherit."""
    found: dict[str, str | None] = {}
    for key, value in data.items():
        if key in NOT_PROPERTIES or (value is None and key not in (*LIMITS, *FILESYSTEM_LIMITS)):
            continue
        inherit = value == "INHERIT" or (key in (*LIMITS, *FILESYSTEM_LIMITS) and not value)
        text = str(value) if key in ("comments", "managedby") else str(value).lower()
        found[API_TO_ZFS.get(key, key)] = None if inherit else text
    for entry in [*(data.get("user_properties") or []), *(data.get("user_properties_update") or [])]:
        found[entry["key"]] = None if entry.get("remove") else entry.get("value", "")
    return found


def entries(datasets: list[Dataset], pool: str) -> dict[str, Row]:
    """Every row of pool.dataset.query by name, each with its children."""
    by_name = {dataset.name: dataset for dataset in datasets}
    rows = {name: _entry(dataset, by_name, pool) for name, dataset in by_name.items()}
    for name in sorted(rows):
        if above := rows.get(name.rpartition("/")[0]):
            above["children"].append(rows[name])
    return rows


def _entry(dataset: Dataset, by_name: dict[str, Dataset], pool: str) -> Row:
    volume = dataset.volsize > 0
    row: Row = {
        "id": dataset.name,
        "type": "VOLUME" if volume else "FILESYSTEM",
        "name": dataset.name,
        "pool": pool,
        "encrypted": False,
        "encryption_root": None,
        "key_loaded": False,
        "locked": False,
        "children": [],
        "user_properties": _user_properties(dataset, by_name),
        "mountpoint": None if volume else dataset.mountpoint,
        "origin": wrapped(dataset.origin, dataset.origin or "", "NONE"),
        "creation": wrapped({"$date": dataset.creation * 1000}, str(dataset.creation), "NONE"),
        "encryption_algorithm": wrapped("off", "off", "DEFAULT"),
    }
    for key, default in (DEFAULTS if volume else DEFAULTS | FILESYSTEM_DEFAULTS).items():
        value, source = _effective(API_TO_ZFS.get(key, key), dataset, by_name)
        text = default if value is None else value
        row[key] = wrapped(int(text) if key in ("copies", "recordsize") and text.isdigit() else text, text, source, text.upper())
    for key in LIMITS if volume else LIMITS + FILESYSTEM_LIMITS:
        number = int(dataset.local.get(key, 0))
        row[key] = wrapped(number or None, str(number), "LOCAL" if number else "DEFAULT", _size(number) if number else None)
    for key in ("used", "available", "usedbysnapshots"):
        number = getattr(dataset, key)
        row[key] = wrapped(number, str(number), "NONE", _size(number))
    for key in [k for k, v in API_TO_ZFS.items() if ":" in v and v in dataset.local]:
        row[key] = wrapped(dataset.local[API_TO_ZFS[key]], dataset.local[API_TO_ZFS[key]], "LOCAL")
    if volume:
        row["volsize"] = wrapped(dataset.volsize, str(dataset.volsize), "LOCAL", _size(dataset.volsize))
        row["volblocksize"] = wrapped(dataset.volblocksize, str(dataset.volblocksize), "NONE", _size(dataset.volblocksize))
    return row


def wrapped(parsed: Any, raw: str, source: str, value: str | None = "") -> Row:
    """The envelope of one property."""
    shown = raw if value == "" else value
    return {"parsed": parsed, "rawvalue": raw, "value": shown, "source": source, "source_info": None}


def _effective(name: str, dataset: Dataset, by_name: dict[str, Dataset]) -> tuple[str | None, str]:
    if name in dataset.local:
        return dataset.local[name], "LOCAL"
    parent = dataset.name.rpartition("/")[0]
    while parent:
        if parent in by_name and name in by_name[parent].local:
            return by_name[parent].local[name], "INHERITED"
        parent = parent.rpartition("/")[0]
    return None, "DEFAULT"


def _user_properties(dataset: Dataset, by_name: dict[str, Dataset]) -> Row:
    """User properties are inherited, as in ZFS."""
    own = set(API_TO_ZFS.values())
    parts = dataset.name.split("/")
    above = [by_name[n] for n in ("/".join(parts[:count]) for count in range(1, len(parts) + 1)) if n in by_name]
    names = sorted({key for d in above for key in d.local if ":" in key and key not in own})
    found = {}
    for name in names:
        value, source = _effective(name, dataset, by_name)
        found[name] = wrapped(value, value or "", source)
    return found


def _size(number: int) -> str:
    for unit in ("", "K", "M", "G", "T"):
        if number < 1024 or unit == "T":
            return f"{number:.3g}{unit}" if number % 1 else f"{int(number)}{unit}"
        number = number / 1024  # type: ignore[assignment]
    return str(number)
