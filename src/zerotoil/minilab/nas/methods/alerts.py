"""alertservice.*: who is told of alerts. The pretend NAS has no alerts of its own; a test alert is mailed for real.

Until 25.04 the type of a service stands beside its attributes, since 25.10 in them (facts of truenas/middleware).
"""

from __future__ import annotations

from typing import Any

from zerotoil.minilab.nas.errors import Problems
from zerotoil.minilab.nas.methods.mail import send_job
from zerotoil.minilab.nas.methods.tables import readable
from zerotoil.minilab.nas.middleware import Middleware, Session, method
from zerotoil.minilab.nas.state import Row

TABLE = "alertservice"
TITLES = {
    "AWSSNS": "AWS SNS", "InfluxDB": "InfluxDB", "Mail": "Email", "Mattermost": "Mattermost", "OpsGenie": "OpsGenie",
    "PagerDuty": "PagerDuty", "SNMPTrap": "SNMP Trap", "Slack": "Slack", "Telegram": "Telegram", "VictorOps": "VictorOps",
}  # fmt: skip


def _shown(nas: Middleware, row: Row) -> Row:
    shown = {**row, "type__title": TITLES.get(row["type"], "<Unknown>")}
    if nas.at_least("25.10"):
        shown["attributes"] = {"type": shown.pop("type"), **row["attributes"]}
    return shown


readable(TABLE, _shown)


@method("alertservice.create")
def create(nas: Middleware, data: Row) -> Row:
    """Names are not unique."""
    return _shown(nas, nas.state.add(TABLE, _stored(nas, "alert_service_create", data)))


@method("alertservice.update")
def update(nas: Middleware, number: int, data: Row) -> Row:
    """What is not given stays; since 25.04 all but `enabled` must be given."""
    row = nas.row(TABLE, number)
    shown = {key: value for key, value in _shown(nas, row).items() if key not in ("id", "type__title")}
    row.update(_stored(nas, "alert_service_update", {**shown, **data}))
    return _shown(nas, row)


@method("alertservice.delete")
def delete(nas: Middleware, number: int) -> bool:
    """Nothing depends on it."""
    nas.row(TABLE, number)
    nas.state.remove(TABLE, number)
    return True


@method("alertservice.test")
def test(nas: Middleware, data: Row) -> bool:
    """A mail is only begun, as a job: true does not say that it went out. Other services reach nobody here."""
    row = _stored(nas, "alert_service_test", data)
    if row["type"] != "Mail":
        return False
    if row["attributes"].get("email"):  # else administrators are mailed, and there are none
        message = {"subject": "Alerts", "html": "<ul><li>Test alert</li></ul>", "to": [row["attributes"]["email"]]}
        send_job(nas, Session(""), message, {})
    return True


def _stored(nas: Middleware, argument: str, data: Row) -> Row:
    attributes: dict[str, Any] = dict(data["attributes"])
    kind = attributes.pop("type", "") if nas.at_least("25.10") else data["type"]
    problems = Problems(argument)
    if kind not in TITLES:
        problems.add("type", "This field has invalid value")
    problems.check()
    return {"name": data["name"], "type": kind, "attributes": attributes, "level": data["level"], "enabled": data["enabled"]}
