"""The NAS and the way of a data volume from there to the hypervisor, as declared."""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from zerotoil.model.secret import Secret, SecretKey
from zerotoil.model.section import Section, Wrong
from zerotoil.model.units import Int, Seconds

IQN = r"(iqn\.\d{4}-\d{2}\.[a-z0-9.-]+(:[^\s,]+)?|eui\.[0-9A-Fa-f]{16}|naa\.[0-9A-Fa-f]{16,32})"
TARGET = r"[-a-z0-9.:]{1,120}"
_MAIL = r"[^\s@,<>\"]+@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?"
_HOST_OR_ADDRESS = r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*"


class NasSpec(Section):
    """The TrueNAS that holds the data volumes."""

    url: str = Field(description='API address, TLS only: "wss://nas.lan" (a key sent in plain text is revoked)')
    user: str = Field(description="User the API key belongs to")
    api_key: SecretKey = Field(description='API key: "file:PATH", "env:NAME" or Secret(…)')
    ca: Path | None = Field(None, description="CA certificate (PEM) that signed the NAS's own; default: the system's CAs")
    fingerprint: str | None = Field(None, description="SHA-256 of the NAS's certificate, pinned instead of a CA")
    dataset: str = Field(description='Dataset under which each host gets its own: "tank/lab" -> tank/lab/HOST')
    timeout: Seconds = Field(30, description="Deadline of one call to the NAS")
    mail_server: str | None = Field(None, description="SMTP server the NAS mails through; without it its mail settings stay")
    mail_port: Int = Field(25, ge=1, le=65535, description="Port of the SMTP server (Mailrise: 8025)")
    mail_security: Literal["plain", "tls", "ssl"] = Field("plain", description="plain; tls: STARTTLS; ssl: TLS from the start")
    mail_from: str | None = Field(None, description="Address the NAS mails from")
    mail_user: str | None = Field(None, description="User at the SMTP server; no login without it")
    mail_password: SecretKey | None = Field(None, description="Password at the SMTP server")
    alert_mail: str | None = Field(None, description="Address the NAS mails its alerts to, through a service of ours")
    alert_level: Literal["info", "notice", "warning", "error", "critical", "alert", "emergency"] = Field(
        "warning", description="Least level of an alert that is mailed"
    )

    @field_validator("mail_server")
    @classmethod
    def _smtp_server(cls, server: str | None) -> str | None:
        if server is not None and not re.fullmatch(_HOST_OR_ADDRESS, server):
            raise ValueError(f"{server!r} is not a host or an address; write for instance mail.lan and nas_mail_port")
        return server

    @field_validator("mail_from", "alert_mail")
    @classmethod
    def _mail_address(cls, address: str | None) -> str | None:
        if address is not None and not re.fullmatch(_MAIL, address):
            raise ValueError(f"{address!r} is not a mail address; write for instance nas@home.lan")
        return address

    @field_validator("mail_password")
    @classmethod
    def _plain_characters(cls, secret: Secret | None) -> Secret | None:
        if secret and secret.literal is not None and not secret.literal.isascii():
            raise ValueError("TrueNAS takes only ASCII characters in a mail password")
        return secret

    @model_validator(mode="after")
    def _mail_is_whole(self) -> NasSpec:
        if self.mail_server and not self.mail_from:
            raise Wrong("nas_mail_server needs nas_mail_from too, since TrueNAS mails from no empty address", "mail_server")
        if not self.mail_server:
            for name in ("from", "user", "password"):
                if getattr(self, f"mail_{name}") is not None:
                    raise Wrong(f"nas_mail_{name} needs nas_mail_server too", f"mail_{name}")
        if bool(self.mail_user) != bool(self.mail_password):
            given, absent = ("mail_user", "mail_password") if self.mail_user else ("mail_password", "mail_user")
            raise Wrong(f"nas_mail_user and nas_mail_password go together; write nas_{absent} too", given)
        return self

    @field_validator("url")
    @classmethod
    def _tls_only(cls, url: str) -> str:
        if url.startswith(("ws://", "http://")):
            raise ValueError(f"{url} is plain text: TrueNAS revokes a key sent that way; write wss://{url.split('://', 1)[1]}")
        if "@" in url:  # not shown: a password may be in it
            raise ValueError("an address without a user; write for instance wss://nas.lan, and nas_user and nas_api_key")
        if not re.fullmatch(r"(wss|https)://[^/\s?#@]+/?", url):
            raise ValueError(f"{url!r} is not an address of a NAS; write for instance wss://nas.lan")
        return "wss://" + url.split("://", 1)[1].rstrip("/")

    @field_validator("fingerprint")
    @classmethod
    def _sha256(cls, text: str | None) -> str | None:
        plain = text.replace(":", "").lower() if text else None
        if plain and not re.fullmatch(r"[0-9a-f]{64}", plain):
            raise ValueError(
                f"{text!r} is not a SHA-256 fingerprint (64 hex digits, colons allowed), as printed by "
                "openssl x509 -fingerprint -sha256"
            )
        return plain

    @field_validator("dataset")
    @classmethod
    def _dataset_name(cls, name: str) -> str:
        if not re.fullmatch(r"[A-Za-z][\w.:-]*(/[\w.:-]+)*", name):
            raise ValueError(f"{name!r} is not a dataset name; write for instance tank/lab")
        return name

    @property
    def pool(self) -> str:
        """The ZFS pool: the first part of the dataset's name."""
        return self.dataset.split("/", 1)[0]


