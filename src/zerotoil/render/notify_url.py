"""The URL of a sink, taken apart. Pure.

A sink's URL is a secret, so no message of this module shows any of it but its scheme and the names of its options.
Source of the forms: nicholas-fedor/shoutrrr docs/services.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from zerotoil.error_codes import Code
from zerotoil.errors import LabError

_YES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def malformed(what: str, form: str) -> LabError:
    """A URL that cannot be read; `form` is what it should look like."""
    return LabError(what, f"write it like {form}", code=Code.SINK_MALFORMED)


@dataclass
class SinkUrl:
    """scheme://[user[:password]@]host[:port]/path?options. `form` is shown when something is wrong.

    Options are taken out one by one; `done` refuses those that nobody took.
    """

    scheme: str
    user: str
    password: str
    host: str
    port: int | None
    path: list[str]
    raw_path: str
    form: str
    options: dict[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str, form: str) -> SinkUrl:
        """Raises LabError for what is no URL. The host keeps its letters: for some services it is part of a token."""
        scheme = text.partition("://")[0]
        if re.search(r"\s|%([01][0-9A-Fa-f]|7[Ff])", text):
            raise malformed(f"the {scheme}:// URL has a blank or a line break in it", form)
        try:
            parts = urlsplit(text)
        except ValueError:
            raise malformed(f"the {scheme}:// URL cannot be read", form) from None
        login, _, place = parts.netloc.rpartition("@")
        match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]*)(?::(\d{1,5}))?", place)
        if not match or (match[2] and not 1 <= int(match[2]) <= 65535):
            raise malformed(f"the {scheme}:// URL has a wrong host or port", form)
        if parts.fragment:
            raise malformed(f"the {scheme}:// URL has a '#' in it, which must be written %23", form)
        user, _, password = login.partition(":")
        path = [unquote(part) for part in parts.path.split("/") if part]
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        port = int(match[2]) if match[2] else None
        return cls(scheme, unquote(user), unquote(password), match[1], port, path, parts.path, form, options)

    def take(self, name: str, default: str = "") -> str:
        """The value of an option, which counts as understood then. As in Shoutrrr its name has no case."""
        given = next((given for given in self.options if given.lower() == name.lower()), name)
        return self.options.pop(given, default)

    def flag(self, name: str, default: bool = False) -> bool:
        """A yes or no option. Raises LabError for anything else."""
        given = self.take(name)
        if given.lower() not in _YES and given:
            raise self.wrong(f"the option {name} is neither yes nor no")
        return _YES[given.lower()] if given else default

    def done(self) -> None:
        """Raise LabError for an option that nobody took: it would silently do nothing."""
        if self.options:
            name = min(self.options)
            shown = name if self.options[name] else "without a value"  # which may be a token that lost its name
            raise self.wrong(f"the option {shown} is not understood")

    def wrong(self, what: str) -> LabError:
        """The error of this URL."""
        return malformed(f"the {self.scheme}:// URL: {what}", self.form)

    @property
    def place(self) -> str:
        """host[:port]. Raises LabError where there is none."""
        if not self.host:
            raise self.wrong("it has no host")
        return f"{self.host}:{self.port}" if self.port else self.host

    @property
    def login(self) -> str:
        """user:password, or nothing."""
        return f"{self.user}:{self.password}" if self.user or self.password else ""

    @property
    def quoted_login(self) -> str:
        """The login as it stands in a URL, with its @."""
        return f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@" if self.login else ""
