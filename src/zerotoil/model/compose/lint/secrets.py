"""Secrets written where everybody reads them: compose.yaml, `.env`, environments, arguments. Pure.

A secret reaches a container as a mounted file. What is found is never repeated in the message.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from zerotoil.error_codes import Code
from zerotoil.model.compose.app import ENV, App, path
from zerotoil.model.compose.findings import Finding
from zerotoil.model.compose.lint.reason import unless
from zerotoil.model.compose.service import entry, pairs
from zerotoil.model.compose.source import Place
from zerotoil.model.compose.variables import read_env
from zerotoil.model.wording import inside

RULE = "secret"
_NAME = re.compile(
    r"(?:^|_)(?:PASSWORD|PASSWD|PASSPHRASE|PASS|PWD|TOKEN|SECRET|SECRET_KEY_BASE|API_?KEY|CREDENTIALS?"
    r"|(?:SECRET|ACCESS|PRIVATE|ENCRYPTION|SIGNING|AUTH|MASTER)_?KEY)\d*$"
)
_NOT_ONE = ("PWD", "OLDPWD")
_HARMLESS = re.compile(r"(?:true|false|yes|no|on|off|none|null|0|1)?|/.*|file:.*", re.IGNORECASE)
_KNOWN = {
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "an AWS access key": r"\bAKIA[0-9A-Z]{16}\b",
    "a GitHub token": r"\bgh[opsur]_[A-Za-z0-9]{36}|\bgithub_pat_\w{22,}",
    "a GitLab token": r"\bglpat-[\w-]{20,}",
    "a Docker Hub token": r"\bdckr_pat_[\w-]{20,}",
    "a Slack token": r"\bxox[abeoprs]-[\w-]{10,}",
    "a Stripe key": r"\b[rs]k_live_\w{16,}",
    "a Tailscale key": r"\btskey-(?:auth|client|api)-[\w-]{10,}",
    "a Telegram bot's token": r"\b\d{8,10}:[\w-]{35}\b",
    "a Google API key": r"\bAIza[\w-]{35}",
    "an API key": r"\bsk-[A-Za-z0-9_-]{20,}",
    "a signed token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+",
    "a password in a URL": r"\b[a-z][a-z0-9+.-]*://[^\s/:@]*:[^\s/@]+@",
    "a password as an argument": r"--[\w-]*(?:password|passwd|token|secret|api-?key)[= ](?![-/$])\S+|--requirepass (?![-/$])\S+",
}
_PATTERNS = {kind: re.compile(pattern) for kind, pattern in _KNOWN.items()}
_VARIABLE = re.compile(r"\$\{?(\w+)")


def secrets(app: App) -> Iterator[Finding]:
    """Findings about secrets in plain sight."""
    in_files = list(_in_files(app))
    yield from (finding for finding, _ in in_files)
    told = {name for _, name in in_files}  # a variable that is told of once is not told of where it is used
    for name, service in app.services.items():
        yield from _in_environment(app, name, service.environment, told)
    for place, text in _texts(app.document, ()):
        if _environment_of(place) is None and (kind := _known(text)):
            yield _finding(app, place, f"{inside(place)}: {kind}")
    for name, given in app.part("secrets").items():
        if isinstance(given, Mapping) and given.get("environment"):
            what = f"secrets.{name}: its value would come from {ENV} or the environment"
            yield _finding(app, ("secrets", name, "environment"), what)


def secret_name(name: str) -> bool:
    """Whether a variable of this name holds a secret: DB_PASSWORD does, DB_PASSWORD_FILE does not."""
    upper = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper().replace("-", "_")
    return upper not in _NOT_ONE and bool(_NAME.search(upper))


def _in_environment(app: App, service: str, environment: Mapping[str, str | None], told: set[str]) -> Iterator[Finding]:
    given = app.document["services"][service].get("environment")
    written = pairs((app.written["services"][service] or {}).get("environment"))
    for name, value in environment.items():
        place: Place = ("services", service, "environment", entry(given, name))
        if value is None or told & set(_VARIABLE.findall(written.get(name) or "")):
            continue
        where = f"services.{service}.environment.{name}"
        if secret_name(name) and not _HARMLESS.fullmatch(value):
            yield _finding(app, place, f"{where}: a secret, which docker inspect would show", f"{name}_FILE")
        elif kind := _known(value):
            yield _finding(app, place, f"{where}: {kind}, which docker inspect would show")


def _in_files(app: App) -> Iterator[tuple[Finding, str]]:
    """(finding, variable) of `.env` and of every env_file."""
    names = {ENV} | {posixpath.normpath(name) for service in app.services.values() for name in service.env_file}
    for name in sorted(names & set(app.files)):
        env = read_env(app.files[name])
        for variable, value in env.values.items():
            kind = "a secret" if secret_name(variable) and not _HARMLESS.fullmatch(value) else _known(value)
            if kind:
                what = f"{variable}: {kind}, which ends in a container's environment{_RIGHT}{unless(RULE)}"
                yield Finding(Code.COMPOSE_SECRET, what, env.lines[variable], path(app.name, name), RULE), variable


_RIGHT = "; mount a rendered file (NAME.template) instead"


def _finding(app: App, place: Place, what: str, by_file: str = "") -> Finding:
    also = f" and name it by {by_file}, where the image knows that" if by_file else ""
    return app.finding(Code.COMPOSE_SECRET, place, what + _RIGHT + also + unless(RULE), RULE)


def _known(text: str) -> str:
    return next((kind for kind, pattern in _PATTERNS.items() if pattern.search(text)), "")


def _environment_of(place: Place) -> str | None:
    return str(place[1]) if len(place) > 3 and place[0] == "services" and place[2] == "environment" else None


def _texts(value: Any, place: Place) -> Iterator[tuple[Place, str]]:
    """Every text of a document; a command's words are one text."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, (*place, key))
    elif isinstance(value, list):
        if place and place[-1] in ("command", "entrypoint", "test"):
            yield place, " ".join(map(str, value))
        else:
            for index, item in enumerate(value):
                yield from _texts(item, (*place, index))
