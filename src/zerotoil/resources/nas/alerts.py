"""How the NAS tells: its mail settings, and the alert service that mails.

Natural keys: a NAS has one set of mail settings; an alert service is found by its name, which is our mark. Source:
mail.*, alertservice.* (until 25.04 the type of a service stands beside its attributes, since 25.10 in them).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from zerotoil.clients.truenas import Nas
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.nas import NasSpec
from zerotoil.model.secret import MASK, Secret
from zerotoil.resources.nas.kept import Entry, Kept
from zerotoil.resources.resource import Resource

_NO_LOGIN = "none"


@dataclass(frozen=True)
class MailSettings(Kept):
    """Where the NAS hands its mails over. What is not declared (the sender's name) stays as it is."""

    server: str
    port: int
    security: str
    sender: str
    user: str = ""
    password: Secret | None = field(default=None, repr=False)
    kind: ClassVar[str] = "mail"

    @property
    def key(self) -> str:
        """See Kept."""
        return "mail settings"

    def find(self) -> Entry | None:
        """See Kept."""
        return self.nas.config(self.kind)

    def check(self, entry: Entry | None) -> None:
        """A login at Gmail or Outlook outranks any server, and is somebody's: it is not thrown away."""
        if entry and entry["oauth"]:
            provider = entry["oauth"].get("provider") or "its provider"
            raise LabError(
                f"the NAS mails by a login at {provider}, which outranks nas_mail_server",
                "log out of it on the NAS (System, General, Email), or take nas_mail_server out",
                code=Code.MAIL_BY_OAUTH,
            )

    def declared(self) -> dict[str, Any]:
        """See Kept."""
        fields = {
            "server": self.server, "port": self.port, "security": self.security, "from": self.sender,
            "login": self.user or _NO_LOGIN,
        }  # fmt: skip
        return {**fields, "password": self.password} if self.password else fields

    def observed(self, entry: Entry) -> dict[str, Any]:
        """See Kept. A NAS that masks the password cannot be compared: then it is taken as declared."""
        known = entry["pass"]
        return {
            "server": entry["outgoingserver"],
            "port": entry["port"],
            "security": entry["security"].lower(),
            "from": entry["fromemail"],
            "login": (entry["user"] or "") if entry["smtp"] else _NO_LOGIN,
            "password": self.password if known == MASK else Secret(known) if known else None,
        }

    def payload(self) -> dict[str, Any]:
        """See Kept."""
        settings = {
            "outgoingserver": self.server, "port": self.port, "security": self.security.upper(), "fromemail": self.sender,
            "smtp": bool(self.user),
        }  # fmt: skip
        return {**settings, "user": self.user, "pass": self.password.reveal()} if self.password else settings

    def write(self, entry: Entry | None) -> None:
        """There is always one set, so it is updated and never created."""
        self.nas.write("mail.update", self.payload())


@dataclass(frozen=True)
class AlertService(Kept):
    """The alert service of a lab: it mails everything from a level on to one address."""

    lab: str
    address: str
    level: str
    kind: ClassVar[str] = "alertservice"

    @property
    def name(self) -> str:
        """The mark by which it is found."""
        return f"zerotoil {self.lab}"

    @property
    def key(self) -> str:
        """See Kept."""
        return f"alert service {self.name!r}"

    def find(self) -> Entry | None:
        """See Kept."""
        return min(self.nas.found(self.kind, "name", self.name), key=lambda entry: entry["id"], default=None)

    def check(self, entry: Entry | None) -> None:
        """A service of another type has this name by chance."""
        kind = _type(entry) if entry else "Mail"
        if kind != "Mail":
            raise LabError(
                f"the NAS has an alert service {self.name!r} of type {kind}",
                "rename or remove it on the NAS (System, Alert Settings)",
                code=Code.ALERT_SERVICE_TAKEN,
            )

    def declared(self) -> dict[str, Any]:
        """See Kept."""
        return {"mails to": self.address, "level": self.level, "enabled": True}

    def observed(self, entry: Entry) -> dict[str, Any]:
        """See Kept."""
        address = entry["attributes"].get("email", "")
        return {"mails to": address, "level": entry["level"].lower(), "enabled": entry["enabled"]}

    def payload(self) -> dict[str, Any]:
        """See Kept."""
        service = {"name": self.name, "level": self.level.upper(), "enabled": True}
        if self.nas.capabilities.alert_type_in_attributes:
            return {**service, "attributes": {"type": "Mail", "email": self.address}}
        return {**service, "type": "Mail", "attributes": {"email": self.address}}


def _type(entry: Entry) -> str:
    return str(entry.get("type") or entry["attributes"].get("type"))


def mail_settings(spec: NasSpec, nas: Nas) -> MailSettings | None:
    """The mail settings, where they are declared."""
    if not spec.mail_server or not spec.mail_from:
        return None
    login = (spec.mail_user or "", spec.mail_password)
    return MailSettings(nas, spec.mail_server, spec.mail_port, spec.mail_security, spec.mail_from, *login)


def alert_service(spec: NasSpec, nas: Nas, lab: str) -> AlertService | None:
    """The alert service of a lab, where it is declared."""
    return AlertService(nas, lab, spec.alert_mail, spec.alert_level) if spec.alert_mail else None


def alert_resources(spec: NasSpec, nas: Nas, lab: str) -> list[Resource]:
    """What is declared of how the NAS tells: nothing is asked of a NAS for what is not."""
    return [resource for resource in (mail_settings(spec, nas), alert_service(spec, nas, lab)) if resource]
