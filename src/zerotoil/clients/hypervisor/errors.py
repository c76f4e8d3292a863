"""What libvirt says, in words for people. libvirt's own printing to stderr is switched off here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import libvirt

from zerotoil.error_codes import Code
from zerotoil.errors import LabError


class HypervisorError(LabError):
    """The hypervisor refused, failed or did not answer."""


_REMEDIES = {
    libvirt.VIR_ERR_AUTH_FAILED: "let this user manage libvirt (group libvirt), or use another user in hypervisor_uri",
    libvirt.VIR_ERR_AUTH_UNAVAILABLE: "let this user manage libvirt (group libvirt), or use another user in hypervisor_uri",
    libvirt.VIR_ERR_ACCESS_DENIED: "let this user manage libvirt (group libvirt), or use another user in hypervisor_uri",
    libvirt.VIR_ERR_NO_STORAGE_POOL: "create the pool, or name another one in hypervisor_pool (virsh pool-list --all)",
    libvirt.VIR_ERR_NO_NETWORK: "create the network, or name another one in vm_nics (virsh net-list --all)",
    libvirt.VIR_ERR_NO_SUPPORT: "this libvirt driver cannot do that; use qemu:///system or qemu+ssh://…",
}


_CODES = {
    libvirt.VIR_ERR_AUTH_FAILED: Code.HYPERVISOR_DENIED,
    libvirt.VIR_ERR_AUTH_UNAVAILABLE: Code.HYPERVISOR_DENIED,
    libvirt.VIR_ERR_ACCESS_DENIED: Code.HYPERVISOR_DENIED,
    libvirt.VIR_ERR_OPERATION_DENIED: Code.HYPERVISOR_DENIED,  # a connection that only reads
    libvirt.VIR_ERR_NO_STORAGE_POOL: Code.NO_STORAGE_POOL,
    libvirt.VIR_ERR_NO_NETWORK: Code.NO_NETWORK,
}


@contextmanager
def translated(doing: str, otherwise: Code = Code.HYPERVISOR_REFUSED) -> Iterator[None]:
    """Turn what libvirt raises while `doing` ("define VM matrix") into a HypervisorError; `otherwise` where it has no kind."""
    try:
        yield
    except TimeoutError as error:
        raise HypervisorError(
            f"{doing}: {error}", "see whether the hypervisor is up and its libvirt answers", code=Code.HYPERVISOR_TIMEOUT
        ) from error
    except libvirt.libvirtError as error:
        number = error.get_error_code()
        raise HypervisorError(
            f"{doing}: {message(error)}", _REMEDIES.get(number, ""), code=_CODES.get(number, otherwise)
        ) from error


def message(error: libvirt.libvirtError) -> str:
    """libvirt's message on one line, without its stock prefix."""
    text = " ".join(str(error.get_error_message() or error).split())
    return text.removeprefix("internal error: ").removeprefix("operation failed: ")


def _silent(_context: Any, _error: Any) -> None:
    """Errors are raised; libvirt prints them to stderr as well unless told otherwise."""


libvirt.registerErrorHandler(_silent, None)
