"""The embedded lab as a whole: its pieces in the order in which they come up, and `up`, `status`, `down`, `reset`.

Every piece's `up` looks first and changes nothing when all is well, so `up` also repairs what a killed `up` or a reboot
left. `down` goes through the pieces backwards and goes on after a failure; files stay. `reset` removes them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.minilab import (
    artifacts,
    domains,
    images,
    iscsi,
    layout,
    libvirtd,
    network,
    preflight,
    registry,
    signal,
    simulator,
    state,
    tls,
    zpool,
)

Say = Callable[[str, str, float], None]  # piece, what happened, seconds since the command began


@dataclass(frozen=True)
class Piece:
    """One part of the lab that runs. `up` and `down` say what happened; `is_up` is quick and never raises."""

    name: str
    address: str
    up: Callable[[], str]
    is_up: Callable[[], bool]
    down: Callable[[], str]
    alone: bool = True  # False: needs none of its neighbours that say so too, and comes up beside them


@dataclass(frozen=True)
class State:
    """One row of `lab status`."""

    name: str
    is_up: bool
    address: str


def pieces(nas_version: str | None = None) -> list[Piece]:
    """In the order in which they need each other."""
    at = layout.ADDRESS
    return [
        Piece("libvirt", layout.LIBVIRT_URI, libvirtd.up, libvirtd.reachable, libvirtd.down),
        Piece("network", f"{layout.NETWORK}, {layout.SUBNET}", network.network_up, network.network_is_up, network.network_down),
        Piece(
            "storage pool",
            f"{layout.STORAGE_POOL}, {layout.STORAGE_POOL_PATH}",
            network.pool_up,
            network.pool_is_up,
            network.pool_down,
        ),
        Piece("ZFS pool", f"{layout.ZPOOL}, {layout.ZPOOL_FILE}", zpool.up, zpool.is_up, zpool.down),
        Piece("iSCSI target", iscsi.PORTAL, iscsi.up, iscsi.is_up, iscsi.down),
        Piece(
            "NAS simulator", f"wss://{at}:{layout.NAS_PORT}", lambda: simulator.up(nas_version), simulator.is_up, simulator.down
        ),
        _registry("registry", registry.OPEN),
        _registry("private registry", registry.PRIVATE),
        Piece("mirror", artifacts.URL, artifacts.up, artifacts.is_up, artifacts.down, alone=False),
        Piece("Signal stand-in", f"http://{at}:{layout.SIGNAL_PORT}", signal.up, signal.is_up, signal.down, alone=False),
    ]


def _registry(name: str, which: registry.Registry) -> Piece:
    up, down = partial(registry.up, which), partial(registry.down, which)
    return Piece(name, f"https://{which.address}", up, partial(registry.is_up, which), down, alone=False)


def up(say: Say, nas_version: str | None = None) -> None:
    """Bring everything up. Harmless when it is up; raises LabError at the first piece that cannot."""
    began = _prepare()
    with state.lock():
        _step(say, began, "packages", preflight.require_packages)
        if not artifacts.STREAM.exists():
            preflight.require_space(layout.STATE)
        _step(say, began, "state", state.ensure)
        _step(say, began, "certificates", tls.ensure)
        _bring_up(say, began, pieces(nas_version))
        _build(say, began)


def _bring_up(say: Say, began: float, wanted: list[Piece]) -> None:
    """One after the other, but neighbours that need not be alone together; told in their order all the same."""
    for _, together in groupby(wanted, key=lambda piece: piece.name if piece.alone else ""):
        group = list(together)
        with ThreadPoolExecutor(len(group)) as pool:
            for piece, running in [(piece, pool.submit(piece.up)) for piece in group]:
                _step(say, began, piece.name, running.result)


def _build(say: Say, began: float) -> None:
    def announce(what: str, piece: str) -> None:
        say(piece, what, time.monotonic() - began)

    _step(say, began, "tools", lambda: artifacts.build_tools(lambda what: announce(what, "tools")))
    _step(say, began, "guest image", lambda: artifacts.build_guest_image(lambda what: announce(what, "guest image")))
    _step(say, began, "Watchtower stand-in", images.push_watchtower)


def ostree(say: Say) -> None:
    """Build the guest whose root is an ostree deployment, offer it as a stream, and push its tree as os/base:v1.

    Harmless when that is done. Raises LabError when the lab is not up.
    """
    from zerotoil.minilab import ostree as guest

    began = _prepare()
    with state.lock():
        if not registry.is_up(registry.OPEN):
            raise LabError("the lab is not up", "run `zerotoil lab up`", code=Code.LAB_STEP_FAILED)
        preflight.require_space(layout.STATE)
        announce = lambda what: say("ostree guest", what, time.monotonic() - began)  # noqa: E731
        _step(say, began, "ostree guest", lambda: artifacts.build_ostree_image(announce))
        _step(say, began, "its tree", lambda: f"pushed as {registry.OPEN.address}/{guest.BASE}, {guest.push_base()}")


def status() -> list[State]:
    """What is up. Changes nothing."""
    _prepare()
    rows = [State(piece.name, piece.is_up(), piece.address) for piece in pieces()]
    rows[_index("NAS simulator")] = _with_version(rows[_index("NAS simulator")])
    return rows


def guests() -> list[str]:
    """The lab's domains; empty when libvirt does not answer."""
    return domains.names() if libvirtd.reachable() else []


def down(say: Say) -> None:
    """Leave nothing running, mounted or defined; data and files stay. Raises LabError with all that failed."""
    began = _prepare()
    with state.lock():
        _down(say, began)


def reset(say: Say) -> None:
    """`down`, then remove everything that the lab ever stored, its data volumes included."""
    began = _prepare()
    with state.lock():
        _down(say, began)
        state.remove()
        say("state", f"{layout.STATE} removed", time.monotonic() - began)


def _down(say: Say, began: float) -> None:
    if not state.MARK.exists():
        say("state", "there is no lab", time.monotonic() - began)
        return
    libvirt_answers = libvirtd.reachable()
    if not libvirt_answers and _left_behind():
        libvirtd.up()  # only libvirt can take away what a killed one left defined
        libvirt_answers = True
    needs_libvirt = {"network", "storage pool"}
    steps = [("guests", domains.down), *((piece.name, piece.down) for piece in reversed(pieces()))]
    failures = []
    for name, step in steps:
        if not libvirt_answers and name in needs_libvirt | {"guests"}:
            continue
        try:
            _step(say, began, name, step)
        except LabError as error:
            failures.append(f"{name}: {error}")
    if failures:
        raise LabError("the lab is not wholly down", "; ".join(failures), code=Code.LAB_STEP_FAILED)


def _left_behind() -> bool:
    """Whether libvirt has something of ours on disk although it does not run."""
    from pathlib import Path

    defined = (
        Path("/etc/libvirt/qemu/networks", f"{layout.NETWORK}.xml"),
        Path("/etc/libvirt/storage", f"{layout.STORAGE_POOL}.xml"),
    )
    return any(path.exists() for path in defined)


def _prepare() -> float:
    preflight.require_root()
    preflight.extend_path()
    return time.monotonic()


def _step(say: Say, began: float, name: str, step: Callable[[], str]) -> None:
    say(name, step(), time.monotonic() - began)


def _index(name: str) -> int:
    return [piece.name for piece in pieces()].index(name)


def _with_version(row: State) -> State:
    return State(row.name, row.is_up, f"{row.address} (TrueNAS {simulator.version()})") if row.is_up else row
