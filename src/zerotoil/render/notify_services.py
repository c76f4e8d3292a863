"""The services that one runs at home, each with its URL, its requests and its Apprise form: Signal, ntfy, Gotify. Pure.

Sources: nicholas-fedor/shoutrrr docs/services (URLs), bbernhard/signal-cli-rest-api POST /v2/send, docs.ntfy.sh/publish
(as JSON), gotify.net POST /message, apprise/plugins (Apprise's URLs).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import ClassVar, Protocol
from urllib.parse import quote, urlencode

from zerotoil.render.notify_url import SinkUrl

WHOLE = '(.title + (if .text == "" then "" else "\\n" + .text end))'  # for services without a title of their own
_PHONE = r"\+[1-9]\d{4,14}"
_PRIORITIES = {"min": 1, "low": 2, "default": 3, "high": 4, "max": 5, "urgent": 5}


class Unspeakable(Exception):
    """Apprise has no URL for this sink; says why."""


@dataclass(frozen=True)
class Request:
    """One HTTP request; `body` is a jq filter that makes its JSON of a message."""

    url: str
    body: str
    headers: tuple[str, ...] = ()
    login: str = ""
    insecure: bool = False
    method: str = "POST"


class Service(Protocol):
    """One kind of sink, as its URL describes it."""

    form: ClassVar[str]  # what a URL looks like

    @classmethod
    def parse(cls, text: str) -> Service:
        """Raises LabError for a URL that is not of this form."""

    def requests(self) -> list[Request]:
        """All that is sent for one message."""

    def apprise(self) -> str:
        """The URL for Apprise. Raises Unspeakable where Apprise has no words for it."""


@dataclass(frozen=True)
class Server:
    """Where a service of one's own is reached."""

    place: str
    tls: bool
    login: str  # user:password
    quoted_login: str
    token: str
    insecure: bool

    @classmethod
    def taken(cls, url: SinkUrl, insecure: str, port: int | None = None) -> Server:
        """Take what concerns the server out of the URL. A token outranks a login, as in Shoutrrr."""
        token, plain, insecure_too = url.take("token"), url.flag("disabletls"), url.flag(insecure)
        token = token or (url.password if not url.user else "")  # the older form: ://:TOKEN@HOST
        place = url.place if url.port or port is None else f"{url.place}:{port}"
        login, quoted = ("", "") if token else (url.login, url.quoted_login)
        return cls(place, not plain, login, quoted, token, insecure_too)

    def url(self, path: str) -> str:
        """An address on it."""
        return f"{'https' if self.tls else 'http'}://{self.place}{path}"

    def headers(self) -> tuple[str, ...]:
        """How a token is shown."""
        return (f"Authorization: Bearer {self.token}",) if self.token else ()

    def verify(self) -> dict[str, str]:
        """Apprise's option for a certificate that is not checked."""
        return {"verify": "no"} if self.insecure else {}


def options(given: dict[str, str]) -> str:
    """The options of a URL, with their question mark."""
    return f"?{urlencode(given, quote_via=quote)}" if given else ""


def constant(value: object) -> str:
    """A value as jq takes it: JSON is jq."""
    return json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True)
class Signal:
    """signal-cli-rest-api. It refuses phones, groups and user names in one request, so each kind has its own."""

    form: ClassVar[str] = "signal://[USER:PASSWORD@]HOST[:PORT]/+FROM/+TO[/+TO…][?disabletls=yes&token=…]"
    server: Server
    number: str
    recipients: tuple[tuple[str, ...], ...]

    @classmethod
    def parse(cls, text: str) -> Signal:
        """See Service."""
        url = SinkUrl.parse(text, cls.form)
        server = Server.taken(url, "skiptlsverify", 8080)
        url.done()
        if len(url.path) < 2:
            raise url.wrong("it names no sender or no recipient")
        number, *given = url.path
        if not re.fullmatch(_PHONE, number):
            raise url.wrong("the sender is no phone number with its country code, such as +4915112345678")
        return cls(server, number, cls._kinds(url, given))

    @staticmethod
    def _kinds(url: SinkUrl, given: list[str]) -> tuple[tuple[str, ...], ...]:
        """Phones, user names, and each group. A group's id is base64 and may hold a slash."""
        found: list[str] = []
        for part in given:
            if found and found[-1].startswith("group.") and not part.startswith(("+", "group.", "u:")):
                found[-1] += f"/{part}"
            else:
                found.append(part)
        phones = tuple(part for part in found if re.fullmatch(_PHONE, part))
        names = tuple(part for part in found if re.fullmatch(r"u:[^\s/]+\.\d{2,}", part))
        groups = [part for part in found if re.fullmatch(r"group\.[A-Za-z0-9_+/=-]+", part)]
        if len(phones) + len(names) + len(groups) != len(found):
            raise url.wrong("a recipient is neither +PHONE with its country code, nor group.ID, nor u:NAME.NUMBER")
        return tuple(kind for kind in (phones, names, *((group,) for group in groups)) if kind)

    def requests(self) -> list[Request]:
        """See Service."""
        return [
            Request(
                self.server.url("/v2/send"),
                f"{{message: {WHOLE}, number: {constant(self.number)}, recipients: {constant(kind)}}}",
                self.server.headers(),
                self.server.login,
                self.server.insecure,
            )
            for kind in self.recipients
        ]

    def apprise(self) -> str:
        """See Service. Apprise's signal:// is plain HTTP, signals:// is TLS; a group begins with @."""
        everyone = [to for kind in self.recipients for to in kind]
        if self.server.token:
            raise Unspeakable("its Signal knows no token")
        if any(to.startswith("u:") for to in everyone):
            raise Unspeakable("its Signal knows no user names")
        if any(re.search(r"[/+]", to[1:]) for to in everyone):
            raise Unspeakable("its Signal takes no group whose id has a slash or a plus")
        targets = "/".join(f"@{to[6:]}" if to.startswith("group.") else to for to in everyone)
        scheme = "signals" if self.server.tls else "signal"
        return f"{scheme}://{self.server.quoted_login}{self.server.place}/{self.number}/{targets}{options(self.server.verify())}"