class IscsiSpec(Section):
    """How the data volume travels from the NAS to the hypervisor."""

    portal: list[str] = Field(min_length=1, description="Addresses the NAS listens on; the portal is found by them")
    address: str = Field("", description="Address the hypervisor connects to; default: the first of iscsi_portal")
    port: Int = Field(3260, ge=1, le=65535, description="Port of the portal (TrueNAS has one for all portals)")
    initiators: list[str] = Field(min_length=1, description="IQNs of the hypervisor; nobody else may log in")
    target: str = Field("", description="Name of the target; default: the host's name")
    extent: str = Field("", description="Name of the extent, at most 64 characters; default: the target's")
    group: str = Field("", description="Comment of an existing initiator group to use; default: a group of the host's own")
    lun: Int = Field(0, ge=0, le=16382, description="LUN of the data volume")
    chap_user: str | None = Field(None, description="CHAP user; CHAP is off without it")
    chap_secret: SecretKey | None = Field(None, description="CHAP secret, 12 to 16 characters, no '#'")
    chap_peer_user: str | None = Field(None, description="User the NAS proves itself with (mutual CHAP)")
    chap_peer_secret: SecretKey | None = Field(None, description="Secret the NAS proves itself with (mutual CHAP)")
    chap_tag: Int = Field(100, ge=1, description="Tag of the CHAP entry on the NAS (its group of credentials)")

    @field_validator("portal")
    @classmethod
    def _listen_addresses(cls, addresses: list[str]) -> list[str]:
        for address in addresses:
            try:
                ip_address(address)
            except ValueError:
                raise ValueError(f"{address!r} is not an address the NAS listens on; write for instance 192.168.1.10") from None
        return addresses

    @field_validator("address")
    @classmethod
    def _reachable_address(cls, address: str) -> str:
        if address and not re.fullmatch(_HOST_OR_ADDRESS, address):
            raise ValueError(
                f"{address!r} is not a host or an address; write for instance 192.168.1.10, and the port in iscsi_port"
            )
        return address

    @field_validator("chap_secret", "chap_peer_secret")
    @classmethod
    def _chap_secret(cls, secret: Secret | None) -> Secret | None:
        known = secret.literal if secret else None  # a file is read when it is needed, not here
        if known is not None and (not 12 <= len(known) <= 16 or "#" in known):
            raise ValueError("TrueNAS takes a CHAP secret of 12 to 16 characters without '#'")
        return secret

    @field_validator("initiators")
    @classmethod
    def _iqns(cls, names: list[str]) -> list[str]:
        for name in names:
            if not re.fullmatch(IQN, name):
                raise ValueError(f"{name!r} is not an initiator name; it looks like iqn.1993-08.org.debian:01:abcdef")
        return names

    @field_validator("target")
    @classmethod
    def _target_name(cls, name: str) -> str:
        if name and not re.fullmatch(TARGET, name):
            raise ValueError(f"{name!r} is not a target name; use a-z, 0-9, '-', '.' and ':'")
        return name

    @field_validator("extent")
    @classmethod
    def _extent_name(cls, name: str) -> str:
        if len(name) > 64 or '"' in name:
            raise ValueError(f"{name!r} is not the name of an extent; write at most 64 characters, without '\"'")
        return name

    @model_validator(mode="after")
    def _pairs(self) -> IscsiSpec:
        if bool(self.chap_user) != bool(self.chap_secret):
            given, absent = ("chap_user", "chap_secret") if self.chap_user else ("chap_secret", "chap_user")
            raise Wrong(f"iscsi_chap_user and iscsi_chap_secret go together; write iscsi_{absent} too", given)
        if bool(self.chap_peer_user) != bool(self.chap_peer_secret):
            given, absent = (
                ("chap_peer_user", "chap_peer_secret") if self.chap_peer_user else ("chap_peer_secret", "chap_peer_user")
            )
            raise Wrong(f"iscsi_chap_peer_user and iscsi_chap_peer_secret go together; write iscsi_{absent} too", given)
        if self.chap_peer_user and not self.chap_user:
            raise Wrong("mutual CHAP (iscsi_chap_peer_user) needs iscsi_chap_user too", "chap_peer_user")
        if not self.address and self.portal[0] in ("0.0.0.0", "::"):
            raise Wrong(f"iscsi_address is needed, since the portal {self.portal[0]} is no address to connect to", "portal")
        return self

    @property
    def connect_to(self) -> str:
        """The address the hypervisor connects to."""
        return self.address or self.portal[0]
