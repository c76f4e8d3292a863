"""A deletion that the NAS calls busy for a moment: an initiator has just logged out, a device is still looked at."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from zerotoil.clients.truenas import Nas, NasError

_BUSY = ("EBUSY", "EFAULT")  # which of the two depends on the version of TrueNAS
BUSY_SECONDS = 20.0
_LOOK_SECONDS = 0.5


def when_idle(nas: Nas, method: str, *params: Any, before: Callable[[], None] = lambda: None) -> None:
    """A writing call, tried again for up to 20 s while it is refused as busy. Raises NasError of the last refusal.

    `before` runs before each try, and ends it by raising: what was true 20 s ago need not be so now.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        before()
        try:
            nas.write(method, *params)
            return
        except NasError as error:
            if error.errname not in _BUSY or time.monotonic() > deadline:
                raise
        time.sleep(_LOOK_SECONDS)