@dataclass(frozen=True)
class Ntfy:
    """ntfy, published as JSON: the topic travels in the body."""

    form: ClassVar[str] = "ntfy://[USER:PASSWORD@]HOST[:PORT]/TOPIC[?disabletls=yes&token=…&priority=high&tags=…]"
    server: Server
    topic: str
    priority: int | None
    tags: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Ntfy:
        """See Service."""
        url = SinkUrl.parse(text, cls.form)
        scheme, priority = url.take("scheme"), url.take("priority")
        tags = tuple(tag for tag in url.take("tags").split(",") if tag)
        if scheme == "http":
            url.options["disabletls"] = "yes"
        elif scheme not in ("", "https"):
            raise url.wrong("the option scheme is neither http nor https")
        server = Server.taken(url, "disabletlsverification")
        url.done()
        level = int(priority) if re.fullmatch("[1-5]", priority) else _PRIORITIES.get(priority.lower())
        if priority and level is None:
            raise url.wrong("the option priority is none of 1 to 5, min, low, default, high, max")
        if len(url.path) != 1 or not re.fullmatch(r"[-\w]{1,64}", url.path[0]):
            raise url.wrong("it does not name one topic of letters, digits, - and _")
        return cls(server, url.path[0], level, tags)

    def requests(self) -> list[Request]:
        """See Service. 4096 bytes are the most before ntfy makes an attachment of it."""
        more = f", priority: {self.priority}" if self.priority else ""
        more += f", tags: {constant(list(self.tags))}" if self.tags else ""
        body = f"{{topic: {constant(self.topic)}, title, message: .text[0:1300]{more}}}"
        return [Request(self.server.url("/"), body, self.server.headers(), self.server.login, self.server.insecure)]

    def apprise(self) -> str:
        """See Service. Without its mode Apprise takes some hosts for topics."""
        server, given = self.server, {"mode": "private", **self.server.verify()}
        login = f"{quote(server.token, safe='')}@" if server.token else server.quoted_login
        if server.token:
            given["auth"] = "token"
        if self.priority:
            given["priority"] = str(self.priority)
        if self.tags:
            given["tags"] = ",".join(self.tags)
        return f"{'ntfys' if server.tls else 'ntfy'}://{login}{server.place}/{self.topic}{options(given)}"


@dataclass(frozen=True)
class Gotify:
    """Gotify; the token is the last part of the path, and is sent as a header."""

    form: ClassVar[str] = "gotify://HOST[:PORT][/PATH]/TOKEN[?disabletls=yes&priority=5]"
    server: Server
    path: str
    token: str
    priority: int | None

    @classmethod
    def parse(cls, text: str) -> Gotify:
        """See Service. The newer form has /message and ?token= instead."""
        url = SinkUrl.parse(text, cls.form)
        if url.login:
            raise url.wrong("Gotify takes no user")
        given, priority = url.take("token"), url.take("priority")
        url.take("useheader")  # it always is one here
        server = Server.taken(url, "insecureskipverify")
        url.done()
        path = url.path[:-1] if given and url.path[-1:] == ["message"] else url.path
        *path, token = [*path, given] if given else path or [""]
        if not re.fullmatch(r"[\w.-]+", token):
            raise url.wrong("it has no token")
        if priority and not re.fullmatch(r"-?\d{1,2}", priority):
            raise url.wrong("the option priority is no number")
        return cls(server, "".join(f"/{part}" for part in path), token, int(priority) if priority else None)

    def requests(self) -> list[Request]:
        """See Service. A message must not be empty."""
        more = f", priority: {self.priority}" if self.priority is not None else ""
        body = f'{{title, message: (if .text == "" then .title else .text end){more}}}'
        headers = (f"X-Gotify-Key: {self.token}",)
        return [Request(self.server.url(f"{self.path}/message"), body, headers, insecure=self.server.insecure)]

    def apprise(self) -> str:
        """See Service."""
        given = {"priority": str(self.priority)} if self.priority is not None else {}
        scheme = "gotifys" if self.server.tls else "gotify"
        return f"{scheme}://{self.server.place}{self.path}/{self.token}{options({**given, **self.server.verify()})}"
