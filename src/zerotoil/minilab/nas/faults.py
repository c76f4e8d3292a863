"""What a test or a demonstration can make the pretend NAS do wrong.

Every field is a switch that may be set while the simulator runs; counters count down to zero by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Faults:
    """Defaults: a healthy NAS."""

    busy: int = 0  # the next N deletes of a dataset or extent fail with EBUSY
    late_device: int = 0  # the device node of a new zvol stays away for N looks (disk_choices, extent create/update)
    control_returns_false: bool = False  # service control fails: false when silent, an error when not
    job_polls: int = 0  # a job stays RUNNING for N calls of core.get_jobs
    delete_is_dropped: bool = False  # pool.dataset.delete says true and deletes nothing (seen on 26)
    too_busy: int = 0  # the next N calls are refused with -32000
    drop_after: int | None = None  # close the socket instead of answering the Nth call from now; once
    mask_secrets: bool = False  # CHAP secrets and the mail password read as ******** (a login without the write role)
    revoked: set[str] = field(default_factory=set)  # users whose key was revoked
    hang: set[str] = field(default_factory=set)  # methods that never answer
    fail: dict[str, tuple[int, str]] = field(default_factory=dict)  # method -> (errno, reason) of a CallError

    def take(self, counter: str) -> bool:
        """Use up one of a counter; true while there was one left."""
        left: int = getattr(self, counter)
        if left > 0:
            setattr(self, counter, left - 1)
        return left > 0
