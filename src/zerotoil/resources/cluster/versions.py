"""May the declared Plans lead where they lead, from what the nodes run now? Pure.

Source: kubernetes.io releases/version-skew-policy (no minor release is skipped); system-upgrade-controller does not look.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.upgrades import minor_of


def refuse_upgrade(host: str, seen: Mapping[str, Any], target: tuple[int, int] | None) -> None:
    """Raise LabError for a Plan that would skip a minor release or lead back."""
    if target is None:
        return
    for node in seen.get("nodes", []):
        runs = minor_of(node["version"])
        if runs is None or runs[0] != target[0]:
            continue
        if target[1] > runs[1] + 1:
            what = (
                f"{node['name']} runs {node['version']}, and the Plan leads to v{target[0]}.{target[1]}: a minor is never skipped"
            )
            remedy = f"declare v{runs[0]}.{runs[1] + 1} first"
            raise LabError(f"{host}: {what}", remedy, code=Code.K3S_SKIPS_MINOR)
        if target[1] < runs[1]:
            what = f"{node['name']} runs {node['version']}, and the Plan leads back to v{target[0]}.{target[1]}"
            remedy = f"zerotoil undo {host} brings an earlier state back, with its datastore"
            raise LabError(f"{host}: {what}, which k3s refuses", remedy, code=Code.K3S_SKIPS_MINOR)
