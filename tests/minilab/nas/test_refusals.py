import json

import chain
import pytest
from websocket import WebSocketException, WebSocketTimeoutException
from wire import KEY, SECRET, Refused, Wire

from zerotoil.minilab.nas import Faults, MemoryStorage, Simulator

GIB = 1 << 30
GONE = (WebSocketException, ConnectionError, json.JSONDecodeError)


@pytest.fixture
def sim():
    with Simulator(users={"zerotoil": KEY}, storage=MemoryStorage("tank", 10 * GIB)) as sim:
        yield sim


@pytest.fixture
def call(sim):
    with Wire(sim) as call:
        call.made = chain.create(call, "25.10")
        yield call


def refused(call, method, *params):
    with pytest.raises(Refused) as found:
        call(method, *params)
    return found.value


def volume(name="tank/new", **more):
    return {"name": name, "type": "VOLUME", "volsize": GIB, "sparse": True, **more}


def test_arguments_that_the_schema_does_not_know(call):
    error = refused(call, "iscsi.portal.create", {"listen": [{"ip": "0.0.0.0", "port": 3260}]})
    assert (error.code, error.where) == (-32602, ["iscsi_portal_create.listen.0.port"])
    assert refused(call, "pool.dataset.create", {"name": "tank/x", "typ": "VOLUME"}).code == -32602
    assert refused(call, "no.such.method").code == -32601


@pytest.mark.parametrize(
    ("method", "params", "where"),
    [
        ("pool.dataset.create", [volume("tank/vm/data")], "pool_dataset_create.name"),
        ("pool.dataset.create", [volume("tank/no/parent")], "pool_dataset_create.name"),
        ("pool.dataset.create", [volume("tank/vm/data/child")], "pool_dataset_create.name"),
        ("pool.dataset.create", [volume(volsize=GIB + 1)], "pool_dataset_create.volsize"),
        ("pool.dataset.create", [volume(volsize=9 * GIB)], "pool_dataset_create.volsize"),
        ("pool.dataset.update", ["tank/vm/data", {"volsize": 32 << 20}], "pool_dataset_update.volsize"),
        ("pool.dataset.get_instance", ["tank/nothing"], None),
        ("iscsi.portal.create", [{"listen": [{"ip": "127.0.0.1"}]}], "iscsiportal_create.listen.0.ip"),
        ("iscsi.portal.create", [{"listen": [{"ip": "192.0.2.9"}]}], "iscsiportal_create.listen.0.ip"),
        ("iscsi.portal.create", [{"listen": []}], "iscsiportal_create.listen"),
        ("iscsi.auth.create", [{"tag": 1, "user": "u", "secret": "short"}], "iscsi_auth_create.secret"),
        ("iscsi.target.create", [{"name": "vm"}], "iscsi_target_create.name"),
        ("iscsi.target.create", [{"name": "b", "groups": [{"portal": 1}]}], "iscsi_target_create.groups.0.portal"),
        ("iscsi.extent.create", [{"name": "e", "disk": "zvol/tank/none"}], "iscsi_extent_create.disk"),
        ("iscsi.extent.create", [{"name": "e", "disk": "zvol/tank/vm/data"}], "iscsi_extent_create.disk"),
        ("iscsi.extent.create", [{"name": "vm-data", "disk": "zvol/tank/none"}], "iscsi_extent_create.name"),
        ("pool.snapshottask.create", [{"dataset": "tank/none"}], "periodic_snapshot_create.dataset"),
        ("pool.snapshottask.create", [{"dataset": "tank", "naming_schema": "x"}], "periodic_snapshot_create.naming_schema"),
    ],
)
def test_refusals_of_single_calls(call, method, params, where):
    error = refused(call, method, *params)
    assert error.code == -32602
    assert where in error.where


def test_force_size_lifts_the_80_percent_rule(call):
    assert call("pool.dataset.create", volume(volsize=9 * GIB, force_size=True))["type"] == "VOLUME"


def test_a_volume_grows_and_thick_ones_reserve_their_size(call):
    assert call("pool.dataset.update", "tank/vm/data", {"volsize": 128 << 20})["volsize"]["parsed"] == 128 << 20
    thick = call("pool.dataset.create", {"name": "tank/thick", "type": "VOLUME", "volsize": GIB})
    assert thick["refreservation"]["parsed"] == GIB


def test_user_properties_are_kept_and_inherited(call):
    mark = call("pool.dataset.get_instance", "tank/vm/data")["user_properties"]["zerotoil:owner"]
    assert (mark["value"], mark["source"]) == ("lab", "LOCAL")
    call("pool.dataset.update", "tank/vm", {"user_properties_update": [{"key": "a:b", "value": "1"}]})
    assert call("pool.dataset.get_instance", "tank/vm/data")["user_properties"]["a:b"]["source"] == "INHERITED"


