"""Tiers of snapshots: made beside the nightly task, switched off when they are declared no more, and never anybody else's."""

from typing import Any

import pytest

from tests.resources.nas.conftest import apply, connect, host, plan
from zerotoil.clients.truenas import Nas, NasError
from zerotoil.minilab.nas import Simulator
from zerotoil.minilab.nas.middleware import METHODS

HOURLY = {"schedule": "0 * * * *", "keep": "2 days"}
WEEKLY = {"schedule": "0 3 * * 0", "keep": "3 months"}
ON = "tank/lab/matrix"


def tiers(**declared: Any) -> Any:
    return host(data_snapshot_tiers=declared)


def tasks(nas: Nas) -> dict[str, dict[str, Any]]:
    nas.forget()
    return {task["naming_schema"]: task for task in nas.query("pool.snapshottask")}


def test_each_tier_is_a_task_of_its_own(sim: Simulator, nas: Nas) -> None:
    spec = tiers(hourly=HOURLY, weekly={**WEEKLY, "naming": "week-%Y-%m-%d_%H-%M"})
    apply(nas, spec)
    assert plan(nas, spec) == []
    before = sim.writes
    assert apply(connect(sim), spec) == []
    assert sim.writes == before
    found = tasks(nas)
    assert set(found) == {"auto-%Y-%m-%d_%H-%M", "auto-hourly-%Y-%m-%d_%H-%M", "week-%Y-%m-%d_%H-%M"}
    weekly = found["week-%Y-%m-%d_%H-%M"]
    assert (weekly["dataset"], weekly["recursive"], weekly["lifetime_value"], weekly["lifetime_unit"]) == (ON, True, 3, "MONTH")
    assert weekly["schedule"]["dow"] == "0"


def test_a_changed_tier_is_mended_in_place(nas: Nas) -> None:
    apply(nas, tiers(weekly=WEEKLY))
    number = tasks(nas)["auto-weekly-%Y-%m-%d_%H-%M"]["id"]
    changed = tiers(weekly={**WEEKLY, "keep": "1 year"})
    assert plan(nas, changed) == [f"snapshot task {ON} (weekly): keep 3 months -> 1 year"]
    apply(nas, changed)
    task = tasks(nas)["auto-weekly-%Y-%m-%d_%H-%M"]
    assert (task["id"], task["lifetime_value"], task["lifetime_unit"]) == (number, 1, "YEAR")


def test_a_tier_that_is_declared_no_more_is_switched_off_and_can_come_back(sim: Simulator, nas: Nas) -> None:
    apply(nas, tiers(hourly=HOURLY, weekly=WEEKLY))
    without = tiers(hourly=HOURLY)
    said = f"snapshot task {ON} (auto-weekly-%Y-%m-%d_%H-%M): enabled True -> False (declared no more; its snapshots stay)"
    assert plan(nas, without) == [said]
    assert [str(change) for change in apply(nas, without)] == [said]
    assert {name for name, task in tasks(nas).items() if not task["enabled"]} == {"auto-weekly-%Y-%m-%d_%H-%M"}
    before = sim.writes
    assert plan(nas, without) == [] and apply(nas, without) == []
    assert sim.writes == before
    back = tiers(hourly=HOURLY, weekly=WEEKLY)
    assert plan(nas, back) == [f"snapshot task {ON} (weekly): enabled False -> True"]
    apply(nas, back)
    apply(nas, host())  # all of them go
    assert {name for name, task in tasks(nas).items() if task["enabled"]} == {"auto-%Y-%m-%d_%H-%M"}


def test_another_naming_leaves_the_old_task_switched_off(nas: Nas) -> None:
    apply(nas, tiers(weekly=WEEKLY))
    apply(nas, tiers(weekly={**WEEKLY, "naming": "week-%Y-%m-%d_%H-%M"}))
    found = tasks(nas)
    assert not found["auto-weekly-%Y-%m-%d_%H-%M"]["enabled"]
    assert found["week-%Y-%m-%d_%H-%M"]["enabled"]


def by_hand(naming: str) -> dict[str, Any]:
    schedule = {"minute": "0", "hour": "3", "dom": "*", "month": "*", "dow": "0", "begin": "00:00", "end": "23:59"}
    lifetime = {"lifetime_value": 3, "lifetime_unit": "MONTH"}
    wanted = {"dataset": ON, "recursive": True, "naming_schema": naming, "schedule": schedule, "enabled": True}
    return {**wanted, **lifetime, "allow_empty": True}


