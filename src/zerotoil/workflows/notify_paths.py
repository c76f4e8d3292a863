"""A test message by every path that is declared: from this machine, from each host, from the NAS.

It proves what can be proven from here, and names what cannot: Watchtower sends only after an update. The pieces are those
that the real messages use: the host's own script, the NAS's own mail, Apprise where the controller sends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from zerotoil.clients import apprise
from zerotoil.clients.truenas import Nas
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.layers import Site
from zerotoil.render.notify import apprise_url
from zerotoil.resources.guest.notify import SCRIPT, host_sinks
from zerotoil.resources.nas.alerts import alert_resources, alert_service

_SUBJECT = "zerotoil notify test"
_TEXT = "A test: what is sent from here arrives."
_MAIL_SECONDS = 30
_SCRIPT = f"""set -u
[ -e {SCRIPT} ] || {{ echo absent; exit 0; }}
/bin/sh {SCRIPT} test '{_SUBJECT}' </dev/null 2>/dev/null || :
"""


class State(StrEnum):
    """What became of one path."""

    OK = "ok"
    FAILED = "failed"
    OPEN = "not tested"


@dataclass(frozen=True)
class Outcome:
    """One path: from where to what, and what became of it. `error` says what is wrong and what to do."""

    path: str
    state: State
    said: str = ""
    error: LabError | None = None

    def __str__(self) -> str:
        said = self.error.shown if self.error else self.said
        return f"{self.path}: {self.state}{f': {said}' if said else ''}"


def try_all(sites: Iterable[Site]) -> Iterator[Outcome]:
    """Every path of these hosts, one after the other; what hosts share is tried once. Never raises for what fails."""
    sites = list(sites)
    yield from _from_here(sites)
    for site in sites:
        if site.spec.notify.sinks:
            yield from _from_host(site)
        yield from _watchtower(site)
    several: dict[tuple[str, str], Site] = {}
    for site in sites:
        several.setdefault((site.spec.nas.url, site.spec.lab.name), site)
    for site in several.values():
        yield from _from_nas(site)


def _failed(path: str, error: LabError) -> Outcome:
    return Outcome(path, State.FAILED, error=error)


def _from_here(sites: list[Site]) -> Iterator[Outcome]:
    tried: set[str] = set()
    for site in sites:
        try:
            found = host_sinks(site.spec)
        except LabError as error:
            yield _failed("this machine -> notify_sinks", error)
            continue
        for name, url, _ in found:
            path = f"this machine -> {name}"
            if url in tried:
                continue
            tried.add(url)
            try:
                apprise.send(apprise_url(url), f"zerotoil: test: {_SUBJECT}", _TEXT)
            except LabError as error:
                skipped = error.code is Code.SINK_NOT_FROM_HERE
                yield Outcome(path, State.OPEN, str(error)) if skipped else _failed(path, error)
            else:
                yield Outcome(path, State.OK)


def _from_host(site: Site) -> Iterator[Outcome]:
    """The guest says a line per request: "ok ID", or "failed ID REASON"."""
    name = site.spec.name
    try:
        found = host_sinks(site.spec)
        guest = site.guest if site.shell else site.running_guest()
        lines = [line.split(" ", 2) for line in guest.write(_SCRIPT).splitlines()]
    except LabError as error:
        yield _failed(f"{name} -> notify_sinks", error)
        return
    answers = {line[1]: line[2] if line[2:] else "" for line in lines if line[0] in ("ok", "failed") and line[1:]}
    for sink, _, requests in found:
        missing = [request for request in requests if request.id not in answers]
        reasons = sorted({answers[request.id] for request in requests if answers.get(request.id)})
        path = f"{name} -> {sink}"
        if missing:
            what = "its script is not there" if lines == [["absent"]] else "it does not know this sink"
            yield _failed(path, LabError(f"{name}: {what}", "run the deploy", code=Code.NOTIFY_NOT_THERE))
        elif reasons:
            remedy = "does the service run, is it reached from the host, and are its numbers and tokens right?"
            yield _failed(path, LabError(f"{name}: {'; '.join(reasons)}", remedy, code=Code.SINK_NOT_FROM_GUEST))
        else:
            yield Outcome(path, State.OK)


def _watchtower(site: Site) -> Iterator[Outcome]:
    """Nothing makes Watchtower send but an update; whether its URL is one that was tried is worth knowing."""
    spec = site.spec
    secret = spec.watchtower.notify_url
    if not (spec.watchtower.enabled and spec.docker.enabled):
        return
    said = "it sends after an update only"
    if not secret:
        if spec.notify.sinks:
            yield Outcome(f"{spec.name}'s Watchtower -> notify_sinks", State.OPEN, f"{said}, to the sinks above")
        return
    path = f"{spec.name}'s Watchtower -> watchtower_notify_url"
    try:
        same = [name for name, url, _ in host_sinks(spec) if url == secret.reveal()]
    except LabError as error:
        yield _failed(path, error)
        return
    yield Outcome(path, State.OPEN, f"{said}; its URL is that of {same[0]}" if same else said)


def _from_nas(site: Site) -> Iterator[Outcome]:
    spec = site.spec.nas
    if not spec.mail_server and not spec.alert_mail:
        return
    to = spec.alert_mail or "its administrators"
    path = f"NAS -> {to}"
    try:
        nas = site.nas
        waits = [change for resource in alert_resources(spec, nas, site.spec.lab.name) for change in resource.plan()]
        if waits:
            raise LabError(f"the NAS is not as declared yet ({waits[0]})", "run the deploy", code=Code.NEEDS_ANOTHER_FIRST)
        _mail(nas, spec.alert_mail)
    except LabError as error:
        yield _failed(path, error)
        return
    yield Outcome(path, State.OK)
    service = alert_service(spec, nas, site.spec.lab.name)
    if service:
        path = f"NAS's {service.key}"
        try:
            if nas.write("alertservice.test", service.payload()) is not True:
                remedy = "try it there: System, Alert Settings, Send Test Alert"
                raise LabError(f"the NAS could not send by its {service.key}", remedy, code=Code.ALERT_NOT_SENT)
        except LabError as error:
            yield _failed(path, error)
        else:
            yield Outcome(path, State.OK, "a test alert is on its way; TrueNAS does not say whether it goes out")


def _mail(nas: Nas, to: str | None) -> None:
    message = {"subject": _SUBJECT, "text": _TEXT, "timeout": _MAIL_SECONDS, "queue": False}
    try:
        nas.job("mail.send", {**message, "to": [to]} if to else message)
    except LabError as error:
        remedy = "does the mail server run, is it reached from the NAS, and are the nas_mail_… keys right?"
        if error.code is Code.NAS_REFUSED:
            raise LabError(error.what, remedy, code=Code.MAIL_NOT_SENT) from error
        raise
