"""What a guest needs to tell its owner something: scripts, units, settings, and the sinks with their secrets."""

from __future__ import annotations

import json

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.places import TREE
from zerotoil.model.secret import Secret
from zerotoil.model.spec import HostSpec
from zerotoil.render.notify import Sink, sinks
from zerotoil.resources.guest.files import GuestFile
from zerotoil.resources.guest.packaged import script, unit

SCRIPT = f"{TREE}/bin/notify.sh"
_SCRIPTS = ("notify.sh", "notify.jq", "notify-watch.sh", "notify-expiry.sh")
_UNITS = (
    "zerotoil-notify@.service", "zerotoil-notify-flush.path", "zerotoil-notify-flush.timer", "zerotoil-notify-flush.service",
    "zerotoil-notify-watch.service", "zerotoil-notify-watch.timer",
)  # fmt: skip


def guest_files(spec: HostSpec) -> list[GuestFile]:
    """All files of a host that has a sink; none for a host without. Reads the sinks' secrets. Raises LabError."""
    if not spec.notify.sinks:
        return []
    notify = spec.notify
    settings = {"host": spec.name, "events": notify.events, "repeat": notify.repeat, "burst": notify.burst}
    return [
        *map(script, _SCRIPTS),
        *map(unit, _UNITS),
        *_cluster(spec),
        GuestFile(f"{TREE}/notify/config.json", 0o600, json.dumps(settings, indent=1) + "\n", False),
        GuestFile(f"{TREE}/notify/sinks.json", 0o600, _sinks_text(spec), True),
    ]


def _cluster(spec: HostSpec) -> list[GuestFile]:
    """The look at what became of the cluster's workloads: one server of it tells."""
    if not spec.runs_cluster:
        return []
    names = ("zerotoil-notify-cluster.service", "zerotoil-notify-cluster.timer")
    return [script("notify-cluster.sh", "part-rollout.sh"), *map(unit, names)]


def host_sinks(spec: HostSpec) -> list[tuple[str, str, list[Sink]]]:
    """(name in words, URL, requests) of each declared sink. The name says where the secret is, not what it is."""
    found = []
    for number, secret in enumerate(spec.notify.sinks):
        name, url = f"notify_sinks[{number}]{_place(secret)}", secret.reveal()
        found.append((name, url, sinks(url, f"{spec.name}: {name}")))
    return found


def unreadable(spec: HostSpec) -> list[LabError]:
    """What is wrong with the sinks whose secrets are at hand here; the others are looked at when they are needed."""
    found = []
    for number, secret in enumerate(spec.notify.sinks):
        try:
            sinks(secret.reveal(), f"notify_sinks[{number}]{_place(secret)}")
        except LabError as error:
            if error.code not in (Code.SECRET_UNREADABLE, Code.SECRET_OPEN_TO_OTHERS):
                found.append(error)
    return found


def _place(secret: Secret) -> str:
    return f" ({secret.source})" if secret.source else ""


def _sinks_text(spec: HostSpec) -> str:
    each = {sink.id: sink for _, _, requests in host_sinks(spec) for sink in requests}
    rows = [{"id": name, "curl": sink.curl_config, "filter": sink.body_filter} for name, sink in each.items()]
    return json.dumps(rows, indent=1) + "\n"