def test_the_lowest_free_lun_is_taken(call):
    call("pool.dataset.create", volume())
    extent = call("iscsi.extent.create", {"name": "two", "disk": "zvol/tank/new"})
    target = call.made["iscsi.target.create"]["id"]
    assert call.made["iscsi.targetextent.create"]["lunid"] == 0
    taken = refused(call, "iscsi.targetextent.create", {"target": target, "extent": extent["id"], "lunid": 0})
    assert taken.where == ["iscsi_targetextent_create.lunid"]
    assert call("iscsi.targetextent.create", {"target": target, "extent": extent["id"]})["lunid"] == 1


def test_a_partial_schedule_is_refilled_with_defaults(call):
    task = call.made["pool.snapshottask.create"]["id"]
    assert call("pool.snapshottask.update", task, {"schedule": {"minute": "5"}})["schedule"]["hour"] == "*"


def test_global_update_clears_isns_servers_unless_sent(call):
    call("iscsi.global.update", {"isns_servers": ["192.0.2.1"]})
    assert call("iscsi.global.update", {"basename": "iqn.2026-01.x"})["isns_servers"] == []


def test_delete_takes_extent_mapping_and_orphaned_target_along(call):
    assert refused(call, "pool.dataset.delete", "tank/vm").errno == 39
    assert call("pool.dataset.delete", "tank/vm/data") is True
    for table in ("iscsi.extent", "iscsi.targetextent", "iscsi.target", "pool.snapshottask"):
        assert call(f"{table}.query") == []


def test_in_use_targets_are_not_deleted(sim, call):
    sim.targets.sessions["iqn.2005-10.org.freenas.ctl:vm"] = ["iqn.x:vm"]
    number = call.made["iscsi.target.create"]["id"]
    assert refused(call, "iscsi.target.delete", number).errno == 14
    assert call("iscsi.target.delete", number, True) is True


def test_filters_and_options(call):
    found = call("pool.dataset.query", [["id", "^", "tank/vm"]], {"order_by": ["-id"], "select": ["id"]})
    assert found == [{"id": "tank/vm/data"}, {"id": "tank/vm"}]
    assert call("iscsi.target.query", [], {"count": True}) == 1
    assert refused(call, "iscsi.target.query", [["name", "=", "x"]], {"get": True}).code == -32001


def test_jobs(sim, call):
    sim.faults.job_polls = 1
    number = call("service.control", "STOP", "iscsitarget")
    states = [call("core.get_jobs", [["id", "=", number]])[0]["state"] for _ in range(2)]
    assert states == ["RUNNING", "SUCCESS"]
    call("core.set_options", {"legacy_jobs": False})
    assert call("service.control", "START", "iscsitarget") is True


def test_control_fails_silently_unless_told(sim, call):
    sim.faults.control_returns_false = True
    call("core.set_options", {"legacy_jobs": False})
    assert call("service.control", "START", "iscsitarget") is False
    assert refused(call, "service.control", "START", "iscsitarget", {"silent": False}).errno == 14


def test_masked_secrets(sim, call):
    assert call("iscsi.auth.query")[0]["secret"] == SECRET
    sim.faults.mask_secrets = True
    assert call("iscsi.auth.query")[0]["secret"] == "********"


def test_a_late_device(sim, call):
    sim.faults.late_device = 2
    call("pool.dataset.create", volume())
    extent = {"name": "late", "disk": "zvol/tank/new"}
    assert refused(call, "iscsi.extent.create", extent).where == ["iscsi_extent_create.disk"]
    assert "zvol/tank/new" not in call("iscsi.extent.disk_choices")
    assert call("iscsi.extent.create", extent)["disk"] == "zvol/tank/new"


def test_revoked_key_hang_and_dropped_socket(sim, call):
    sim.faults.hang.add("core.ping")
    call.socket.settimeout(0.3)
    with pytest.raises(WebSocketTimeoutException):
        call("core.ping")
    call.socket.settimeout(5)
    sim.faults.drop_after = 2
    assert call("system.version")
    with pytest.raises(GONE):
        call("system.version")
    sim.faults.revoked.add("zerotoil")
    with Wire(sim, login=False) as again:
        login = {"mechanism": "API_KEY_PLAIN", "username": "zerotoil", "api_key": KEY}
        assert again("auth.login_ex", login) == {"response_type": "EXPIRED"}


def test_long_messages_close_the_socket(sim):
    with Wire(sim, login=False) as call, pytest.raises(GONE):
        call("core.ping", "x" * 9000)


def test_state_and_calls_log_survive_a_restart(tmp_path):
    storage, log = MemoryStorage(), tmp_path / "calls.jsonl"
    settings = {"users": {"zerotoil": KEY}, "storage": storage, "state": tmp_path / "state.json", "calls_log": log}
    with Simulator(**settings) as sim, Wire(sim) as call:
        before = chain.create(call, "25.10")["iscsi.extent.create"]
        writes = sim.writes
    with Simulator(**settings, faults=Faults(mask_secrets=True)) as sim, Wire(sim) as call:
        assert call("iscsi.extent.query") == [before]
        assert [t.iqn for t in sim.targets.applied] == ["iqn.2005-10.org.freenas.ctl:vm"]
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert sum(line["write"] for line in lines) == writes
    assert SECRET not in log.read_text()
    assert KEY not in log.read_text()
    assert (tmp_path / "state.json").stat().st_mode & 0o077 == 0
