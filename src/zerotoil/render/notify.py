"""The URL of a sink -> what curl and jq need to send there, and the same sink in Apprise's words. Pure.

A host has no Shoutrrr: it sends by curl, whose whole request (address, login, headers) is a config on its stdin, and whose
body a jq filter makes of a queued message {id, time, host, event, subject, title, text}. So no secret is in an argument.
Shoutrrr's form is the canonical one, since Watchtower and Keel take it too. Apprise, by which the controller and Mailrise
send, spells some services otherwise: its signal:// is plain HTTP where Shoutrrr's is TLS.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.render.notify_services import Request, Service, Unspeakable
from zerotoil.render.notify_webhooks import SERVICES

_CONNECT_SECONDS = 5
_SECONDS = 20  # signal-cli takes some before it answers
_APPRISES_OWN = {"signals": "signal", "ntfys": "ntfy", "gotifys": "gotify", "tgram": "telegram"}


@dataclass(frozen=True)
class Sink:
    """One request that delivers a message. A URL has several where its service takes one recipient at a time."""

    service: str
    curl_config: str
    body_filter: str

    @property
    def id(self) -> str:
        """What deliveries are recorded under; it stays the same as long as the sink does."""
        return f"{self.service}-{hashlib.sha256((self.curl_config + self.body_filter).encode()).hexdigest()[:8]}"


def sinks(url: str, named: str = "the sink") -> list[Sink]:
    """What a host needs to send to this URL. Raises LabError, in which the sink is called `named`."""
    service = _service(url, named)
    return [Sink(url.partition("://")[0].partition("+")[0], _curl(request), request.body) for request in service.requests()]


def apprise_url(url: str) -> str:
    """The same sink for Apprise. Raises LabError where Apprise has no words for it."""
    try:
        found = _service(url, "the sink").apprise()
    except Unspeakable as error:
        remedy = "hosts send there all the same; their own lines prove it"
        raise LabError(f"Apprise: {error}", remedy, code=Code.SINK_NOT_FROM_HERE) from None
    return f"{found}{'&' if '?' in found else '?'}cto={_CONNECT_SECONDS}&rto={_SECONDS}"


def shoutrrr_url(url: str, named: str = "the sink") -> str:
    """The same sink for Watchtower and Keel. Only JSON differs: Apprise's json:// is generic://, and Shoutrrr must be told."""
    _service(url, named)
    scheme, _, rest = url.partition("://")
    if scheme not in ("json", "jsons", "generic") or "template=json" in rest.lower():
        return url
    rest = re.sub(r"([?&])[+]", r"\1@", rest)  # how headers are marked
    more = "template=json&disabletls=yes" if scheme == "json" else "template=json"
    return f"generic://{rest}{'&' if '?' in rest else '?'}{more}"


def _service(url: str, named: str) -> Service:
    scheme = url.partition("://")[0] if "://" in url else ""
    known = ", ".join(f"{name}://" for name in SERVICES if "+" not in name)
    if not scheme:
        raise LabError(f"{named} is not a URL", f"write one of {known}", code=Code.SINK_MALFORMED)
    if scheme in _APPRISES_OWN:
        ours = _APPRISES_OWN[scheme]
        remedy = f"write {SERVICES[ours].form}"
        raise LabError(f"{named}: {scheme}:// is Apprise's form", remedy, code=Code.SINK_UNKNOWN)
    if scheme not in SERVICES:
        rest = "an Apprise API (generic://HOST:8000/notify/KEY?messagekey=body) or Mailrise takes the rest"
        remedy = f"take one of {known}; {rest}"
        raise LabError(f"{named}: a host cannot send to {_shown(scheme)}", remedy, code=Code.SINK_UNKNOWN)
    try:
        return SERVICES[scheme].parse(url)
    except LabError as error:
        raise LabError(f"{named}: {error.what}", error.remedy, code=error.code) from None


def _shown(scheme: str) -> str:
    """The scheme, unless it is no word of a few letters: then it may be half a token."""
    return f"{scheme}://" if scheme.isalpha() and len(scheme) <= 12 else "what its URL begins with"


def _curl(request: Request) -> str:
    """The config of one request. Redirects are not followed: the login would travel with them."""
    lines = [f"url = {_quoted(request.url)}", f"request = {_quoted(request.method)}"]
    lines += [f"header = {_quoted(header)}" for header in ("Content-Type: application/json", *request.headers)]
    if request.login:
        lines.append(f"user = {_quoted(request.login)}")
    if request.insecure:
        lines.append("insecure")
    lines += [f"connect-timeout = {_CONNECT_SECONDS}", f"max-time = {_SECONDS}", 'proto = "=http,https"', "globoff", "silent"]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A value of a curl config: in quotes, where a backslash escapes."""
    for plain, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"), ("\v", "\\v")):
        text = text.replace(plain, escaped)
    return f'"{text}"'
