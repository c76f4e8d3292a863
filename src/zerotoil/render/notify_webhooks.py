"""The services that take a webhook: any server by JSON, Slack, Discord, Telegram. And the list of all services. Pure.

Sources: nicholas-fedor/shoutrrr docs/services (URLs), api.slack.com/messaging/webhooks, discord.com/developers webhooks,
core.telegram.org/bots/api#sendmessage, apprise/plugins (Apprise's URLs).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import quote, urlencode

from zerotoil.render.notify_services import WHOLE, Gotify, Ntfy, Request, Server, Service, Signal, constant, options
from zerotoil.render.notify_url import SinkUrl


@dataclass(frozen=True)
class Json:
    """Any server that takes {title, message, event, subject, host, time} as JSON.

    generic:// is Shoutrrr's (TLS unless disabletls=yes), generic+https:// is a plain URL, json:// and jsons:// are Apprise's.
    """

    form: ClassVar[str] = "generic://HOST[:PORT]/PATH[?disabletls=yes&messagekey=body&@HEADER=VALUE&$FIELD=VALUE]"
    server: Server
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    fields: dict[str, str]
    title_key: str
    message_key: str
    method: str

    @classmethod
    def parse(cls, text: str) -> Json:
        """See Service."""
        url = SinkUrl.parse(text, cls.form)
        if url.scheme.startswith("generic+"):  # all options are the receiver's
            server = Server(url.place, url.scheme == "generic+https", url.login, url.quoted_login, "", False)
            return cls(server, url.raw_path, url.options, {}, {}, "title", "message", "POST")
        headers = {
            name[1:]: url.take(name) for name in list(url.options) if name[:1] in ("@", "+", " ")
        }  # a + is read as a blank
        fields = {name[1:]: url.take(name) for name in list(url.options) if name[:1] in ("$", ":")}
        title, message, method = url.take("titlekey", "title"), url.take("messagekey", "message"), url.take("method", "POST")
        if url.scheme == "json":
            url.options["disabletls"] = "yes"
        if url.take("template", "json").lower() != "json" or url.take("contenttype", "application/json") != "application/json":
            raise url.wrong("only JSON is sent")
        if method.upper() not in ("POST", "PUT"):
            raise url.wrong("the option method is neither POST nor PUT")
        insecure, tls = url.flag("skiptlsverify"), not url.flag("disabletls")
        server = Server(url.place, tls, url.login, url.quoted_login, "", insecure)
        query = {name.removeprefix("_"): value for name, value in url.options.items()}  # the receiver's
        return cls(server, url.raw_path, query, headers, fields, title, message, method.upper())

    def requests(self) -> list[Request]:
        """See Service."""
        fixed = "".join(f", {constant(name)}: {constant(value)}" for name, value in self.fields.items())
        names = f"{constant(self.title_key)}: .title, {constant(self.message_key)}: .text"
        body = f"{{{names}, event, subject, host, time{fixed}}}"
        headers = tuple(f"{name}: {value}" for name, value in self.headers.items())
        url = self.server.url(self.path) + options(self.query)
        return [Request(url, body, headers, self.server.login, self.server.insecure, self.method)]

    def apprise(self) -> str:
        """See Service. Headers begin with +, fields with :, what is for the server with -."""
        given = {f"+{name}": value for name, value in self.headers.items()}
        given |= {f":{name}": value for name, value in self.fields.items()}
        given |= {f"-{name}": value for name, value in self.query.items()}
        if self.title_key != "title":
            given[":title"] = self.title_key
        if self.message_key != "message":
            given[":message"] = self.message_key
        given |= {**self.server.verify(), **({"method": self.method} if self.method != "POST" else {})}
        login, scheme = self.server.quoted_login, "jsons" if self.server.tls else "json"
        return f"{scheme}://{login}{self.server.place}{self.path}{'?' + urlencode(given, quote_via=quote) if given else ''}"


@dataclass(frozen=True)
class Slack:
    """A webhook of Slack. A bot's token is not taken: Slack answers its failures with 200."""

    form: ClassVar[str] = "slack://hook:A-B-C@webhook (of https://hooks.slack.com/services/A/B/C)"
    token: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Slack:
        """See Service. The older form is slack://[BOTNAME@]A/B/C."""
        url = SinkUrl.parse(text, cls.form)
        for name in ("color", "title", "icon", "botname", "thread_ts"):
            url.take(name)  # how it looks there: nothing is lost without
        url.done()
        if url.user.startswith("xox"):
            raise url.wrong("only a webhook is taken, no bot's token")
        token = tuple(url.password.split("-")) if url.user == "hook" else (url.host, *url.path)
        if len(token) != 3 or not all(re.fullmatch(r"[A-Za-z0-9]+", part) for part in token):
            raise url.wrong("it has no token of three parts")
        return cls(token)

    def requests(self) -> list[Request]:
        """See Service. Slack reads <, > and & as markup."""
        escaped = 'gsub("&"; "&amp;") | gsub("<"; "&lt;") | gsub(">"; "&gt;")'
        return [Request(f"https://hooks.slack.com/services/{'/'.join(self.token)}", f"{{text: ({WHOLE} | {escaped})}}")]

    def apprise(self) -> str:
        """See Service."""
        return f"slack://{'/'.join(self.token)}"


