"""Sending a message from this machine, by Apprise. One sink a call; the URL carries its deadlines (cto, rto)."""

from __future__ import annotations

import logging
import re
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.secret import MASK

_SHORTEST = 4  # characters of a part that may be a secret: shorter ones would mask half of every sentence


def send(url: str, title: str, text: str) -> None:
    """Send a message. Raises LabError with Apprise's own words, without the URL's secrets."""
    import apprise  # takes longer to load than most commands to run

    plugin = apprise.Apprise.instantiate(url)
    if plugin is None:
        raise LabError("Apprise does not take the URL", "see docs/guides/notify.md", code=Code.SINK_MALFORMED)
    messages, capture = apprise.Apprise(), cast(Any, apprise.LogCapture)
    messages.add(plugin)
    with capture(level=logging.WARNING, fmt="%(message)s") as log:
        done = bool(messages.notify(body=text, title=title))
        said = " ".join(log.getvalue().split())
    if not done:
        raise LabError(
            f"Apprise: {_masked(said, url).rstrip('.') or 'it could not send'}",
            "does the service run, is it reached from here, and are its numbers and tokens right?",
            code=Code.SINK_REFUSED,
        )


def _masked(said: str, url: str) -> str:
    """What Apprise said without anything that the URL holds but its host."""
    parts = urlsplit(url)
    login, _, _ = parts.netloc.rpartition("@")
    written = {part for part in re.split("[:/?&=]", f"{login}/{parts.path}/{parts.query}") if len(part) >= _SHORTEST}
    secrets = written | {unquote(part) for part in written}
    for secret in sorted(secrets, key=len, reverse=True):
        said = said.replace(secret, MASK)
    return said
