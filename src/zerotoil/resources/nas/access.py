"""Who may reach the NAS over iSCSI: portal, initiator group, CHAP credentials, and the service itself.

Natural keys: a portal's set of addresses (an address belongs to one portal); an initiator group's comment, which is our
mark (the server has no key for it); CHAP by tag and user; the service by its name.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, ClassVar

from zerotoil.clients.truenas import NasError
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.secret import MASK, Secret
from zerotoil.resources.nas.kept import Entry, Kept

_SERVICE_SECONDS = 30


@dataclass(frozen=True)
class Portal(Kept):
    """Addresses that the NAS listens on. Shared by all hosts that declare the same ones."""

    addresses: tuple[str, ...]
    port: int
    lab: str
    kind: ClassVar[str] = "iscsi.portal"

    @property
    def key(self) -> str:
        """See Kept."""
        return f"portal {', '.join(self.addresses)}"

    def find(self) -> Entry | None:
        """See Kept."""
        wanted = set(self.addresses)
        for entry in self.nas.query(self.kind):
            listens = {item["ip"] for item in entry["listen"]}
            if listens == wanted:
                return entry
            if listens & wanted:
                both = ", ".join(sorted(listens & wanted))
                raise LabError(
                    f"{both} belongs to the NAS's portal {entry['id']} ({', '.join(sorted(listens))})",
                    f"declare iscsi_portal = {sorted(listens)}",
                    code=Code.PORTAL_DIFFERS,
                )
        return None

    def check(self, entry: Entry | None) -> None:
        """The port is one setting for the whole NAS: it is read, never changed."""
        port = self.nas.config("iscsi.global").get("listen_port", 3260)
        if port != self.port:
            raise LabError(
                f"the NAS serves iSCSI at port {port}, declared is {self.port}",
                f"declare iscsi_port = {port}",
                code=Code.PORTAL_DIFFERS,
            )

    def declared(self) -> dict[str, Any]:
        """See Kept."""
        return {"addresses": sorted(self.addresses)}

    def observed(self, entry: Entry) -> dict[str, Any]:
        """See Kept."""
        return {"addresses": sorted(item["ip"] for item in entry["listen"])}

    def payload(self) -> dict[str, Any]:
        """See Kept. The port of each address comes from the global setting and must not be sent."""
        return {"listen": [{"ip": address} for address in self.addresses], "comment": f"zerotoil {self.lab}"}


@dataclass(frozen=True)
class InitiatorGroup(Kept):
    """Only the hypervisor may log in. An empty list would allow everybody, and is never sent.

    `named` is the comment of a group that somebody else made.
    """

    owner: str
    initiators: tuple[str, ...]
    named: str = ""
    kind: ClassVar[str] = "iscsi.initiator"

    @property
    def comment(self) -> str:
        """The mark by which the group is found."""
        return self.named or f"zerotoil {self.owner}"

    @property
    def key(self) -> str:
        """See Kept."""
        return f"initiator group {self.comment!r}"

    def find(self) -> Entry | None:
        """See Kept."""
        return next(iter(self.nas.found(self.kind, "comment", self.comment)), None)

    def declared(self) -> dict[str, Any]:
        """See Kept."""
        return {"initiators": sorted(self.initiators)}

    def observed(self, entry: Entry) -> dict[str, Any]:
        """See Kept."""
        return {"initiators": sorted(entry["initiators"])}

    def payload(self) -> dict[str, Any]:
        """See Kept."""
        return {"initiators": list(self.initiators), "comment": self.comment}


@dataclass(frozen=True)
class Chap(Kept):
    """CHAP credentials, one-way or mutual."""

    tag: int
    user: str
    secret: Secret = field(repr=False)
    peer_user: str = ""
    peer_secret: Secret | None = field(default=None, repr=False)
    kind: ClassVar[str] = "iscsi.auth"

    @property
    def key(self) -> str:
        """See Kept."""
        return f"CHAP user {self.user} (tag {self.tag})"

    def find(self) -> Entry | None:
        """See Kept."""
        wanted = (self.tag, self.user)
        return next((entry for entry in self.nas.query(self.kind) if (entry["tag"], entry["user"]) == wanted), None)

    def declared(self) -> dict[str, Any]:
        """See Kept."""
        return {"secret": self.secret, "peer user": self.peer_user, "peer secret": self.peer_secret}

    def observed(self, entry: Entry) -> dict[str, Any]:
        """See Kept. A NAS that masks secrets cannot be compared: then they are taken as declared."""
        return {
            "secret": self._known(entry["secret"], self.secret),
            "peer user": entry["peeruser"],
            "peer secret": self._known(entry["peersecret"], self.peer_secret),
        }

    def check(self, entry: Entry | None) -> None:
        """An adopted VM logs in with the credentials it has: a change here alone would lock it out."""
        changes = self.diff(entry) if self.adopt and entry else []
        if changes:
            fields = ", ".join(change.field for change in changes)
            raise LabError(
                f"{self.key}: the NAS has another {fields} than the inventory",
                "nothing was touched; the adopted VM logs in with what the NAS has: put that into iscsi_chap_secret",
                code=Code.CHAP_DIFFERS,
            )

    @staticmethod
    def _known(value: str, declared: Secret | None) -> Secret | None:
        return declared if value == MASK else Secret(value) if value else None

    def payload(self) -> dict[str, Any]:
        """See Kept."""
        peer = self.peer_secret.reveal() if self.peer_secret else ""
        return {
            "tag": self.tag,
            "user": self.user,
            "secret": self.secret.reveal(),
            "peeruser": self.peer_user,
            "peersecret": peer,
        }


@dataclass(frozen=True)
class IscsiService(Kept):
    """The iscsitarget service: enabled at boot, and running."""

    kind: ClassVar[str] = "service"

    @property
    def key(self) -> str:
        """See Kept."""
        return "service iscsitarget"

    def find(self) -> Entry | None:
        """See Kept."""
        found = [entry for entry in self.nas.query(self.kind) if entry["service"] == "iscsitarget"]
        if not found:
            raise LabError("the NAS has no service iscsitarget", "is it a TrueNAS?", code=Code.ISCSI_SERVICE)
        return found[0]

    def declared(self) -> dict[str, Any]:
        """See Kept."""
        return {"enabled": True, "state": "RUNNING"}

    def observed(self, entry: Entry) -> dict[str, Any]:
        """See Kept."""
        return {"enabled": entry["enable"], "state": entry["state"]}

    def write(self, entry: Entry | None) -> None:
        """Enable, then start. `silent` must be false: the server otherwise answers a failure with `false` and no error."""
        if entry and not entry["enable"]:
            self.nas.write("service.update", "iscsitarget", {"enable": True})
        if entry and entry["state"] != "RUNNING":
            if self.nas.capabilities.has_service_control:
                started = self.nas.job("service.control", "START", "iscsitarget", {"silent": False})
            else:
                started = self.nas.write("service.start", "iscsitarget", {"silent": False})
            if started is False:
                raise NasError(
                    "the NAS could not start its iSCSI service",
                    "look at System, Services, iSCSI on the NAS",
                    code=Code.ISCSI_SERVICE,
                )
        deadline = time.monotonic() + _SERVICE_SECONDS
        while self.plan() and time.monotonic() < deadline:
            time.sleep(0.2)
            self.nas.forget()
