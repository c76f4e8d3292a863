"""What may be taken away of what is declared no more. Pure.

helm-controller uninstalls the release of a HelmChart that is deleted, and a claim that the chart made goes with it: that is data.
Such a chart stays until its owner names it, with what it is made from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from zerotoil.model.kubernetes.objects import title
from zerotoil.resources.resource import Action, Change, Kind, Notice, Risk

Stub = dict[str, Any]


@dataclass(frozen=True)
class Extra:
    """Objects of ours that are declared no more; `uninstall`: charts (NAMESPACE/NAME) that may go with their claims."""

    stubs: Sequence[Stub]
    uninstall: Sequence[str] = ()

    @property
    def kept(self) -> list[Stub]:
        """The charts that stay for the sake of their claims."""
        return [stub for stub in self.stubs if stub.get("claims") and _place(stub) not in self.uninstall]

    @property
    def gone(self) -> list[Stub]:
        """What goes: all but those charts, their values and their config."""
        needed = {(kind, _place(chart)) for kind in ("HelmChart", "HelmChartConfig") for chart in self.kept}
        for chart in self.kept:
            needed |= {("Secret", f"{chart['metadata'].get('namespace')}/{name}") for name in chart.get("secrets", [])}
        return [stub for stub in self.stubs if (stub["kind"], _place(stub)) not in needed]

    def bare(self) -> list[Stub]:
        """What goes, as kubectl finds it."""
        return [{key: stub[key] for key in ("apiVersion", "kind", "metadata")} for stub in self.gone]

    def changes(self) -> list[Change]:
        """What goes, in words."""
        return [Change(named(stub), Action.DELETE, "object", "there", _fate(stub), Risk.DESTRUCTIVE) for stub in self.gone]

    def notices(self) -> Iterator[Notice]:
        """What stays, and how it goes."""
        for chart in self.kept:
            what = f"declared no more; to uninstall it would delete the data of {', '.join(chart['claims'])}, so it stays"
            yield Notice(named(chart), Kind.KEPT, what, f'if it is meant: cluster_uninstall = ["{_place(chart)}"]')


def named(stub: Stub) -> str:
    """An object in words."""
    metadata = stub["metadata"]
    return title(stub["kind"], metadata.get("namespace") or "", metadata["name"])


def _place(stub: Stub) -> str:
    return f"{stub['metadata'].get('namespace') or ''}/{stub['metadata']['name']}"


def _fate(stub: Stub) -> str:
    if stub["kind"] != "HelmChart":
        return "removed: it is declared no more"
    data = f", and the data of its claims {', '.join(stub['claims'])}" if stub.get("claims") else ""
    return f"uninstalled with all that it made{data}: it is declared no more"
