"""Waiting until what was applied is ready: pods of this version are available, jobs and charts have ended well."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from zerotoil.error_codes import Code
from zerotoil.errors import LabError, Several
from zerotoil.model.kubernetes.objects import Object
from zerotoil.model.units import format_seconds
from zerotoil.resources.cluster import kubectl
from zerotoil.resources.guest.guest import Guest

_KINDS = {("apps", kind) for kind in ("Deployment", "StatefulSet", "DaemonSet")} | {
    ("batch", "Job"),
    ("helm.cattle.io", "HelmChart"),
}
_FINAL = ("its job failed", "the chart failed")  # what no waiting mends


def until_ready(guest: Guest, objects: Sequence[Object], timeout: int) -> None:
    """Until all of these that can be waited for are ready; the guest itself waits at each question. Raises LabError."""
    waited = [one for one in objects if (one.group, one.kind) in _KINDS]
    if not waited:
        return
    deadline = time.monotonic() + timeout
    while left := kubectl.waiting(guest, [one.stub for one in waited]):
        if time.monotonic() > deadline or all(item["why"].startswith(_FINAL) for item in left):
            raise Several([_error(guest.name, _of(waited, item), item, timeout) for item in left])
        waited = [_of(waited, item) for item in left]


def _of(objects: Sequence[Object], item: dict[str, Any]) -> Object:
    found = (item["kind"], item["space"], item["name"])
    return next(one for one in objects if (one.kind, one.namespace or "default", one.name) == found)


def _error(host: str, one: Object, item: dict[str, Any], timeout: int) -> LabError:
    why = item["why"] + (f"; {' '.join(item['pod'].split())}" if item.get("pod") else "")
    late = "" if why.startswith(_FINAL) else f" after {format_seconds(timeout)}"
    logs = f"zerotoil ssh {host} -- sudo k3s kubectl -n {one.namespace or 'default'} describe {one.kind.lower()} {one.name}"
    return LabError(f"{host}: {one.where}: {one.title} is not ready{late}: {why}", logs, code=Code.OBJECT_NOT_READY)
