"""How the NAS tells, in every version: mail settings and the alert service are kept as declared, and nothing else is."""

from typing import Any

import pytest

from tests.resources.nas.conftest import apply, connect, host, plan, simulator
from zerotoil.clients.truenas import Nas
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.minilab.nas import Simulator
from zerotoil.minilab.nas.middleware import METHODS
from zerotoil.model.secret import Secret
from zerotoil.resources.nas.alerts import alert_resources

MAIL = {"nas_mail_server": "mail.lan", "nas_mail_port": 8025, "nas_mail_from": "nas@home.lan"}
LOGIN = {"nas_mail_user": "nas", "nas_mail_password": Secret("hunter2")}
ALERT = {"nas_alert_mail": "signal@mailrise.xyz"}


def changes(nas: Nas, **keys: Any) -> list[str]:
    spec = host(**keys)
    return [str(change) for resource in alert_resources(spec.nas, nas, spec.lab.name) for change in resource.plan()]


def make(nas: Nas, **keys: Any) -> list[str]:
    spec = host(**keys)
    return [str(change) for resource in alert_resources(spec.nas, nas, spec.lab.name) for change in resource.apply()]


def test_it_is_made_as_declared_and_then_left(sim: Simulator, nas: Nas) -> None:
    keys = {**MAIL, **LOGIN, **ALERT, "nas_mail_security": "tls", "nas_alert_level": "error"}
    assert make(nas, **keys) == [
        "mail settings: server  -> mail.lan",
        "mail settings: port 25 -> 8025",
        "mail settings: security plain -> tls",
        "mail settings: from  -> nas@home.lan",
        "mail settings: login none -> nas",
        "mail settings: password None -> ********",
        "alert service 'zerotoil home': create mails to signal@mailrise.xyz",
        "alert service 'zerotoil home': create level error",
        "alert service 'zerotoil home': create enabled True",
    ]
    assert (
        sim.nas.state.data["mail"] | {"outgoingserver": "mail.lan", "security": "TLS", "smtp": True, "pass": "hunter2"}
        == (sim.nas.state.data["mail"])
    )
    writes = sim.writes
    assert changes(nas, **keys) == make(nas, **keys) == []
    assert sim.writes == writes


def test_each_drift_is_seen_and_mended(nas: Nas) -> None:
    keys = {**MAIL, **LOGIN, **ALERT}
    make(nas, **keys)
    nas.write("mail.update", {"port": 25, "pass": "changed", "smtp": False, "fromname": "my NAS"})
    (row,) = nas.query("alertservice")
    kept = {name: row[name] for name in ("name", "type", "attributes", "level") if name in row}
    nas.write("alertservice.update", row["id"], {**kept, "enabled": False})
    assert changes(nas, **keys) == make(nas, **keys) == [
        "mail settings: port 25 -> 8025",
        "mail settings: login none -> nas",
        "mail settings: password ******** -> ********",
        "alert service 'zerotoil home': enabled False -> True",
    ]  # fmt: skip
    assert nas.config("mail")["fromname"] == "my NAS", "what is not declared stays"
    assert changes(nas, **keys) == []


def test_a_server_without_login_ends_the_old_login_and_keeps_its_password(nas: Nas) -> None:
    make(nas, **MAIL, **LOGIN)
    assert make(nas, **MAIL) == ["mail settings: login nas -> none"]
    assert (nas.config("mail")["smtp"], nas.config("mail")["pass"]) == (False, "hunter2")


def test_a_masked_password_is_taken_as_declared(sim: Simulator, nas: Nas) -> None:
    make(nas, **MAIL, **LOGIN)
    sim.faults.mask_secrets = True
    nas.forget()
    assert changes(nas, **MAIL, **{**LOGIN, "nas_mail_password": Secret("another")}) == []


def test_services_of_others_are_left_alone(nas: Nas) -> None:
    make(nas, **ALERT)
    make(nas, lab_name="cabin", **ALERT)
    assert sorted(row["name"] for row in nas.query("alertservice")) == ["zerotoil cabin", "zerotoil home"]


def test_of_two_with_our_name_the_older_is_ours(sim: Simulator, nas: Nas) -> None:
    make(nas, **ALERT)
    twin = sim.nas.state.add("alertservice", {**sim.nas.state.rows("alertservice")[0], "level": "INFO"})
    twin["id"] = 99
    nas.forget()
    assert changes(nas, **ALERT) == []


def test_a_service_of_another_type_is_not_touched(sim: Simulator, nas: Nas) -> None:
    row = {"name": "zerotoil home", "type": "Slack", "attributes": {"url": "https://x.lan/"}, "level": "INFO", "enabled": True}
    sim.nas.state.add("alertservice", row)
    with pytest.raises(LabError, match="the NAS has an alert service 'zerotoil home' of type Slack: rename or remove") as caught:
        make(nas, **ALERT)
    assert caught.value.code is Code.ALERT_SERVICE_TAKEN


def test_mail_by_a_providers_login_is_not_touched(sim: Simulator, nas: Nas) -> None:
    oauth = {"provider": "gmail", "client_id": "a", "client_secret": "b", "refresh_token": "c"}
    sim.nas.state.data["mail"]["oauth"] = oauth
    with pytest.raises(LabError, match=r"the NAS mails by a login at \S+.*, which outranks nas_mail_server") as caught:
        make(nas, **MAIL)
    assert caught.value.code is Code.MAIL_BY_OAUTH
    assert sim.nas.state.data["mail"]["oauth"] == oauth


def test_a_nas_that_says_yes_and_does_nothing(nas: Nas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METHODS, "mail.update", lambda nas, data: nas.state.data["mail"])
    with pytest.raises(LabError, match="mail settings: the server accepted the change but did not make it") as caught:
        make(nas, **MAIL, **LOGIN)
    assert "hunter2" not in str(caught.value)


def test_a_refusal_does_not_show_the_password(nas: Nas, monkeypatch: pytest.MonkeyPatch) -> None:
    from zerotoil.minilab.nas.errors import CallError

    def refuse(_nas: Any, data: dict[str, Any]) -> None:
        raise CallError(f"cannot take {data}")

    monkeypatch.setitem(METHODS, "mail.update", refuse)
    with pytest.raises(LabError, match="the NAS refuses mail.update") as caught:
        make(nas, **MAIL, **LOGIN)
    assert "hunter2" not in str(caught.value)


def test_nothing_is_asked_for_what_is_not_declared() -> None:
    """A plan's reads of the NAS stay as few as they were; all hosts together ask once."""
    with simulator("25.10") as sim:
        nas = connect(sim)
        apply(nas, host())
        assert not [name for name, _ in sim.calls if name.startswith(("mail.", "alertservice."))]
        for name in ("matrix", "k3s"):
            apply(nas, host(name, **MAIL, **ALERT))
        before, again = len(sim.calls), connect(sim)
        for name in ("matrix", "k3s"):
            assert plan(again, host(name, **MAIL, **ALERT)) == []
        asked = [name for name, _ in sim.calls[before:]]
        assert (asked.count("mail.config"), asked.count("alertservice.query"), len(asked)) == (1, 1, 13)
