"""What may not happen on a NAS: another's things taken over, one volume served twice, a mark believed that is not there."""

from pathlib import Path
from typing import Any

import pytest

from tests.resources.nas.conftest import apply, connect, host, plan, simulator
from zerotoil.clients.truenas import Nas
from zerotoil.errors import LabError
from zerotoil.minilab.nas import Simulator
from zerotoil.model.data_volume import DataMark, Filesystem, VolumeState
from zerotoil.model.secret import Secret
from zerotoil.resources.nas import nas_resources, target_iqn
from zerotoil.resources.nas.mark import read_mark, write_mark


def test_a_volume_grows_only_where_there_is_room(nas: Nas) -> None:
    apply(nas, host(data_size="20 GiB"))
    with pytest.raises(LabError, match="1 TiB do not fit into tank/lab/matrix, which has room for"):
        apply(nas, host(data_size="1 TiB"))
    apply(nas, host("other", data_blocksize="64 KiB"))
    (made,) = nas.query("pool.dataset", ["id", "=", "tank/lab/other/data"])
    assert made["volblocksize"]["parsed"] == 64 << 10


def test_a_mark_that_is_inherited_is_not_a_mark(nas: Nas) -> None:
    """ZFS hands user properties down: a volume made by hand below a marked dataset is still somebody else's."""
    apply(nas, host())
    marks = [{"key": "zerotoil:owner", "value": "home/matrix"}, {"key": "zerotoil:state", "value": "blank"}]
    nas.write("pool.dataset.update", "tank/lab/matrix", {"user_properties_update": marks})
    nas.write("pool.dataset.create", {"name": "tank/lab/matrix/mine", "type": "VOLUME", "volsize": 1 << 30, "sparse": True})
    assert read_mark(nas, "tank/lab/matrix/mine") is None
    assert read_mark(nas, "tank/lab/matrix/data") == DataMark("home/matrix", VolumeState.BLANK)


def test_a_mark_is_written_whole(nas: Nas) -> None:
    """What the earlier mark said and the new one does not is taken away."""
    apply(nas, host())
    zvol = "tank/lab/matrix/data"
    for mark in (
        DataMark("home/matrix", VolumeState.DATA, Filesystem("xfs", "data", "1111")),
        DataMark("home/matrix", VolumeState.DATA, Filesystem("ext4", "", "2222")),
        DataMark("home/matrix", VolumeState.FIRST_BOOT),
    ):
        write_mark(nas, zvol, mark)
        assert read_mark(nas, zvol) == mark


TAKEN_TARGETS: list[list[dict[str, Any]]] = [[], [{"portal": 0, "initiator": None, "authmethod": "NONE", "auth": None}]]


@pytest.mark.parametrize("groups", TAKEN_TARGETS, ids=["empty", "open to all"])
def test_a_target_that_is_not_ours_is_not_taken_over(nas: Nas, groups: list[dict[str, Any]]) -> None:
    portal = nas.write("iscsi.portal.create", {"listen": [{"ip": "127.0.0.1"}]})["id"]
    target = nas.write("iscsi.target.create", {"name": "matrix", "groups": [{**group, "portal": portal} for group in groups]})
    for act in (plan, apply):
        with pytest.raises(
            LabError, match="target matrix is taken: it neither serves our volume nor admits our initiators: noth"
        ):
            act(nas, host())
    assert nas.query("iscsi.target") == [target]


def test_an_extent_that_is_not_ours_is_not_taken_over(nas: Nas) -> None:
    nas.write("pool.dataset.create", {"name": "tank/mine", "type": "VOLUME", "volsize": 1 << 30, "sparse": True})
    extent = nas.write("iscsi.extent.create", {"name": "matrix", "disk": "zvol/tank/mine"})
    for act in (plan, apply):
        with pytest.raises(LabError, match="extent matrix is taken: it serves zvol/tank/mine: nothing was touched; declare"):
            act(nas, host())
    assert nas.query("iscsi.extent") == [extent]


def test_a_volume_is_never_served_twice(nas: Nas) -> None:
    apply(nas, host())
    (mapping,) = nas.query("iscsi.targetextent")
    other = nas.write("iscsi.target.create", {"name": "mine", "groups": []})
    nas.write("iscsi.targetextent.delete", mapping["id"])
    nas.write("iscsi.targetextent.create", {"target": other["id"], "extent": mapping["extent"], "lunid": 4})
    for act in (plan, apply):
        with pytest.raises(LabError, match="extent matrix is served by the target mine already: nothing was touched"):
            act(nas, host())
    extent = nas.query("iscsi.extent")[0]
    nas.write("iscsi.extent.update", extent["id"], {"name": "renamed"})
    for act in (plan, apply):
        with pytest.raises(LabError, match="zvol tank/lab/matrix/data is served by the extent renamed already"):
            act(nas, host())


