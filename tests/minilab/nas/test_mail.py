import socket

import pytest
from wire import KEY, Refused, Wire

from tests.smtp import FakeSmtp
from zerotoil.minilab.nas import Simulator, schemas

API = {"24.10": "v24.10", "25.04": "v25.04.2", "25.10": "v25.10.5", "26": "v26.0.0"}
SETTINGS = {"fromemail": "nas@home.lan", "outgoingserver": "127.0.0.1", "port": 25, "security": "PLAIN", "smtp": False}


@pytest.fixture(params=list(API))
def sim(request):
    with Simulator(request.param, users={"zerotoil": KEY}) as sim:
        yield sim


@pytest.fixture
def call(sim):
    with Wire(sim) as call:
        yield call


def service(sim, **more):
    kind = {"attributes": {"type": "Mail", "email": "me@home.lan"}}
    if sim.nas.version in ("24.10", "25.04"):
        kind = {"type": "Mail", "attributes": {"email": "me@home.lan"}}
    return {"name": "zerotoil home", "level": "WARNING", **kind, **more}


def valid(sim, name, params, result):
    version = API[sim.nas.version]
    assert schemas.validate_args(version, name, params) == []
    assert schemas.validate_result(version, name, result) == []
    return result


def test_settings_are_kept_and_shown_as_the_schemas_say(sim, call):
    assert valid(sim, "mail.config", [], call("mail.config"))["outgoingserver"] == ""
    changed = valid(sim, "mail.update", [SETTINGS], call("mail.update", SETTINGS))
    assert {name: changed[name] for name in SETTINGS} == SETTINGS
    assert call("mail.update", {"port": 587})["outgoingserver"] == "127.0.0.1", "what is not given stays"


@pytest.mark.parametrize(
    ("change", "where"),
    [({"fromemail": ""}, "fromemail"), ({"smtp": True, "user": ""}, "user"), ({"pass": "pässword"}, "pass")],
)
def test_settings_that_are_refused(call, change, where):
    with pytest.raises(Refused) as caught:
        call("mail.update", {**SETTINGS, **change})
    assert (caught.value.code, caught.value.where) in ((-32602, [f"mail_update.{where}"]), (None, [f"mail_update.{where}"]))
    assert call("mail.config")["fromemail"] == ""


def test_the_password_is_masked_for_some_and_in_the_log_for_all(sim, call):
    call("mail.update", {**SETTINGS, "smtp": True, "user": "nas", "pass": "hunter2"})
    assert call("mail.config")["pass"] == "hunter2"
    sim.faults.mask_secrets = True
    assert call("mail.config")["pass"] == "********"
    assert "hunter2" not in repr(sim.calls)


def test_alert_services(sim, call):
    made = valid(sim, "alertservice.create", [service(sim)], call("alertservice.create", service(sim)))
    other = service(sim, level="ERROR")
    changed = valid(sim, "alertservice.update", [made["id"], other], call("alertservice.update", made["id"], other))
    assert (changed["id"], changed["level"], changed["enabled"]) == (made["id"], "ERROR", True)
    assert valid(sim, "alertservice.query", [], call("alertservice.query")) == [changed]
    assert call("alertservice.delete", made["id"]) is True
    assert call("alertservice.query") == []


def test_the_type_stands_where_the_version_has_it(sim, call):
    wrong = {"name": "x", "level": "INFO", "type": "Mail", "attributes": {"type": "Mail"}}
    if sim.nas.version in ("24.10", "25.04"):
        wrong = {"name": "x", "level": "INFO", "attributes": {"type": "Mail"}}
    with pytest.raises(Refused):
        call("alertservice.create", wrong)


def job(call, number):
    return call("core.get_jobs", [["id", "=", number]])[0]


def test_a_mail_that_cannot_go_out_fails_as_a_job(call):
    assert "None of the local administrators" in job(call, call("mail.send", {"subject": "x", "text": "y"}))["error"]
    assert "You must provide" in job(call, call("mail.send", {"subject": "x", "text": "y", "to": ["a@b.c"]}))["error"]
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    call("mail.update", {**SETTINGS, "port": port})
    failed = job(call, call("mail.send", {"subject": "x", "text": "y", "to": ["a@b.c"]}))
    assert (failed["state"], "Failed to send email: [Errno 111]" in failed["error"]) == ("FAILED", True)


def test_a_test_alert_says_true_though_its_mail_fails(sim, call):
    """As the real one, which only begins the job."""
    assert valid(sim, "alertservice.test", [service(sim)], call("alertservice.test", service(sim))) is True
    assert [(j["method"], j["state"]) for j in call("core.get_jobs")] == [("mail.send", "FAILED")]


def test_a_mail_goes_out_by_smtp(sim, call):
    with FakeSmtp() as server:
        call("mail.update", {**SETTINGS, "port": server.port})
        done = job(call, call("mail.send", {"subject": "Grüße", "text": "a <b>", "to": ["me@home.lan"]}))
        assert (done["state"], done["result"]) == ("SUCCESS", None if sim.nas.version == "26" else True), done["error"]
        assert call("alertservice.test", service(sim)) is True
        server.refuses = True
        refused = job(call, call("mail.send", {"subject": "x", "text": "y", "to": ["nobody@home.lan"]}))
        assert (refused["state"], "nobody of that name" in refused["error"]) == ("FAILED", True)
    first, alert = server.mails
    assert (first["Subject"], first["From"], first["To"]) == ("TrueNAS lab-nas.local: Grüße", "nas@home.lan", "me@home.lan")
    assert first.get_body(("plain",)).get_content().strip() == "a <b>"
    assert "a &lt;b&gt;" in first.get_body(("html",)).get_content()
    assert "Test alert" in alert.get_body(("html",)).get_content()
