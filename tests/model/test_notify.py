"""What is declared about telling: sinks, events, limits, and how the NAS mails."""

from typing import Any

import pytest

from tests.conftest import RIGHT, make_spec
from tests.model.test_inventory import problems
from zerotoil.error_codes import Code
from zerotoil.model.inventory import declare
from zerotoil.model.notify import EVENTS
from zerotoil.model.secret import Secret

MAIL = {"nas_mail_server": "mail.lan", "nas_mail_from": "nas@home.lan"}


def test_the_defaults() -> None:
    spec = make_spec()
    assert (spec.notify.sinks, spec.notify.repeat, spec.notify.burst) == ([], 6 * 3600, 20)
    assert set(EVENTS) - set(spec.notify.events) == {"finished", "unchanged"}
    assert (spec.nas.mail_server, spec.nas.alert_mail, spec.nas.mail_port, spec.nas.mail_security) == (None, None, 25, "plain")


WRONG = [
    (
        {"notify_sinks": ["signal://signal.lan/+1/+2"]},
        "notify_sinks (from host data): [0]: a secret is not written in the inventory",
    ),
    ({"notify_sinks": "file:~/sink"}, "notify_sinks (from host data): 'file:~/sink' is not a list; write ['file:~/sink']"),
    ({"notify_sinks": ["file:~/s", "file:~/s"]}, "file:~/s stands there twice; every message would arrive twice"),
    ({"notify_sinks": [Secret("ntfy://a/b"), Secret("ntfy://a/b")]}, "a sink stands there twice"),
    ({"notify_events": ["update-fail"]}, "'update-fail' is no event; did you mean update-failed?"),
    ({"notify_events": ["x"]}, "'x' is no event; the events are updated, update-failed,"),
    ({"notify_repeat": "often"}, "'often' is not a duration"),
    ({"notify_burst": 0}, "0 is not a whole number from 1 to 1000 (messages an hour at most"),
    ({"notify_sink": ["file:~/s"]}, "unknown key; did you mean notify_sinks?"),
    ({"nas_mail_server": "mail.lan"}, "nas_mail_server needs nas_mail_from too"),
    ({"nas_mail_from": "nas@home.lan"}, "nas_mail_from needs nas_mail_server too"),
    ({**MAIL, "nas_mail_user": "nas"}, "nas_mail_user and nas_mail_password go together; write nas_mail_password too"),
    ({**MAIL, "nas_mail_password": Secret("x")}, "nas_mail_user and nas_mail_password go together; write nas_mail_user too"),
    (
        {**MAIL, "nas_mail_password": "hunter2", "nas_mail_user": "n"},
        "nas_mail_password (from host data): a secret is not written",
    ),
    (
        {**MAIL, "nas_mail_server": "smtp://mail.lan"},
        "'smtp://mail.lan' is not a host or an address; write for instance mail.lan",
    ),
    ({**MAIL, "nas_mail_from": "nas"}, "'nas' is not a mail address; write for instance nas@home.lan"),
    ({"nas_alert_mail": "a@b, c@d"}, "'a@b, c@d' is not a mail address"),
    ({**MAIL, "nas_mail_security": "starttls"}, "'starttls' is not known; write 'plain' or 'tls' or 'ssl'"),
    ({"nas_alert_level": "WARNING"}, "'WARNING' is not known; write 'info' or 'notice' or 'warning'"),
    ({**MAIL, "nas_mail_user": "n", "nas_mail_password": Secret("pässword")}, "TrueNAS takes only ASCII characters in a mail"),
]


@pytest.mark.parametrize(("keys", "line"), WRONG)
def test_a_wrong_declaration_gets_one_clear_line(keys: dict[str, Any], line: str) -> None:
    (problem,) = problems({**RIGHT, **keys})
    assert line in problem
    assert "hunter2" not in problem and "pässword" not in problem


def between(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    hosts = {name: [("host data", {**RIGHT, **keys})] for name, keys in (("one", first), ("two", second))}
    found = declare(hosts).problems
    assert {problem.code for problem in found} <= {Code.CLASHES_WITH_HOST}
    return [str(problem) for problem in found]


@pytest.mark.parametrize(
    ("change", "key", "thing"),
    [
        ({"nas_mail_port": 26}, "nas_mail_server", "mail setting of the NAS"),
        ({"nas_mail_user": "n", "nas_mail_password": Secret("hunter2")}, "nas_mail_server", "mail setting of the NAS"),
        ({"nas_alert_mail": "you@home.lan"}, "nas_alert_mail", "alert service of home"),
        ({"nas_alert_level": "error"}, "nas_alert_mail", "alert service of home"),
    ],
)
def test_two_hosts_of_a_lab_declare_their_nas_alike(change: dict[str, Any], key: str, thing: str) -> None:
    both = {**MAIL, "nas_alert_mail": "me@home.lan"}
    assert between(both, {**both, **change}) == [
        f"two: {key} (from host data): the {thing} is declared differently by one; they share it on the NAS"
    ]
    assert between(both, both) == between(both, {}) == []
    assert between(both, {**both, **change, "nas_url": "wss://other.lan"}) == []
