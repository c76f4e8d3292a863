"""One call to a registry: TLS, login, deadline, rate limits, and failures in words. Decides nothing about images.

A registry that was out of reach or had enough of us is not asked again in this run. Passwords go to the registry they are
declared for and to the token service that it names, over TLS only.
"""

from __future__ import annotations

import json
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from zerotoil.clients.registry.auth import Challenge, Header, basic
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.image import DOCKER_HUB
from zerotoil.model.registry import RegistryLogin

_CONNECT_SECONDS, _SILENT_SECONDS, _CALL_SECONDS = 10, 20, 60
_LONGEST_WAIT = 30  # seconds that a registry may ask us to wait; a person is waiting too
_HUB_API = "registry-1.docker.io"
_LOOPBACK = re.compile(r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?")
_LARGEST = 16 << 20  # bytes of an answer; manifests and configs have a few thousand


@dataclass(frozen=True)
class Answer:
    """What a registry said: headers in small letters, the body (empty for HEAD), and where the answer came from at last."""

    headers: Mapping[str, str]
    body: bytes
    next_page: str = ""
    url: str = ""


class Wire:
    """Calls to registries. `plain_loopback`: a registry on this machine's own loopback is spoken to without TLS."""

    def __init__(self, logins: Mapping[str, RegistryLogin], ca: Path | None = None, *, plain_loopback: bool = False) -> None:
        self._logins = logins
        self._plain_loopback = plain_loopback
        self._session = _session(ca)
        self._headers: dict[tuple[str, str], Header] = {}  # (registry, scope) -> what it wants to see
        self._behind: dict[str, str] = {}  # registry -> where it sends everybody
        self._given_up: dict[str, LabError] = {}
        self._pulls_left: dict[str, int] = {}

    def call(self, method: str, registry: str, path: str, repository: str, *, accept: str = "", pull: bool = False) -> Answer:
        """Ask `registry` for `path` ("/v2/…"). `pull`: it counts against the registry's limit. Raises LabError."""
        if registry in self._given_up:
            raise self._given_up[registry]
        if pull and self._pulls_left.get(registry) == 0:
            raise self._enough(registry, "no pulls are left to us for now")
        scope = f"repository:{repository}:pull"
        deadline = time.monotonic() + _CALL_SECONDS
        url = f"{self._base(registry)}{path}"
        challenged = waited = False
        while True:
            answer, status = self._once(method, registry, url, self._header(registry, scope), accept, deadline)
            if status == 401 and not challenged:
                challenged = True
                url = self._moved(registry, path, url, answer.url)
                if self._authorise(registry, scope, answer.headers.get("www-authenticate", ""), deadline):
                    continue
            if status == 429 and not waited:
                waited = True
                time.sleep(self._wait(registry, answer.headers.get("retry-after", "")))
                deadline = time.monotonic() + _CALL_SECONDS
                continue
            self._note_limit(registry, answer.headers.get("ratelimit-remaining", ""))
            if status == 200:
                return answer
            raise self._refused(registry, repository, path, status)

    def _moved(self, registry: str, path: str, asked: str, answered: str) -> str:
        """Where to ask again. A front (lscr.io) sends each call on to the registry behind it, and logins do not go along."""
        before, after = urlsplit(asked), urlsplit(answered)
        elsewhere = (before.scheme, before.netloc) != (after.scheme, after.netloc)
        if not elsewhere or not answered.endswith(path) or not self._is_private(answered):
            return asked
        self._behind[registry] = answered.removesuffix(path)
        return answered

    def _base(self, registry: str) -> str:
        if registry in self._behind:
            return self._behind[registry]
        host = _HUB_API if registry == DOCKER_HUB else registry
        return f"{'http' if self._plain_loopback and _LOOPBACK.fullmatch(host) else 'https'}://{host}"

    def _header(self, registry: str, scope: str) -> Header:
        return self._headers.get((registry, scope)) or self._headers.get((registry, "")) or Header()

    def _once(self, method: str, registry: str, url: str, header: Header, accept: str, deadline: float) -> tuple[Answer, int]:
        """One request, whatever it is answered. Raises LabError where there is no answer."""
        try:
            with self._session.request(
                method, url, auth=header, headers={"Accept": accept or "*/*"}, stream=True,
                timeout=(_CONNECT_SECONDS, _SILENT_SECONDS), allow_redirects=True,
            ) as response:  # fmt: skip
                body = _body(registry, response, deadline)
                headers = {name.lower(): value for name, value in response.headers.items()}
                next_page = response.links.get("next", {}).get("url", "")
                return Answer(headers, body, next_page, response.url), response.status_code
        except requests.exceptions.SSLError as error:
            raise self._give_up(registry, LabError(
                f"{registry}: its certificate is not trusted ({_innermost(error)})",
                "set registry_ca to the CA that signed it", code=Code.REGISTRY_UNTRUSTED,
            )) from error  # fmt: skip
        except requests.RequestException as error:
            raise self._give_up(registry, LabError(
                f"{registry} cannot be reached ({_innermost(error)})",
                "see whether it is up and its name is right", code=Code.REGISTRY_UNREACHABLE,
            )) from error  # fmt: skip

    def _authorise(self, registry: str, scope: str, header: str, deadline: float) -> bool:
        """Get what the registry wants to see; False where nothing that we have would help."""
        challenge, login = Challenge.parse(header), self._logins.get(registry)
        if challenge.scheme == "basic" and login and registry not in self._behind:
            self._headers[(registry, "")] = basic(login)
            return True
        if challenge.scheme != "bearer":
            return False
        if not self._is_private(challenge.realm):
            raise LabError(
                f"{registry}: its token service {challenge.realm or '(none)'} is not encrypted, so nothing was sent there",
                "mend the registry's configuration", code=Code.REGISTRY_ANSWER,
            )  # fmt: skip
        self._headers[(registry, scope)] = Header(f"Bearer {self._token(registry, scope, challenge, login, deadline)}")
        return True

    def _is_private(self, url: str) -> bool:
        """Whether what is sent there cannot be read on the way."""
        to = urlsplit(url)
        return to.scheme == "https" or bool(self._plain_loopback and to.scheme == "http" and _LOOPBACK.fullmatch(to.netloc))

    def _token(self, registry: str, scope: str, challenge: Challenge, login: RegistryLogin | None, deadline: float) -> str:
        asked = {"service": challenge.service, "scope": challenge.scope or scope}
        asked = {name: value for name, value in asked.items() if value}
        url = requests.Request("GET", challenge.realm, params=asked).prepare().url or ""
        answer, status = self._once("GET", registry, url, basic(login) if login else Header(), "", deadline)
        if status in (401, 403):
            raise self._login_refused(registry)
        if status == 429:
            raise self._enough(registry, "its token service has had enough of us")
        try:
            said = json.loads(answer.body)
            token = said.get("token") or said.get("access_token")
        except (ValueError, AttributeError):
            token = None
        if status != 200 or not isinstance(token, str):
            what = f"{registry}: its token service answered {status} and no token"
            raise LabError(what, "run again later", code=Code.REGISTRY_ANSWER)
        return token

    def _refused(self, registry: str, repository: str, path: str, status: int) -> LabError:
        if status in (401, 403):
            if registry in self._logins:
                return self._login_refused(registry, f" for {repository}")
            return LabError(
                f"{registry} gives {repository} to nobody without a login, or does not have it",
                f'check the name, or declare registry_logins {{"{registry}": …}}', code=Code.REGISTRY_LOGIN,
            )  # fmt: skip
        if status == 404:
            what = path.rpartition("/")[2] if "/manifests/" in path else ""
            return LabError(
                f"{registry} has no {repository}{':' if what and 'sha256:' not in what else ' ' if what else ''}{what}",
                "check the image's name and tag", code=Code.REGISTRY_NO_IMAGE,
            )  # fmt: skip
        if status == 429:
            return self._enough(registry, "it has had enough of us, also after the pause it asked for")
        return LabError(f"{registry} answered {status} for {repository}", "run again later", code=Code.REGISTRY_ANSWER)

    def _login_refused(self, registry: str, what: str = "") -> LabError:
        return LabError(
            f"{registry} does not take the login{what}", f"check registry_logins for {registry}", code=Code.REGISTRY_LOGIN
        )

    def _note_limit(self, registry: str, header: str) -> None:
        """Docker Hub says how many pulls are left: "97;w=21600"."""
        found = re.match(r"\d+", header)
        if found:
            self._pulls_left[registry] = int(found[0])

    def _wait(self, registry: str, header: str) -> float:
        """Seconds that the registry asks us to wait. Raises LabError where that is too long."""
        seconds = _seconds(header)
        if seconds > _LONGEST_WAIT:
            raise self._enough(registry, f"it asks us to wait {seconds:.0f} seconds")
        return seconds

    def _enough(self, registry: str, why: str) -> LabError:
        more = "" if registry in self._logins else f', or declare registry_logins {{"{registry}": …}} for a higher limit'
        return self._give_up(
            registry, LabError(f"{registry}: rate limit ({why})", f"run again later{more}", code=Code.REGISTRY_RATE_LIMIT)
        )

    def _give_up(self, registry: str, error: LabError) -> LabError:
        self._given_up[registry] = error
        return error


def _session(ca: Path | None) -> requests.Session:
    """A session that tries a lost connection once more. Waiting as a registry asks is ours: urllib3 would do it without limit."""
    retry = Retry(
        total=1, backoff_factor=0.2, status_forcelist=(502, 503, 504), allowed_methods=("GET", "HEAD"),
        raise_on_status=False, respect_retry_after_header=False,
    )  # fmt: skip
    made = requests.Session()
    made.headers.update({"User-Agent": "zerotoil", "Accept-Encoding": "identity"})  # digests are of what is not packed
    made.max_redirects = 5
    made.mount("http://", HTTPAdapter(max_retries=retry))
    made.mount("https://", _Trusting(ca, max_retries=retry))
    return made


class _Trusting(HTTPAdapter):
    """Trusts what this machine trusts, and the owner's CA."""

    def __init__(self, ca: Path | None, **options: Any) -> None:
        self._context = ssl.create_default_context()
        if ca:
            try:
                self._context.load_verify_locations(cafile=str(ca.expanduser()))
            except OSError as error:  # ssl.SSLError is one too
                raise LabError(
                    f"registry_ca {ca} cannot be read ({error.strerror or error})", "write the path of a PEM file",
                    code=Code.FILE_UNREADABLE,
                ) from error  # fmt: skip
        super().__init__(**options)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> Any:
        return super().init_poolmanager(*arguments, ssl_context=self._context, **options)


def _body(registry: str, response: requests.Response, deadline: float) -> bytes:
    """The whole body, within the deadline and not without end."""
    blocks, size = [], 0
    for block in response.iter_content(1 << 16):
        blocks.append(block)
        size += len(block)
        if size > _LARGEST or time.monotonic() > deadline:
            raise LabError(
                f"{registry} sends more than fits, or too slowly ({size} bytes so far)",
                "run again later",
                code=Code.REGISTRY_ANSWER,
            )
    return b"".join(blocks)


def _seconds(header: str) -> float:
    """Seconds of a Retry-After header: a number, a date, or something else that is taken for a moment (ghcr.io: "431µs")."""
    if re.fullmatch(r"\d{1,9}", header.strip()):
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except ValueError:
        return 1.0


def _innermost(error: BaseException) -> str:
    """The innermost cause, without the wrapping of requests and urllib3."""
    while True:
        inner = getattr(error, "reason", None) or next((part for part in error.args if isinstance(part, BaseException)), None)
        if not isinstance(inner, BaseException):
            return str(error).partition("(_ssl.c")[0].strip() or type(error).__name__
        error = inner
