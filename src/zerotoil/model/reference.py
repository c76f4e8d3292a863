"""The reference of all inventory keys, as Markdown, from the specs themselves: documentation cannot drift from code.

`python -m zerotoil.model.reference` prints it; docs/reference/keys.md holds it.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from zerotoil.model.cluster import ClusterSecret
from zerotoil.model.more_data import VolumeSpec
from zerotoil.model.network import Nic
from zerotoil.model.registry import RegistryLogin
from zerotoil.model.secret import Secret
from zerotoil.model.snapshots import TierSpec
from zerotoil.model.spec import SECTIONS, keys
from zerotoil.model.units import format_seconds, format_size
from zerotoil.model.upgrades import Drain

_HEAD = """# Inventory keys

Set them as host data, as group data (`group_data/GROUP.py`) or by `--data key=value`; host data wins over group data,
and `--data` over everything. Sizes and durations are written as people write them: "4 GiB", "14 days".
A name that starts with `_` is yours and is ignored. This page is generated: `python -m zerotoil.model.reference`.
"""
_SECONDS = {"reconcile", "repeat", "stagger", "grace", "stale_after"}
_SIZES = {"size", "disk_size", "memory", "blocksize"}


def page() -> str:
    """The whole page."""
    parts = [_HEAD]
    for section, model in SECTIONS.items():
        parts.append(
            f"## {section}\n\n{(model.__doc__ or '').strip().splitlines()[0]}\n\n| key | default | meaning |\n|---|---|---|"
        )
        for name, field in model.model_fields.items():
            names = " or ".join(f"`{key}`" for key, place in keys().items() if place == (section, name))
            parts.append(f"| {names} | {_default(name, field)} | {_cell(field.description)} |")
        parts.append("")
    parts += [*_fields("A network card (`vm_nics`)", Nic), "", *_fields("A login (`registry_logins`)", RegistryLogin), ""]
    parts += [*_fields("A tier of snapshots (`data_snapshot_tiers`)", TierSpec), ""]
    parts += [*_fields("One more volume (`data_more`)", VolumeSpec), ""]
    parts += [*_fields("A secret of a cluster (`cluster_secrets`)", ClusterSecret), ""]
    parts += _fields("How nodes are drained (`upgrades_drain`)", Drain)
    return "\n".join(parts) + "\n"


def _fields(title: str, model: type[BaseModel]) -> list[str]:
    """The fields of what a key holds several of."""
    head = f"## {title}\n\n{(model.__doc__ or '').splitlines()[0]}\n\n| field | meaning |\n|---|---|"
    return [head, *(f"| `{name}` | {_cell(field.description)} |" for name, field in model.model_fields.items())]


def _default(name: str, field: Any) -> str:
    if field.default_factory is not None:
        made = field.default_factory()
        return "one card on the network `default`" if made else "none"
    if field.default is PydanticUndefined:
        return "**required**"
    if field.default is None or field.default == "" or isinstance(field.default, Secret):
        return "none"
    if name in _SIZES:
        return f'"{format_size(field.default)}"'
    if name.endswith("timeout") or name in _SECONDS:
        return f'"{format_seconds(field.default)}"'
    return f"`{field.default}`"


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|")


if __name__ == "__main__":
    print(page(), end="")
