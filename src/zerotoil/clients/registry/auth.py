"""How a registry wants to be logged in to: what its challenge says, and the header that answers it.

Source: distribution.github.io/distribution/spec/auth/token (Bearer), RFC 7617 (Basic), RFC 9110 11.6.1 (WWW-Authenticate).
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from requests import PreparedRequest
from requests.auth import AuthBase

from zerotoil.model.registry import RegistryLogin

_CHALLENGE = re.compile(r"(?P<scheme>[A-Za-z]+)(?P<parameters>(?:\s+|,\s*)[a-z_]+=.*)?")
_PARAMETER = re.compile(r'([a-z_]+)="?((?<=")[^"]*|[^",\s]*)"?')


@dataclass(frozen=True)
class Challenge:
    """What stands in WWW-Authenticate: `scheme` in small letters ("bearer", "basic") and the parameters."""

    scheme: str
    realm: str
    service: str
    scope: str

    @classmethod
    def parse(cls, header: str) -> Challenge:
        """The challenge of a header; one without a scheme for a header that says nothing."""
        found = _CHALLENGE.match(header.strip())
        if not found:
            return cls("", "", "", "")
        said = dict(_PARAMETER.findall(found["parameters"] or ""))
        return cls(found["scheme"].lower(), said.get("realm", ""), said.get("service", ""), said.get("scope", ""))


class Header(AuthBase):
    """An Authorization header, or none. Without this `requests` would look into ~/.netrc and send what stands there."""

    def __init__(self, value: str = "") -> None:
        self.value = value

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        if self.value:
            request.headers["Authorization"] = self.value
        return request


def basic(login: RegistryLogin) -> Header:
    """User and password. Reveals the password."""
    return Header("Basic " + base64.b64encode(f"{login.user}:{login.password.reveal()}".encode()).decode())
