"""Tiers of snapshots: no name belongs to two of them, and hosts that share a dataset declare the same ones."""

from typing import Any

import pytest

from tests.conftest import RIGHT
from zerotoil.model.inventory import declare
from zerotoil.model.snapshots import MANUAL, confusable, fits, former_tier

WEEKLY = {"schedule": "0 3 * * 0", "keep": "3 months"}


@pytest.mark.parametrize(
    ("schema", "name", "made"),
    [
        ("auto-%Y-%m-%d_%H-%M", "auto-2026-11-23_21-47", True),
        ("auto-%Y-%m-%d_%H-%M", "auto-weekly-2026-11-23_21-47", False),
        ("auto-%Y-%m-%d_%H-%M", "auto-2026-11-23_21-47-38", False),
        (MANUAL, "manual-2026-11-23_21-47-38", True),
        ("100%%-%s", "100%-1795470458", True),
        ("x.%s", "xy1795470458", False),
    ],
)
def test_which_schema_made_a_name(schema: str, name: str, made: bool) -> None:
    assert fits(schema, name) is made


def test_schemas_that_cannot_be_told_apart() -> None:
    assert confusable("auto-%Y-%m-%d_%H-%M", "auto-%Y-%d-%m_%M-%H")
    assert not confusable("auto-%Y-%m-%d_%H-%M", "auto-weekly-%Y-%m-%d_%H-%M")


def test_the_tier_in_a_name() -> None:
    assert former_tier("auto-every-week-2026-11-23_21-47") == "every-week"
    assert former_tier("auto-2026-11-23_21-47") == ""


def problems(*hosts: dict[str, Any]) -> list[str]:
    named = dict(zip(("one", "two"), hosts, strict=False))
    return [str(p) for p in declare({name: [("", {**RIGHT, **keys})] for name, keys in named.items()}).problems]


def test_no_task_may_take_manual_snapshots_for_its_own() -> None:
    """It would remove them by its own retention."""
    (said,) = problems({"data_snapshot_naming": MANUAL})
    assert said.startswith(f"one: data_snapshot_naming: {MANUAL!r} makes names that {MANUAL!r} of zerotoil snapshot makes too")
    (said,) = problems({"data_snapshot_tiers": {"weekly": {**WEEKLY, "naming": MANUAL}}})
    assert said.startswith("one: data_snapshot_tiers: weekly.naming: ")


def test_hosts_that_share_a_dataset_declare_the_same_tiers() -> None:
    def host(name: str, **tiers: Any) -> dict[str, Any]:
        where = {"data_volume": f"tank/vms/{name}", "data_snapshot_dataset": "tank/vms"}
        return {**where, "data_snapshot_tiers": tiers}

    assert problems(host("a", weekly=WEEKLY), host("b", weekly=WEEKLY)) == []
    shared = "is declared differently by one; they share it on the NAS"
    assert problems(host("a", weekly=WEEKLY), host("b", weekly={**WEEKLY, "keep": "1 year"})) == [
        f"two: data_snapshot_tiers: the snapshot task of tank/vms (auto-weekly-%Y-%m-%d_%H-%M) {shared}"
    ]
    assert problems(host("a", weekly=WEEKLY), host("b")) == [
        f"two: data_snapshot_tiers: the list of snapshot tiers of tank/vms {shared}"
    ]
    assert problems({"data_snapshot_tiers": {"weekly": WEEKLY}}, {}) == [], "each host's dataset is its own"
