"""From a LUN to what serves it: what is matched, what is left to the next plan, what is refused."""

from typing import Any

import pytest

from tests.adopt.conftest import BASE, HV, NAMING, Handmade, serve, zvol
from zerotoil.adopt.nas import FoundTask, FoundVolume, match
from zerotoil.errors import LabError
from zerotoil.resources.hypervisor.iscsi_disk import IscsiDisk


def lun(iqn: str = f"{BASE}:mail", number: int = 3, **more: Any) -> IscsiDisk:
    return IscsiDisk(**{"form": "block", "iqn": iqn, "lun": number, "address": "127.0.0.1", "port": 3260, **more})


def access(lab: Handmade, **changed: Any) -> dict[str, Any]:
    (portal,), (group,) = lab.nas.query("iscsi.portal"), lab.nas.query("iscsi.initiator")
    return {"portal": portal["id"], "initiator": group["id"], "authmethod": "NONE", "auth": None, **changed}


def found(lab: Handmade, disk: IscsiDisk) -> FoundVolume:
    return match(lab.nas, disk, "home/new")


def entry(lab: Handmade, kind: str, name: str) -> dict[str, Any]:
    return next(entry for entry in lab.nas.query(kind) if entry["name"] == name)


def test_everything_on_the_way(lab: Handmade) -> None:
    assert found(lab, lun(f"{BASE}:t-matrix", 0)) == FoundVolume(
        "tank/vms/matrix", 30 << 30, "t-matrix", "matrix-disk", ["127.0.0.1"], 3260, "hypervisors",
        ["iqn.2000-01.lan:other", HV], 7, "hv1", "", FoundTask("tank/vms", "30 1 * * *", "6 weeks", NAMING), [],
    )  # fmt: skip
    assert found(lab, lun(f"{BASE}:t-matrix", 0, initiator=HV)).initiators == [HV, "iqn.2000-01.lan:other"]


def test_a_target_of_a_full_name(one: Handmade) -> None:
    zvol(one.nas, "tank/vms/full")
    serve(one.nas, "iqn.2020-02.lan:full", "full", "tank/vms/full", access(one))
    assert found(one, lun("iqn.2020-02.lan:full", 0)).target == "iqn.2020-02.lan:full"


def test_mutual_chap_names_the_nas_too(one: Handmade) -> None:
    secrets = {"secret": "chap-s3cret-1", "peeruser": "nas", "peersecret": "chap-s3cret-2"}
    one.nas.write("iscsi.auth.create", {"tag": 8, "user": "both", **secrets})
    zvol(one.nas, "tank/vms/mutual")
    serve(one.nas, "mutual", "mutual", "tank/vms/mutual", access(one, authmethod="CHAP_MUTUAL", auth=8))
    volume = found(one, lun(f"{BASE}:mutual", 0))
    assert (volume.chap_tag, volume.chap_user, volume.chap_peer_user) == (8, "both", "nas")


TASK = {"recursive": True, "lifetime_value": 2, "lifetime_unit": "DAY", "naming_schema": NAMING, "allow_empty": True}
NIGHT = {"minute": "0", "hour": "4", "dom": "*", "month": "*", "dow": "*", "begin": "00:00", "end": "23:59"}


@pytest.mark.parametrize(
    ("task", "dataset"),
    [
        ({"dataset": "tank/vms/mail", "recursive": False}, "tank/vms/mail"),  # the nearest one
        ({"dataset": "tank"}, "tank/vms"),
        ({"dataset": "tank/vms/mail", "enabled": False}, "tank/vms"),
        ({"dataset": "tank/vms/mail", "schedule": {**NIGHT, "begin": "08:00"}}, "tank/vms"),
        ({"dataset": "tank/vms/mail", "schedule": {**NIGHT, "dow": "mon"}}, "tank/vms"),
    ],
)
def test_the_nearest_task_that_can_be_declared(one: Handmade, task: dict[str, Any], dataset: str) -> None:
    one.nas.write("pool.snapshottask.create", {**TASK, "schedule": NIGHT, "enabled": True, **task})
    volume = found(one, lun())
    assert volume.task and volume.task.dataset == dataset
    assert volume.remarks == []


