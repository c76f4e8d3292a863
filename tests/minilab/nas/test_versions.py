import json
import ssl
import urllib.error
import urllib.request

import chain
import pytest
from wire import KEY, Refused, Wire

from zerotoil.minilab.nas import Simulator, schemas

API = {"24.10": "v24.10", "25.04": "v25.04.2", "25.10": "v25.10.5", "26": "v26.0.0"}
READS = [
    "pool.query",
    "pool.dataset.query",
    "iscsi.portal.query",
    "iscsi.initiator.query",
    "iscsi.auth.query",
    "iscsi.target.query",
    "iscsi.extent.query",
    "iscsi.targetextent.query",
    "iscsi.global.config",
    "pool.snapshottask.query",
    "service.query",
    "system.info",
    "system.version",
    "core.get_jobs",
    "iscsi.extent.disk_choices",
    "iscsi.portal.listen_ip_choices",
    "core.ping",
]


@pytest.fixture(params=list(API))
def sim(request):
    with Simulator(request.param, users={"zerotoil": KEY}) as sim:
        yield sim


def get(sim, path):
    context = ssl.create_default_context(cafile=sim.ca_file)
    return urllib.request.urlopen(sim.url.replace("wss", "https") + path, timeout=5, context=context)


def test_versions_are_listed_over_plain_get(sim):
    if sim.nas.version == "24.10":
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(sim, "/api/versions")
    else:
        with get(sim, "/api/versions") as answer:
            assert json.load(answer)[-1] == API[sim.nas.version]


def test_every_version_answers_the_whole_chain_as_its_schemas_say(sim):
    version = sim.nas.version
    with Wire(sim) as call:
        results = chain.create(call, version)
        results |= {name: call(name) for name in READS}
        snapshot = "pool.snapshot" if version in ("25.10", "26") else "zfs.snapshot"
        results[f"{snapshot}.create"] = call(f"{snapshot}.create", {"dataset": "tank/vm/data", "name": "one"})
        results[f"{snapshot}.query"] = call(f"{snapshot}.query", [["dataset", "=", "tank/vm/data"]])
        call(f"{snapshot}.clone", {"snapshot": "tank/vm/data@one", "dataset_dst": "tank/vm/copy"})
        volume = call("pool.dataset.get_instance", "tank/vm/copy")
        sim.targets.sessions = {"iqn.2005-10.org.freenas.ctl:vm": ["iqn.x:1"]}
        results["iscsi.global.sessions"] = call("iscsi.global.sessions")
    assert volume["volsize"]["parsed"] == 64 << 20
    if version != "24.10":  # legacy result declarations are not enforced upstream
        results.pop("service.control", None)  # the id of a job
        wrong = {n: schemas.validate_result(API[version], n, r)[:3] for n, r in results.items() if n != "core.get_jobs"}
        assert not {name: found for name, found in wrong.items() if found}
    assert [s["state"] for s in results["service.query"] if s["service"] == "iscsitarget"] == ["RUNNING"]
    assert [t.iqn for t in sim.targets.applied] == ["iqn.2005-10.org.freenas.ctl:vm"]
    assert results["iscsi.portal.create"]["id"] != 1
    assert [(one["initiator"], one["target"]) for one in results["iscsi.global.sessions"]] == [
        ("iqn.x:1", "iqn.2005-10.org.freenas.ctl:vm")
    ]
    assert sim.writes == 13


def test_a_method_of_another_version_is_refused(sim):
    with Wire(sim) as call, pytest.raises(Refused) as refused:
        call("zfs.snapshot.query" if sim.nas.version in ("25.10", "26") else "pool.snapshot.query")
    assert refused.value.errno == 201


def test_both_logins(sim):
    with Wire(sim, login=False) as call:
        with pytest.raises(Refused) as refused:
            call("pool.query")
        assert refused.value.errno == 207
        assert call("auth.login_with_api_key", "1-wrong") is False
        if sim.nas.version != "24.10":
            login = {"mechanism": "API_KEY_PLAIN", "username": "zerotoil", "api_key": KEY}
            assert call("auth.login_ex", {**login, "api_key": "1-no"})["response_type"] == "AUTH_ERR"
            answer = call("auth.login_ex", login)
            assert schemas.validate_result(API[sim.nas.version], "auth.login_ex", answer) == []
            assert call("core.ping") == "pong"
    assert KEY not in json.dumps(sim.calls)


def test_newer_servers_still_speak_the_legacy_framing():
    with Simulator("25.10", users={"zerotoil": KEY}) as sim, Wire(sim, "/websocket") as call:
        assert call("system.version") == "TrueNAS-25.10.6"
        assert call("zfs.snapshot.query") == []


def test_an_older_api_version_hides_newer_fields():
    with Simulator("26", users={"zerotoil": KEY}) as sim, Wire(sim, "/api/v25.04.0") as call:
        assert "mode" not in call("iscsi.global.config")


def test_24_10_has_no_json_rpc():
    with Simulator("24.10", users={"zerotoil": KEY}) as sim, pytest.raises(Exception, match="404"):
        Wire(sim, "/api/current")
