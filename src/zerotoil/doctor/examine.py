"""All checks, in the order in which they are shown: this machine, the inventory, its files, its servers.

Servers are asked at the same time, each within its own deadlines: a dead one keeps no other from being reported.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import ThreadPoolExecutor

from zerotoil.doctor import files, here
from zerotoil.doctor.check import Check, State, attempt, failure, ok
from zerotoil.doctor.packages import Family
from zerotoil.errors import LabError
from zerotoil.model.inventory import Declared
from zerotoil.model.spec import HostSpec

Look = Callable[[], list[Check]]


def examine(path: str, declared: Declared | LabError | None, family: Family) -> list[Check]:
    """Every check; `declared` is what the inventory at `path` declares, why it cannot be read, or None without one."""
    found = here.checks(family)
    library = next(check for check in found if check.name == "libvirt library")
    if declared is None:
        return [*found, attempt("qemu:///system", lambda: here.daemon(family))] if library.state is State.OK else found
    found.append(inventory(path, declared))
    if isinstance(declared, LabError):
        return found
    specs = list(declared.specs.values())
    found += files.checks(specs)
    return found + (_servers(specs, family) if library.state is State.OK else [])


def inventory(path: str, declared: Declared | LabError) -> Check:
    """The inventory can be read and declares hosts; what exactly is wrong in it is another command's answer."""
    if isinstance(declared, LabError):
        return failure(path, declared.what, declared.remedy)
    if declared.problems:
        more = f" (and {len(declared.problems) - 1} more)" if declared.problems[1:] else ""
        return failure(path, f"{declared.problems[0]}{more}", f"zerotoil check {path} tells more")
    if not declared.specs:
        return failure(path, "declares no host", 'declare one as "@vm/NAME"')
    return ok(path, f"declares {', '.join(declared.specs)}")


def _servers(specs: list[HostSpec], family: Family) -> list[Check]:
    """Each distinct server once, all at the same time."""
    # Imported here: pyinfra replaces threads and sockets when an inventory is loaded, and locks made before would stop it.
    from zerotoil.doctor import hypervisor, nas

    looks: list[tuple[str, Look]] = []
    for same in _grouped(specs, lambda spec: spec.hypervisor.uri):
        looks.append((same[0].hypervisor.uri, lambda same=same: hypervisor.checks(same, family)))  # type: ignore[misc]
    for same in _grouped(specs, lambda spec: (spec.nas.url, spec.nas.user)):
        looks.append((same[0].nas.url, lambda same=same: nas.checks(same)))  # type: ignore[misc]
    if not looks:
        return []
    pool = ThreadPoolExecutor(len(looks))
    try:
        return [check for found in pool.map(lambda look: _survive(*look), looks) for check in found]
    finally:
        pool.shutdown(wait=False)  # after Ctrl-C nobody waits for a server that is silent


def _survive(name: str, look: Look) -> list[Check]:
    """What `look` finds; anything unexpected is one failure of that server."""
    found: list[Check] = []

    def all_of_it() -> Check:
        found.extend(look())
        return ok(name, "")

    outcome = attempt(name, all_of_it)
    return found if outcome.state is State.OK else [outcome]


def _grouped(specs: Iterable[HostSpec], key: Callable[[HostSpec], Hashable]) -> list[list[HostSpec]]:
    groups: dict[Hashable, list[HostSpec]] = {}
    for spec in specs:
        groups.setdefault(key(spec), []).append(spec)
    return list(groups.values())
