"""Which volume an extent serves: changed only when nobody is logged in, serial and NAA stay. Source: iscsi.extent.update."""

from __future__ import annotations

from typing import Any

from zerotoil.clients.truenas import Nas
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.spec import HostSpec
from zerotoil.resources.nas.targets import patiently


def served(spec: HostSpec, nas: Nas) -> str:
    """The volume that the host's extent serves. Raises LabError when there is no such extent."""
    return str(_extent(spec, nas)["disk"]).removeprefix("zvol/")


def serve(spec: HostSpec, nas: Nas, volume: str) -> None:
    """Let the host's extent serve `volume`, and read it back. The caller has seen to it that nobody is logged in."""
    with nas.lock:
        nas.forget()
        if served(spec, nas) == volume:
            return
        number = _extent(spec, nas)["id"]
        patiently(lambda: nas.write("iscsi.extent.update", number, {"disk": f"zvol/{volume}"}))
        if served(spec, nas) != volume:
            raise LabError(
                f"{spec.name}: the NAS did not let the extent {spec.iscsi.extent} serve {volume}",
                "look at the NAS's own log, then run again",
                code=Code.CHANGE_NOT_MADE,
            )


def _extent(spec: HostSpec, nas: Nas) -> dict[str, Any]:
    entry = next(iter(nas.found("iscsi.extent", "name", spec.iscsi.extent)), None)
    if entry is None:
        raise LabError(
            f"{spec.name}: the NAS has no extent {spec.iscsi.extent}", "run the deploy first", code=Code.NEEDS_ANOTHER_FIRST
        )
    return entry
