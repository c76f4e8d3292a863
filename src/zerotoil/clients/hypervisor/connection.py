"""One libvirt connection: what runs there, observed in bulk, and the few writes that the resources need.

One `Hypervisor` per address is shared by all hosts of a process. What was read stays until `forget()`, which every
write calls. Nothing here decides anything. Source: libvirt's API reference; traps in the docstrings.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import libvirt

from zerotoil.clients.hypervisor import deadline
from zerotoil.clients.hypervisor.errors import HypervisorError, translated
from zerotoil.error_codes import Code

if TYPE_CHECKING:
    from zerotoil.clients.hypervisor.storage import Storage

T = TypeVar("T")
KEEPALIVE = (5, 3)  # a dead remote connection is noticed within 5 s × 3


@dataclass(frozen=True)
class DomainState:
    """What the bulk query says about a VM."""

    name: str
    active: bool
    paused: bool
    autostart: bool
    persistent: bool


_open: dict[str, Hypervisor] = {}
_failed: dict[str, tuple[float, HypervisorError]] = {}
_open_locks: dict[str, threading.Lock] = {}  # by address: a dead hypervisor makes no other wait


class Hypervisor:
    """A connected libvirt. Use `connect`."""

    def __init__(self, uri: str, connection: Any, timeout: float) -> None:
        self.uri = uri
        self.timeout = timeout
        self.connection = connection
        self.writes: Counter[str] = Counter()
        self._cache: dict[Any, Any] = {}
        self._epoch = 0
        self._locks: dict[str, Any] = defaultdict(threading.RLock)

    @classmethod
    def connect(cls, uri: str, timeout: float = 30) -> Hypervisor:
        """The shared connection to `uri`. Raises HypervisorError, at the latest after `timeout` seconds.

        A failure is remembered for as long as a try may take, so that twenty hosts do not wait twenty times.
        """
        with _open_locks.setdefault(uri, threading.Lock()):
            known = _open.get(uri)
            if known and known.is_alive():
                return known
            at, failure = _failed.get(uri, (0.0, None))
            if failure and time.monotonic() - at < timeout:
                raise failure
            try:
                _open[uri] = cls(uri, _connect(uri, timeout), timeout)
            except HypervisorError as error:
                _failed[uri] = (time.monotonic(), error)
                raise
            return _open[uri]

    @cached_property
    def storage(self) -> Storage:
        """Pools and volumes (`storage.Storage`)."""
        from zerotoil.clients.hypervisor.storage import Storage

        return Storage(self)

    def run(self, doing: str, fn: Callable[[], T], seconds: float | None = None) -> T:
        """Call libvirt in `fn`, off the event loop and under the deadline. `doing` begins the error's text."""
        with translated(f"hypervisor {self.uri}: {doing}"):
            return deadline.call(fn, seconds or self.timeout)

    def write(self, kind: str, doing: str, fn: Callable[[], T], seconds: float | None = None) -> T:
        """`run` something that changes the hypervisor: counted by `kind`, and what was read is forgotten."""
        try:
            return self.run(doing, fn, seconds)
        finally:
            self.writes[kind] += 1
            self.forget()

    def forget(self) -> None:
        """Read afresh from now on."""
        self._epoch += 1
        self._cache = {}

    def cached(self, key: Any, read: Callable[[], T]) -> T:
        """What `read` says, read once until `forget`; hosts that ask at the same time share the answer."""
        with self.alone("read"):
            known = self._cache
            if key in known:
                return known[key]  # type: ignore[no-any-return]
            epoch, value = self._epoch, read()
            if epoch == self._epoch:  # else another host wrote meanwhile, and this may be older than that
                self._cache[key] = value
            return value

    @contextmanager
    def alone(self, what: str) -> Iterator[None]:
        """Only one host of this process does `what` at a time (upload one image, say)."""
        with self._locks[what]:
            yield

    def is_alive(self) -> bool:
        """Does the connection still stand?"""
        try:
            return bool(self.run("check connection", self.connection.isAlive))
        except HypervisorError:
            return False

    @property
    def is_test(self) -> bool:
        """Is this libvirt's pretend driver (test:///…)? It knows domains and networks, but no secrets and no uploads."""
        return self.uri.startswith("test")

    # --- domains

    def domains(self) -> dict[str, DomainState]:
        """Every VM by name: five calls, however many there are."""
        return self.cached("domains", lambda: self.run("list VMs", self._list_domains))

    def _list_domains(self) -> dict[str, DomainState]:
        def names(flag: int) -> set[str]:
            return {domain.name() for domain in self.connection.listAllDomains(flag)}

        active, paused = names(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE), names(libvirt.VIR_CONNECT_LIST_DOMAINS_PAUSED)
        autostart = names(libvirt.VIR_CONNECT_LIST_DOMAINS_AUTOSTART)
        persistent = names(libvirt.VIR_CONNECT_LIST_DOMAINS_PERSISTENT)
        return {
            name: DomainState(name, name in active, name in paused, name in autostart, name in persistent) for name in names(0)
        }

    def domain_xml(self, name: str, *, live: bool = False) -> str:
        """The VM's definition (as it will start next), or with `live` the one it runs with. Without secrets."""
        flags = 0 if live else libvirt.VIR_DOMAIN_XML_INACTIVE
        return self.cached(
            ("xml", name, live),
            lambda: self.run(f"read VM {name}", lambda: str(self._domain(name).XMLDesc(flags))),
        )

    def read_definitions(self, names: Iterable[str]) -> None:
        """Read what `domain_xml` will be asked for of many VMs in one go: handing a call to a thread costs more than the call."""

        def read() -> dict[Any, str]:
            found = {}
            for name in names:
                with suppress(libvirt.libvirtError):  # gone, or not there yet: whoever asks for it is told
                    domain = self.connection.lookupByName(name)
                    for live in (False, True):
                        found["xml", name, live] = str(domain.XMLDesc(0 if live else libvirt.VIR_DOMAIN_XML_INACTIVE))
            return found

        with self.alone("read"):
            epoch, found = self._epoch, self.run("read VMs", read, self.timeout * 4)
            if epoch == self._epoch:
                self._cache |= found

    def definition(self, name: str) -> str:
        """The VM's definition to be mended and defined again: with its secrets (a VNC password, say), or they were lost."""
        flags = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
        return self.run(f"read VM {name}", lambda: str(self._domain(name).XMLDesc(flags)))

    def is_running(self, name: str) -> bool:
        """Is the VM on at this moment (asked afresh)?"""
        return bool(self.run(f"VM {name}", lambda: self._domain(name).isActive()))

    def start_number(self, name: str) -> int:
        """libvirt's ID of the running VM, another one after each start; -1 while it is off."""
        return int(self.run(f"look at VM {name}", lambda: self._domain(name).ID()))

    def define(self, name: str, xml: str) -> None:
        """Define or redefine a VM, checked against libvirt's schema first."""
        flags = libvirt.VIR_DOMAIN_DEFINE_VALIDATE
        self.write("define", f"define VM {name}", lambda: self.connection.defineXMLFlags(xml, flags))

    def undefine(self, name: str) -> None:
        """Forget a VM's definition. Its disks stay."""
        flags = libvirt.VIR_DOMAIN_UNDEFINE_NVRAM | libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
        self.write("undefine", f"undefine VM {name}", lambda: self._domain(name).undefineFlags(0 if self.is_test else flags))

    def start(self, name: str) -> None:
        """Start a VM. Emulation and a slow disk may take their time: four deadlines."""
        self.write("start", f"start VM {name}", lambda: self._domain(name).create(), self.timeout * 4)

    def set_autostart(self, name: str, on: bool) -> None:
        """Start the VM with the hypervisor, or not."""
        self.write("autostart", f"autostart of VM {name}", lambda: self._domain(name).setAutostart(int(on)))

    def resume(self, name: str) -> None:
        """Let a paused VM go on (libvirt pauses it when the NAS is away)."""
        self.write("resume", f"resume VM {name}", lambda: self._domain(name).resume())

    def press_power(self, name: str) -> None:
        """Ask the guest to shut down (ACPI)."""
        self.write("shutdown", f"shut down VM {name}", lambda: self._domain(name).shutdown())

    def power_off(self, name: str) -> None:
        """Pull the plug. Only where a person asked for it."""
        self.write("destroy", f"power off VM {name}", lambda: self._domain(name).destroy())

    def attach_device(self, name: str, xml: str) -> None:
        """Plug a device into a running VM. Its definition stays: the device is gone after the next start."""
        live = libvirt.VIR_DOMAIN_AFFECT_LIVE
        self.write("attach", f"attach to VM {name}", lambda: self._domain(name).attachDeviceFlags(xml, live), self.timeout * 2)

    def detach_device(self, name: str, xml: str) -> None:
        """Ask a running VM to give a device up. It is gone when the guest lets go of it, which may be later."""
        live = libvirt.VIR_DOMAIN_AFFECT_LIVE
        self.write("detach", f"detach from VM {name}", lambda: self._domain(name).detachDeviceFlags(xml, live), self.timeout * 2)

    def _domain(self, name: str) -> Any:
        return self.connection.lookupByName(name)


def _connect(uri: str, timeout: float) -> Any:
    _start_event_loop()
    # no_tty: ssh must fail instead of asking for a password nobody can type
    remote = "+" in uri
    full = uri + ("&" if "?" in uri else "?") + "no_tty=1" if "+ssh" in uri and "no_tty" not in uri else uri

    def connect() -> Any:
        connection = libvirt.open(full)
        if remote:
            connection.setKeepAlive(*KEEPALIVE)
        return connection

    try:
        with translated(f"hypervisor {uri}: connect", Code.HYPERVISOR_UNREACHABLE):
            return deadline.call(connect, timeout)
    except HypervisorError as error:
        error.remedy = error.remedy or f"see whether it is up: virsh -c {uri} version"
        raise HypervisorError(error.what, error.remedy, code=error.code) from error


_event_loop = threading.Event()


def _start_event_loop() -> None:
    """libvirt's event loop: keepalive, console streams and domain events need it running before a connection opens."""
    if _event_loop.is_set():
        return
    _event_loop.set()
    libvirt.virEventRegisterDefaultImpl()

    def turn() -> None:
        while True:
            libvirt.virEventRunDefaultImpl()

    deadline.native_thread(turn, "libvirt events")