def test_a_task_made_by_hand_is_never_switched_off(nas: Nas) -> None:
    """Not even one with our naming that a declared tier found in its place."""
    apply(nas, host())
    for naming in ("auto-weekly-%Y-%m-%d_%H-%M", "auto-yearly-%Y-%m-%d_%H-%M"):
        nas.write("pool.snapshottask.create", by_hand(naming))
    before = tasks(nas)
    assert plan(nas, host()) == []
    apply(nas, tiers(weekly=WEEKLY))
    apply(nas, host())
    assert tasks(nas) == before


def test_a_task_that_was_remade_by_hand_is_not_ours_any_more(nas: Nas) -> None:
    apply(nas, tiers(weekly=WEEKLY, hourly=HOURLY))
    task = tasks(nas)["auto-weekly-%Y-%m-%d_%H-%M"]
    nas.write("pool.snapshottask.create", by_hand("other-%Y-%m-%d_%H-%M"))
    nas.write("pool.snapshottask.delete", task["id"])
    nas.write("pool.snapshottask.create", by_hand("auto-weekly-%Y-%m-%d_%H-%M"))
    assert plan(nas, tiers(hourly=HOURLY)) == []


def test_notes_that_are_not_in_our_hand_prove_nothing(nas: Nas) -> None:
    apply(nas, host())
    task = nas.write("pool.snapshottask.create", by_hand("auto-weekly-%Y-%m-%d_%H-%M"))
    for text in ("yes", "[]", "{}", '{"dataset": 1, "naming": null}'):
        note = {"key": f"zerotoil:task-{task['id']}", "value": text}
        nas.write("pool.dataset.update", ON, {"user_properties_update": [note]})
        assert plan(nas, host()) == []


@pytest.mark.parametrize("dies_at", ["create", "noting"])
def test_interrupted_while_a_task_is_made(nas: Nas, monkeypatch: pytest.MonkeyPatch, dies_at: str) -> None:
    """Before or after the NAS made it: the next run finishes, and knows the task as ours."""
    apply(nas, host())
    written: list[str] = []
    write = nas.write

    def dying(method: str, *params: Any) -> Any:
        written.append(method)
        if written == ["pool.dataset.update", "pool.snapshottask.create"] and dies_at == "create":
            raise KeyboardInterrupt
        if len(written) == 3 and dies_at == "noting":
            raise KeyboardInterrupt
        return write(method, *params)

    with monkeypatch.context() as patch:
        patch.setattr(nas, "write", dying)
        with pytest.raises(KeyboardInterrupt):
            apply(nas, tiers(weekly=WEEKLY))
    nas.forget()
    left = plan(nas, tiers(weekly=WEEKLY))
    made = f"snapshot task {ON} (weekly): made by not noted -> zerotoil"
    assert left == [made] if dies_at == "noting" else left[0] == f"snapshot task {ON} (weekly): create schedule 0 3 * * 0"
    apply(nas, tiers(weekly=WEEKLY))
    assert plan(nas, tiers(weekly=WEEKLY)) == []
    apply(nas, host())
    assert not tasks(nas)["auto-weekly-%Y-%m-%d_%H-%M"]["enabled"]


def test_what_was_begun_and_never_made_is_forgotten(nas: Nas, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a task that a person makes later would pass for it."""
    apply(nas, host())
    with monkeypatch.context() as patch:
        patch.setitem(METHODS, "pool.snapshottask.create", lambda *_: 1 / 0)
        with pytest.raises(NasError):
            apply(nas, tiers(weekly=WEEKLY))
    assert plan(nas, host()) == [f"snapshot task {ON} (auto-weekly-%Y-%m-%d_%H-%M): made by not noted -> nobody"]
    apply(nas, host())
    nas.write("pool.snapshottask.create", by_hand("auto-weekly-%Y-%m-%d_%H-%M"))
    assert plan(nas, host()) == []


def test_a_shared_dataset_is_not_written_to(nas: Nas) -> None:
    """The notes of a volume that lies elsewhere are on the volume: what is around it belongs to others too."""
    nas.write("pool.dataset.create", {"name": "tank/vms", "type": "FILESYSTEM"})
    elsewhere = {"data_volume": "tank/vms/matrix", "data_snapshot_dataset": "tank/vms"}
    apply(nas, host(**elsewhere, data_snapshot_tiers={"weekly": WEEKLY}))
    (above,) = nas.query("pool.dataset", ["id", "=", "tank/vms"])
    assert above["user_properties"] == {}
    assert plan(nas, host(**elsewhere))[0].endswith("(declared no more; its snapshots stay)")