@pytest.mark.parametrize(
    ("changed", "remark"),
    [
        ({"recursive": False}, "no snapshot task covers it: the next plan makes one on the zvol"),
        ({"exclude": ["tank/vms/mail"]}, "no snapshot task covers it: the next plan makes one on the zvol"),
        ({"enabled": False}, "no snapshot task covers it: the next plan makes one on the zvol"),
        ({"schedule": {**NIGHT, "end": "18:00"}}, "a snapshot task covers it whose schedule no key can declare: the next plan"),
    ],
)
def test_no_task_that_can_be_declared(one: Handmade, changed: dict[str, Any], remark: str) -> None:
    (task,) = one.nas.query("pool.snapshottask")
    one.nas.write("pool.snapshottask.update", task["id"], changed)
    volume = found(one, lun())
    assert volume.task is None
    assert [line.startswith(remark) for line in volume.remarks] == [True]


@pytest.mark.parametrize("comment", ["", "hypervisors"])
def test_a_group_that_cannot_be_named_is_left_alone(one: Handmade, comment: str) -> None:
    """Without a comment of its own it cannot be found again."""
    group = one.nas.write("iscsi.initiator.create", {"initiators": [HV], "comment": comment})
    zvol(one.nas, "tank/vms/new")
    portal = one.nas.query("iscsi.portal")[0]["id"]
    own = {"portal": portal, "initiator": group["id"], "authmethod": "NONE", "auth": None}
    serve(one.nas, "new", "new", "tank/vms/new", own)
    volume = found(one, lun(f"{BASE}:new", 0))
    assert (volume.group, volume.initiators) == ("", [HV])
    assert volume.remarks == ["its initiator group has no comment of its own: the next plan makes a group for the host"]


def test_what_serves_it_otherwise_is_refused(one: Handmade) -> None:
    refused = {
        "the NAS has no target iqn.2005-10.org.freenas.ctl:none": lun(f"{BASE}:none"),
        "the target mail serves no LUN 4": lun(number=4),
        "it reaches the NAS at port 3333, the NAS serves iSCSI at 3260": lun(port=3333),
        "the NAS has no CHAP user else with tag 7": lun(f"{BASE}:t-matrix", 0, chap_user="else"),
    }
    for reason, disk in refused.items():
        with pytest.raises(LabError) as caught:
            found(one, disk)
        assert str(caught.value) == reason


def change(lab: Handmade, kind: str, **fields: Any) -> None:
    lab.nas.write(f"{kind}.update", entry(lab, kind, "mail")["id"], fields)


def two_luns(lab: Handmade) -> None:
    zvol(lab.nas, "tank/vms/second")
    extent = lab.nas.write("iscsi.extent.create", {"name": "second", "type": "DISK", "disk": "zvol/tank/vms/second"})
    target = entry(lab, "iscsi.target", "mail")
    lab.nas.write("iscsi.targetextent.create", {"target": target["id"], "extent": extent["id"], "lunid": 9})


def two_users(lab: Handmade) -> None:
    lab.nas.write("iscsi.auth.create", {"tag": 7, "user": "hv2", "secret": "chap-s3cret-2"})
    change(lab, "iscsi.target", name="mail", groups=[access(lab, authmethod="CHAP", auth=7)])


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (lambda lab: change(lab, "iscsi.extent", ro=True), "its extent mail is read-only"),
        (lambda lab: change(lab, "iscsi.extent", enabled=False), "its extent mail is disabled"),
        (two_luns, "its target mail serves second too, zerotoil keeps one target per VM"),
        (lambda lab: change(lab, "iscsi.target", name="mail", groups=[]), "its target mail has 0 portal groups, zerotoil keeps"),
        (two_users, "several CHAP users have tag 7 (hv1, hv2), and the VM does not say which is its own"),
    ],
)
def test_what_cannot_be_declared_is_refused(one: Handmade, prepare: Any, reason: str) -> None:
    prepare(one)
    with pytest.raises(LabError) as caught:
        found(one, lun())
    assert str(caught.value).startswith(reason)