def test_a_portal_deleted_by_hand_comes_back_and_the_target_with_it(nas: Nas) -> None:
    """Deleting a portal takes the groups of its targets along, without asking."""
    apply(nas, host())
    nas.write("iscsi.portal.delete", nas.query("iscsi.portal")[0]["id"])
    assert [line.split(":")[0] for line in plan(nas, host())] == ["portal 127.0.0.1", "target matrix"]
    apply(nas, host())
    assert plan(nas, host()) == []


def test_an_initiator_group_deleted_by_hand_comes_back(nas: Nas) -> None:
    apply(nas, host())
    nas.write("iscsi.initiator.delete", nas.query("iscsi.initiator")[0]["id"])
    changed = {change.resource.split()[0] for change in apply(nas, host())}
    assert changed == {"initiator", "target"}
    assert plan(nas, host()) == []


def test_a_lun_moved_by_hand_comes_back(nas: Nas) -> None:
    apply(nas, host())
    mapping = nas.query("iscsi.targetextent")[0]
    nas.write("iscsi.targetextent.update", mapping["id"], {"lunid": 7})
    assert [str(change) for change in apply(nas, host())] == ["mapping matrix / matrix: LUN 7 -> 0"]
    assert plan(nas, host()) == []


def test_what_is_not_declared_is_left_as_the_owner_set_it(nas: Nas) -> None:
    apply(nas, host())
    extent, task, target = (nas.query(kind)[0] for kind in ("iscsi.extent", "pool.snapshottask", "iscsi.target"))
    nas.write("iscsi.extent.update", extent["id"], {"rpm": "7200", "insecure_tpc": False, "comment": "by hand"})
    nas.write("pool.snapshottask.update", task["id"], {"allow_empty": False, "lifetime_value": 3})
    nas.write("iscsi.target.update", target["id"], {"alias": "mine", "groups": []})
    apply(nas, host())
    extent, task, target = (nas.query(kind)[0] for kind in ("iscsi.extent", "pool.snapshottask", "iscsi.target"))
    assert (extent["rpm"], extent["insecure_tpc"], task["allow_empty"], target["alias"]) == ("7200", False, False, "mine")
    assert plan(nas, host()) == []


def test_mutual_chap(nas: Nas) -> None:
    mutual = {"iscsi_chap_peer_user": "nas", "iscsi_chap_peer_secret": Secret("peer-s3cret-01")}
    apply(nas, host())
    changes = [str(change) for change in apply(nas, host(**mutual))]
    assert changes == [
        "CHAP user hv1 (tag 100): peer user  -> nas",
        "CHAP user hv1 (tag 100): peer secret None -> ********",
        "target matrix: access [\"portal 127.0.0.1, initiator group 'zerotoil home/matrix', CHAP 100\"] -> "
        "[\"portal 127.0.0.1, initiator group 'zerotoil home/matrix', CHAP_MUTUAL 100\"]",
    ]
    assert plan(nas, host(**mutual)) == []


def test_a_secret_that_the_nas_refuses_is_in_no_error(nas: Nas, tmp_path: Path) -> None:
    path = tmp_path / "secret"  # a secret in a file is not looked at before it is used
    path.write_text("s3cret#with#sharp")
    path.chmod(0o600)
    with pytest.raises(LabError, match="Secret must") as caught:
        apply(nas, host(iscsi_chap_secret=Secret.parse(f"file:{path}")))
    assert "s3cret#" not in str(caught.value)


def test_an_accepted_change_that_was_not_made_is_an_error(nas: Nas, monkeypatch: pytest.MonkeyPatch) -> None:
    apply(nas, host())
    monkeypatch.setattr(nas, "write", lambda *_: nas.forget())
    with pytest.raises(LabError, match="zvol tank/lab/matrix/data: the server accepted the change but did not make it"):
        apply(nas, host(data_size="30 GiB"))


def test_a_target_with_a_full_name_keeps_it() -> None:
    with simulator() as sim:
        nas = connect(sim)
        assert target_iqn(host(), nas) == "iqn.2005-10.org.freenas.ctl:matrix"
        assert target_iqn(host(iscsi_target="iqn.2026-01.lan.nas:m"), nas) == "iqn.2026-01.lan.nas:m"


def test_the_plan_of_an_empty_nas_shows_everything_and_writes_nothing(sim: Simulator, nas: Nas) -> None:
    shown = "\n".join(plan(nas, host()))
    for line in (
        "dataset tank/lab/matrix: create type FILESYSTEM",
        "zvol tank/lab/matrix/data: create size 20 GiB",
        "snapshot task tank/lab/matrix: create schedule 0 2 * * *",
        "portal 127.0.0.1: create addresses ['127.0.0.1']",
        "CHAP user hv1 (tag 100): create secret ********",
        "extent matrix: create disk zvol/tank/lab/matrix/data",
        "mapping matrix / matrix: create LUN 0",
        "service iscsitarget: enabled False -> True",
    ):
        assert line in shown
    assert sim.writes == nas.writes == 0
    assert [resource.key for resource in nas_resources(host(), nas)][:2] == [
        "dataset tank/lab/matrix",
        "zvol tank/lab/matrix/data",
    ]
