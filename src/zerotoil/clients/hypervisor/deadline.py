"""Blocking C calls under a deadline, friendly to gevent.

libvirt calls cannot be interrupted and, under pyinfra's gevent, would stop every host while they wait. They run in
gevent's thread pool when gevent has patched the process, else in a thread of their own; who waits too long gets a
`TimeoutError`, and the call is left behind.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def call(fn: Callable[[], T], seconds: float) -> T:
    """Run `fn` beside the caller and return or raise what it does. Raises TimeoutError after `seconds`."""
    outcome: list[Any] = []

    def keep() -> None:
        try:  # kept, not raised: gevent's pool would print the traceback of an error that the caller expects
            outcome.append((fn(), None))
        except BaseException as error:
            outcome.append((None, error))

    if not (_in_gevent(keep, seconds) if _patched() else _in_thread(keep, seconds)):
        raise TimeoutError(f"no answer within {seconds:g} s")
    value, error = outcome[0]
    if error is not None:
        raise error
    return value  # type: ignore[no-any-return]


def native_thread(fn: Callable[[], None], name: str) -> None:
    """Start a daemon thread of the operating system, also where gevent has replaced threads by greenlets."""
    if not _patched():
        threading.Thread(target=fn, name=name, daemon=True).start()
        return
    from gevent import monkey

    monkey.get_original("_thread", "start_new_thread")(fn, ())


def _patched() -> bool:
    monkey = sys.modules.get("gevent.monkey")
    return bool(monkey and monkey.is_module_patched("threading"))


def _in_thread(keep: Callable[[], None], seconds: float) -> bool:
    thread = threading.Thread(target=keep, name="libvirt call", daemon=True)
    thread.start()
    thread.join(seconds)
    return not thread.is_alive()


def _in_gevent(keep: Callable[[], None], seconds: float) -> bool:
    import gevent

    done = gevent.get_hub().threadpool.spawn(keep)
    return bool(done.wait(seconds) is not None or done.ready())
