"""Changes of a host's OS disk that came to their end, each in a ZFS user property of the declared volume (`zerotoil:os-…`).

The VM's mark forgets a change that is done, and the guest's ledger sees only that the OS is another one. Here stays what it was,
where the data is: no snapshot and no OS disk has to be kept for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum

from zerotoil.clients.truenas import Nas
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.spec import HostSpec
from zerotoil.resources.nas.clone import write_marks
from zerotoil.resources.nas.mark import PREFIX, dataset, property_of

KEY = "os-"
_MOST = 40  # changes that are kept, the newest
_BYTES = 1000  # TrueNAS 25.10.0 shows no more than 1024 characters of a property


class End(StrEnum):
    """How a change of OS disks ended."""

    MIGRATED = "migrated"
    REBUILT = "rebuilt"
    RETURNED = "returned"  # to an earlier OS disk, as asked
    REVERTED = "reverted"  # by itself


@dataclass(frozen=True)
class OsChange:
    """One change: OS disks in words, when it ended (seconds since 1970), and why it went back or is not healthy."""

    end: End
    old: str
    new: str
    time: int
    why: str = ""


def note_change(spec: HostSpec, nas: Nas, name: str, change: OsChange) -> None:
    """Write a change down by its name, once: a name that is noted already stays as it is. Raises LabError."""
    known = noted(spec, nas)
    if f"{KEY}{name}" in known:
        return
    kept = sorted(known, key=lambda key: _time(known[key]))[-(_MOST - 1) :]
    gone: dict[str, str | None] = dict.fromkeys(set(known) - set(kept))
    write_marks(nas, spec.zvol, {**gone, f"{KEY}{name}": _text(change)})


def changes_of_os(spec: HostSpec, nas: Nas) -> Iterator[OsChange]:
    """All that are written down. Raises LabError for a note that nobody can read, after the others."""
    wrong = ""
    for key, text in noted(spec, nas).items():
        try:
            read = json.loads(text)
            yield OsChange(End(read["end"]), read["old"], read["new"], int(read["time"]), read.get("why", ""))
        except (ValueError, KeyError, TypeError, AttributeError):
            wrong = key
    if wrong:
        raise LabError(
            f"{spec.name}: the note {PREFIX}{wrong} on {spec.zvol} cannot be read, and is left out",
            "look at it on the NAS (zfs get all)",
            code=Code.NAS_REFUSED,
        )


def noted(spec: HostSpec, nas: Nas) -> dict[str, str]:
    """What is written down, by property without its prefix."""
    entry = dataset(nas, spec.zvol) or {}
    names = [name.removeprefix(PREFIX) for name in entry.get("user_properties") or {} if name.startswith(PREFIX + KEY)]
    return {name: text for name in names if (text := property_of(entry, name))}


def _time(text: str) -> int:
    try:
        return int(json.loads(text)["time"])
    except (ValueError, KeyError, TypeError):
        return 0


def _text(change: OsChange) -> str:
    """As JSON that fits into a property; a reason that does not is cut."""
    content = {key: value for key, value in asdict(change).items() if value}
    text = json.dumps(content, ensure_ascii=False)
    if (over := len(text.encode()) - _BYTES) > 0:
        content["why"] = change.why.encode()[: -over - 1].decode(errors="ignore")
        text = json.dumps(content, ensure_ascii=False)
    return text
