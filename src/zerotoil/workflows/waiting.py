"""Waiting for a VM that was started: its guest boots, and may go off meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from zerotoil.errors import LabError
from zerotoil.layers import Site

T = TypeVar("T")
_LOOK_SECONDS = 1


def until(site: Site, look: Callable[[], T]) -> T:
    """What `look` says once it raises no LabError any more; its last one after vm_boot_timeout, or when the VM goes off."""
    deadline = time.monotonic() + site.spec.vm.boot_timeout
    while True:
        try:
            return look()
        except LabError as error:
            late = time.monotonic() > deadline
            if late or not site.hypervisor.is_running(site.spec.name):
                after = f"after {site.spec.vm.boot_timeout} s" if late else "and the VM went off"
                raise LabError(f"{error.what} {after}", error.remedy, code=error.code) from error
        time.sleep(_LOOK_SECONDS)
