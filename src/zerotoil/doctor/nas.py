"""What the hosts of an inventory need of one NAS: it answers, trusts us, has the pool, and its clock is right."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from urllib.parse import urlsplit

from zerotoil.clients.truenas import Nas, wire
from zerotoil.doctor.check import Check, attempt, failure, ok, warning
from zerotoil.errors import LabError
from zerotoil.layers.servers import servers
from zerotoil.model.spec import HostSpec

SKEW = 60  # seconds of difference that are worth a word: certificates, snapshot names and logs go by the clock
_SECONDS = 5


def checks(specs: list[HostSpec]) -> list[Check]:
    """Everything about the NAS that these hosts share; the rest is left out when there is no login."""
    url, portals = specs[0].nas.url, sorted({(spec.iscsi.connect_to, spec.iscsi.port) for spec in specs})
    reached = [portal(url, address, port) for address, port in portals]
    try:
        nas = servers.nas(specs[0])
    except LabError as error:
        return [failure(url, error.what, error.remedy), *reached]
    found = [ok(url, f"TrueNAS, API {nas.capabilities.version}; logged in as {specs[0].nas.user}")]
    found += [pool(nas, name) for name in sorted({spec.nas.pool for spec in specs})]
    found += clock(specs[0])
    nas.close()
    return found + reached


def pool(nas: Nas, pool: str) -> Check:
    """The ZFS pool is there and healthy."""
    name = f"{nas.url}: pool {pool}"

    def look() -> Check:
        known = {entry["name"]: entry for entry in nas.query("pool")}
        if pool not in known:
            there = ", ".join(sorted(known)) or "none"
            return failure(name, f"not there (there: {there})", "name another in nas_dataset, or create it on the NAS")
        state = str(known[pool].get("status") or "there")
        if known[pool].get("healthy") is False:
            return warning(name, state, "see Storage on the NAS")
        return ok(name, state)

    return attempt(name, look)


def portal(url: str, address: str, port: int) -> Check:
    """The iSCSI port is open. A warning at most: only the hypervisor has to reach it, and the first deploy opens it."""
    name = f"{url}: iSCSI {address}:{port}"
    try:
        socket.create_connection((address, port), _SECONDS).close()
    except OSError as error:
        what = f"not reached from here ({error.strerror or error})"
        return warning(name, what, "fine before the first deploy, or when only the hypervisor is on its network")
    return ok(name, "open")


def clock(spec: HostSpec) -> list[Check]:
    """Is the NAS's clock like ours? Nothing when it does not say what time it is."""
    name, nas = f"{spec.nas.url}: clock", spec.nas
    tls = wire.Tls(str(urlsplit(nas.url).hostname), nas.ca.expanduser() if nas.ca else None, nas.fingerprint)
    try:
        theirs = wire.server_time(nas.url, tls, nas.timeout)
    except LabError as error:
        return [failure(name, error.what, error.remedy)]
    return [compare(name, theirs, datetime.now(UTC))] if theirs else []


def compare(name: str, theirs: datetime, ours: datetime) -> Check:
    """The two clocks, to the second that a Date header has."""
    ahead = round((theirs - ours).total_seconds())
    if abs(ahead) > SKEW:
        what = f"{abs(ahead)} s {'ahead of' if ahead > 0 else 'behind'} this machine's"
        return warning(name, what, "let both keep time: timedatectl set-ntp true here; System, General, NTP on the NAS")
    return ok(name, f"within {SKEW} s of this machine's")
