"""Sending a message from this machine, by Apprise. One sink a call; the URL carries its deadlines (cto, rto).

Apprise starts threads, which a process that is about to end cannot: a deploy's last words are sent by a process of their own.
"""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.secret import MASK

_SECONDS = 60  # for a process that sends; the URL's own deadlines come first, but for a name server that hangs
_ADVICE = "does the service run, is it reached from here, and are its numbers and tokens right?"
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
            _ADVICE,
            code=Code.SINK_REFUSED,
        )


def send_apart(url: str, title: str, text: str) -> None:
    """As `send`, by a process of its own with a deadline; what is sent travels on its stdin."""
    try:
        line = [sys.executable, "-m", "zerotoil.clients.apprise"]
        done = subprocess.run(line, input=json.dumps([url, title, text]), capture_output=True, text=True, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        raise LabError(f"Apprise: not done after {_SECONDS} s", _ADVICE, code=Code.SINK_REFUSED) from None
    if done.returncode:
        try:
            what, remedy, code = json.loads(done.stdout)
        except ValueError:
            what, remedy, code = "Apprise: its process failed", "try it: zerotoil notify test", Code.SINK_REFUSED
        raise LabError(what, remedy, code=Code(code))


def _main() -> None:
    try:
        send(*json.load(sys.stdin))
    except LabError as error:
        print(json.dumps([error.what, error.remedy, error.code]))
        raise SystemExit(1) from None


def _masked(said: str, url: str) -> str:
    """What Apprise said without anything that the URL holds but its host."""
    parts = urlsplit(url)
    login, _, _ = parts.netloc.rpartition("@")
    written = {part for part in re.split("[:/?&=]", f"{login}/{parts.path}/{parts.query}") if len(part) >= _SHORTEST}
    secrets = written | {unquote(part) for part in written}
    for secret in sorted(secrets, key=len, reverse=True):
        said = said.replace(secret, MASK)
    return said


if __name__ == "__main__":
    _main()