@dataclass(frozen=True)
class Discord:
    """A webhook of Discord; 2000 characters are the most it takes, and nobody is pinged by what a log says."""

    form: ClassVar[str] = "discord://TOKEN@WEBHOOK_ID[?thread_id=…]"
    webhook: str
    token: str
    thread: str

    @classmethod
    def parse(cls, text: str) -> Discord:
        """See Service."""
        url = SinkUrl.parse(text, cls.form)
        thread = url.take("thread_id")
        for name in ("username", "avatar", "splitlines", "color", "title"):
            url.take(name)  # how it looks there: nothing is lost without
        url.done()
        if not re.fullmatch(r"\d+", url.host) or not re.fullmatch(r"[\w-]+", url.user) or url.password:
            raise url.wrong("it does not have a token before the @ and the webhook's number behind it")
        if not re.fullmatch(r"\d*", thread):
            raise url.wrong("the option thread_id is no number")
        return cls(url.host, url.user, thread)

    def requests(self) -> list[Request]:
        """See Service."""
        url = f"https://discord.com/api/webhooks/{self.webhook}/{self.token}"
        more = {"thread_id": self.thread} if self.thread else {}
        return [Request(url + options(more), f"{{content: {WHOLE}[0:2000], allowed_mentions: {{parse: []}}}}")]

    def apprise(self) -> str:
        """See Service."""
        return f"discord://{self.webhook}/{self.token}{options({'thread': self.thread} if self.thread else {})}"


@dataclass(frozen=True)
class Telegram:
    """A bot of Telegram, one request per chat; 4096 characters are the most it takes."""

    form: ClassVar[str] = "telegram://TOKEN@telegram?chats=@CHANNEL[,CHAT_ID…]"
    token: str
    chats: tuple[str, ...]
    silent: bool

    @classmethod
    def parse(cls, text: str) -> Telegram:
        """See Service. A chat may end in :THREAD."""
        url = SinkUrl.parse(text, cls.form)
        chats = tuple(chat for chat in (url.take("chats") or url.take("channels")).split(",") if chat)
        silent = not url.flag("notification", True)
        url.flag("preview")
        url.take("title")
        url.done()
        token = f"{url.user}:{url.password}"
        if not re.fullmatch(r"\d+:[\w-]+", token) or url.host != "telegram":
            raise url.wrong("it does not have a token before the @ and telegram behind it")
        if not chats or not all(re.fullmatch(r"(@\w+|-?\d+)(:\d+)?", chat) for chat in chats):
            raise url.wrong("the option chats names no chat, or one that is neither @CHANNEL nor a number")
        return cls(token, chats, silent)

    def requests(self) -> list[Request]:
        """See Service."""
        found = []
        for chat in self.chats:
            name, _, thread = chat.partition(":")
            more = (f", message_thread_id: {thread}" if thread else "") + (", disable_notification: true" if self.silent else "")
            body = f"{{chat_id: {constant(name)}, text: {WHOLE}[0:4096]{more}}}"
            found.append(Request(f"https://api.telegram.org/bot{self.token}/sendMessage", body))
        return found

    def apprise(self) -> str:
        """See Service."""
        return f"tgram://{self.token}/{'/'.join(self.chats)}{options({'silent': 'yes'} if self.silent else {})}"


SERVICES: dict[str, type[Service]] = {
    "signal": Signal, "ntfy": Ntfy, "gotify": Gotify, "generic": Json, "generic+https": Json, "generic+http": Json,
    "json": Json, "jsons": Json, "slack": Slack, "discord": Discord, "telegram": Telegram,
}  # fmt: skip
