"""What a guest needs to write down what runs there: the script, its service, and when it runs. Pure.

The ledger lies on the data disk, /var/mnt/data/zerotoil/ledger, so that each snapshot carries the versions that belong to its
data. It is written before each snapshot of the NAS's schedule, after updates, after a deploy, and after a boot.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from zerotoil.model.night import fixed_times
from zerotoil.model.spec import HostSpec
from zerotoil.model.units import Cron
from zerotoil.resources.guest.files import GuestFile
from zerotoil.resources.guest.packaged import script, unit

LEAD = 120  # seconds before a snapshot: the script is done by then
_DAY = 86400
_HOURLY = "*-*-* *:58:00"
_OFTEN = 288  # times a day; a snapshot each five minutes finds an entry that is old enough to be true
_EVERY_FIVE_MINUTES = "*-*-* *:03/5:00"


def guest_files(spec: HostSpec) -> list[GuestFile]:
    """The files of a host that runs containers; none for another."""
    podman = spec.container.backend == "podman" and spec.apps.run
    if not (spec.docker.enabled or podman or spec.k3s.role):
        return []
    tiers = (tier.schedule for tier in spec.data.snapshot_tiers.values())
    times = before_snapshots([spec.data.snapshot_schedule, *tiers], spec.watchtower.timezone)
    return [
        script("ledger.sh"),
        unit("zerotoil-ledger@.service"),
        unit("zerotoil-ledger-boot.timer"),
        unit("zerotoil-ledger-before.timer", _timer(times)),
    ]


def before_snapshots(schedules: Iterable[Cron], timezone: str) -> list[str]:
    """OnCalendar= lines for two minutes before each of these schedules; hourly where that cannot be told.

    The days of a schedule are left out: an entry too many costs nothing, and the day before a first of the month is many.
    Times of equal minute or equal hours share a line. Source: systemd.time(7).
    """
    times: set[int] = set()
    for schedule in schedules:
        found = fixed_times(f"0 {schedule.minute} {schedule.hour}")
        if not found:
            return [f"{_HOURLY} {timezone}"]
        times |= {(time - LEAD) % _DAY // 60 for time in found}
    if len(times) > _OFTEN:
        return [f"{_EVERY_FIVE_MINUTES} {timezone}"]
    hours_of: dict[int, list[int]] = defaultdict(list)
    for time in sorted(times):
        hours_of[time % 60].append(time // 60)
    minutes_of: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for minute, hours in sorted(hours_of.items()):
        minutes_of[tuple(hours)].append(minute)
    return [f"*-*-* {_hours(hours)}:{_joined(minutes)}:00 {timezone}" for hours, minutes in minutes_of.items()]


def _hours(hours: tuple[int, ...]) -> str:
    return "*" if len(hours) == 24 else _joined(hours)


def _joined(numbers: Iterable[int]) -> str:
    return ",".join(f"{number:02}" for number in numbers)


def _timer(times: list[str]) -> str:
    lines = "\n".join(f"OnCalendar={time}" for time in times)
    return (
        f"[Unit]\nDescription=Write down what runs before the NAS's snapshot\n[Timer]\n{lines}\nAccuracySec=10s\n"
        "Unit=zerotoil-ledger@before-snapshot.service\n[Install]\nWantedBy=timers.target\n"
    )
