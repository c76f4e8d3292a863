"""Whatever schedule, retention or access is declared, and whatever is there: one apply makes it so, and no more is left."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.resources.nas.conftest import connect, simulator
from zerotoil.clients.truenas import Nas
from zerotoil.model.secret import Secret
from zerotoil.model.units import Cron, Lifetime
from zerotoil.resources.nas.access import Chap, InitiatorGroup, Portal
from zerotoil.resources.nas.snapshots import SnapshotTask
from zerotoil.resources.nas.targets import Target

NAMING = "auto-%Y-%m-%d_%H-%M"
few = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def nas() -> Iterator[Nas]:
    with simulator("25.10") as sim:
        made = connect(sim)
        made.write("pool.dataset.create", {"name": "tank/lab", "type": "FILESYSTEM"})
        yield made


def field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    written = st.one_of(number.map(str), number.map("{:02d}".format))
    return st.one_of(
        st.just("*"), written, st.lists(written, min_size=2, max_size=3).map(",".join), st.integers(1, 9).map("*/{}".format)
    )


crons = st.builds(Cron, field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 7))
lifetimes = st.builds(Lifetime, st.integers(1, 99), st.sampled_from(["hour", "day", "week", "month", "year"]))
tasks = st.tuples(crons, lifetimes)


@few
@given(there=st.lists(tasks, max_size=3), want=tasks, already=st.booleans())
def test_a_snapshot_task_from_any_start(
    nas: Nas, there: list[tuple[Cron, Lifetime]], want: tuple[Cron, Lifetime], already: bool
) -> None:
    """Of several tasks the one that matches most closely is ours, so that one made by hand beside it is left alone."""
    there = [*there, want] if already else there
    for task in nas.query("pool.snapshottask"):
        nas.write("pool.snapshottask.delete", task["id"])
    for schedule, keep in there:
        nas.write("pool.snapshottask.create", SnapshotTask(nas, "tank/lab", schedule, keep, NAMING).payload())
    other = nas.write("pool.snapshottask.create", SnapshotTask(nas, "tank/lab", *want, "mine-%s").payload())
    before = {task["id"]: task for task in nas.query("pool.snapshottask")}
    resource = SnapshotTask(nas, "tank/lab", *want, NAMING)
    planned = resource.plan()
    assert not (already and planned)
    assert resource.apply() == planned
    writes = nas.writes
    assert resource.plan() == resource.apply() == []
    assert nas.writes == writes
    after = {task["id"]: task for task in nas.query("pool.snapshottask")}
    assert after[other["id"]] == other
    assert len([number for number in after if after[number] != before.get(number)]) <= 1
    assert len(after) == max(len(there), 1) + 1


access = st.lists(st.tuples(st.booleans(), st.sampled_from(["NONE", "CHAP"])), max_size=1)


@few
@given(there=access, chap=st.booleans(), addresses=st.permutations(["127.0.0.1", "0.0.0.0"]))
def test_a_target_from_any_start(nas: Nas, there: list[tuple[bool, str]], chap: bool, addresses: list[str]) -> None:
    portal = Portal(nas, tuple(addresses), 3260, "home")
    group = InitiatorGroup(nas, "home/matrix", ("iqn.1993-08.org.debian:01:hv1",))
    credentials = Chap(nas, 100, "hv1", Secret("chap-s3cret-0"))
    for needed in (portal, group, credentials):
        needed.apply()
    for target in nas.query("iscsi.target"):
        nas.write("iscsi.target.delete", target["id"])
    portal_id, group_id = portal.find()["id"], group.find()["id"]  # type: ignore[index]
    groups = [
        {"portal": portal_id, "initiator": group_id, "authmethod": method, "auth": 100 if method == "CHAP" else None}
        for _, method in there
    ]
    if groups:
        nas.write("iscsi.target.create", {"name": "matrix", "groups": groups})
    resource = Target(nas, "matrix", portal, group, credentials if chap else None, "tank/lab/matrix/data")
    planned = resource.plan()
    assert resource.apply() == planned
    writes = nas.writes
    assert resource.plan() == resource.apply() == []
    assert nas.writes == writes
    (made,) = nas.query("iscsi.target")
    wanted = {"portal": portal_id, "initiator": group_id, "authmethod": "CHAP" if chap else "NONE", "auth": 100 if chap else None}
    assert made["groups"] == [wanted]
