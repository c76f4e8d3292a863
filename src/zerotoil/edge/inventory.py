"""From pyinfra's inventory to specs, keeping where each value came from."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from pyinfra.api.host import Host
from pyinfra.api.inventory import Inventory
from pyinfra.connectors.ssh import connector_data_meta

from zerotoil.edge import lines
from zerotoil.edge.start import entry_points_looked_up_once
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.inventory import Declared, Layers, declare

FOR_DEPLOYS = ("back", "force_off")  # what deploys/migrate.py is told by --data; no part of a declaration
_declared: WeakKeyDictionary[Inventory, Declared] = WeakKeyDictionary()


def declared(inventory: Inventory) -> Declared:
    """Specs and problems of all hosts that use our connector (`@vm/NAME`); computed once per inventory."""
    if inventory not in _declared:
        hosts = {host.name: layers(host) for host in inventory if host.connector_cls.__name__ == "VmConnector"}
        _declared[inventory] = declare(hosts, also_known={*connector_data_meta, *FOR_DEPLOYS})
    return _declared[inventory]


def layers(host: Host) -> Layers:
    """The host's data with its sources, highest precedence first, as pyinfra resolves it (the last group wins)."""
    inventory = host.inventory
    groups = [(f"group {name!r}", inventory.get_group_data(name)) for name in reversed(host.groups)]
    return [
        ("--data", inventory.get_override_data() or {}),
        ("host data", inventory.get_host_data(host.name) or {}),
        *((source, data) for source, data in groups if data),
        ("group 'all'", inventory.get_data() or {}),
    ]


def matching(inventory: Inventory, patterns: Iterable[str]) -> set[str]:
    """Names of the hosts that a pattern names, or of whose groups one is named; as pyinfra's own --limit does.

    Raises LabError for a pattern that fits nothing.
    """
    found: set[str] = set()
    for pattern in patterns:
        names = {host.name for host in inventory if fnmatch(host.name, pattern) or pattern in host.groups}
        if not names:
            known = ", ".join(sorted(host.name for host in inventory))
            raise LabError(f"--limit {pattern} fits no host and no group", f"hosts: {known}", code=Code.NO_SUCH_HOST)
        found |= names
    return found


def load(path: Path, override: dict[str, Any] | None = None) -> Inventory:
    """Load an inventory file as pyinfra's own command does. Raises LabError with the file and line that are wrong."""
    from pyinfra.api.state import State
    from pyinfra.context import ctx_state
    from pyinfra_cli.inventory import make_inventory_from_files

    if "." not in sys.path:
        sys.path.append(".")  # as pyinfra does: an inventory may import the project's own modules
    wrong = lines.misshapen(path)
    if wrong:
        raise LabError(*wrong, code=Code.INVENTORY_MISREAD)
    try:
        with ctx_state.use(State()), entry_points_looked_up_once():
            return make_inventory_from_files(str(path), override_data=override or {}, cwd=str(Path.cwd()))
    except (Exception, SystemExit) as error:  # the owner's own Python: anything can come out of it
        raise _cannot_be_loaded(path, error) from error


def _cannot_be_loaded(path: Path, error: BaseException) -> LabError:
    """The error in one line, with the deepest line of the owner's own files."""
    cause = getattr(error, "exception", error)  # pyinfra wraps what an inventory raises
    said = " ".join(str(cause).split()) or "no message"
    kind = type(cause).__name__
    if isinstance(cause, SyntaxError):
        return LabError(
            f"{_near(cause.filename)}:{cause.lineno}: {kind}: {cause.msg}",
            "mend this line or the one above",
            code=Code.INVENTORY_BROKEN,
        )
    frames = traceback.extract_tb(getattr(cause, "_traceback", None) or cause.__traceback__)
    own = [frame for frame in frames if _is_owners(frame.filename)]
    if own:
        return LabError(
            f"{_near(own[-1].filename)}:{own[-1].lineno}: {kind}: {said}", "mend this line", code=Code.INVENTORY_BROKEN
        )
    return LabError(f"{path}: {said}", 'write hosts as [("@vm/NAME", {…})]', code=Code.INVENTORY_BROKEN)


def _near(file: str | None) -> str:
    """A path from where we stand, when it lies below."""
    path, here = Path(file or "inventory"), Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _is_owners(file: str) -> bool:
    """Was the file written by the owner, rather than installed?"""
    place = Path(file).resolve()
    installed = any(part in ("site-packages", "dist-packages") for part in place.parts)
    ours = Path(__file__).resolve().parents[1] in place.parents
    return place.is_file() and not installed and not ours and Path(traceback.__file__).resolve().parent not in place.parents
