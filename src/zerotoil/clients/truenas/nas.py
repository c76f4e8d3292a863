"""A logged-in NAS: calls with deadlines, bulk queries shared by a whole run, jobs followed to their end."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from zerotoil.clients.truenas import wire
from zerotoil.clients.truenas.errors import TOO_BUSY, NasError
from zerotoil.clients.truenas.versions import LEGACY, Capabilities, looks_like_versions, newest_common
from zerotoil.error_codes import Code
from zerotoil.model.secret import Secret

_JOB_SECONDS = 180
_BUSY_PAUSES = (0.2, 0.5, 1.0)  # seconds before a read that met a busy NAS is tried again
_IDLE_SECONDS = 10  # TrueNAS closes sockets that were idle for about a minute; a VM's boot takes longer
Entry = dict[str, Any]


class Nas:
    """One connection to a TrueNAS, one call at a time. Writes are never repeated blindly; reads survive a lost socket."""

    def __init__(self, url: str, user: str, key: Secret, tls: wire.Tls, version: str, timeout: int) -> None:
        self.url, self.capabilities, self.writes = url, Capabilities(version), 0
        self.lock = threading.RLock()
        self._user, self._key, self._tls, self._timeout = user, key, tls, timeout
        self._cache: dict[tuple[str, str], Any] = {}
        self._used = time.monotonic()
        self._framing = self._open()

    @classmethod
    def connect(
        cls, url: str, user: str, key: Secret, *, ca: Path | None = None, fingerprint: str | None = None, timeout: int = 30
    ) -> Nas:
        """Log in, speaking the newest version both sides know. Raises NasError before a key is sent in plain text."""
        if not url.startswith("wss://"):
            raise NasError(
                f"{url} is plain text: TrueNAS revokes a key sent that way", "set nas_url to wss://…", code=Code.NAS_PLAIN_TEXT
            )
        tls = wire.Tls(str(urlsplit(url).hostname), ca, fingerprint)
        return cls(url, user, key, tls, _version(url, *wire.get_json(url, "/api/versions", tls, timeout)), timeout)

    def _open(self) -> wire.Framing:
        try:
            return self._legacy() if self.capabilities.version == LEGACY else self._json_rpc()
        except ConnectionError as error:
            raise NasError(f"the NAS {self.url} closed the connection at login", "run again", code=Code.NAS_DROPPED) from error

    def _legacy(self) -> wire.Framing:
        framing = wire.Legacy(self.url, "/websocket", self._tls, self._timeout)
        if framing.call("auth.login_with_api_key", [self._key.reveal()]) is not True:
            framing.close()
            raise NasError(
                f"{self.url} does not accept the API key", "check nas_api_key; was it revoked?", code=Code.KEY_NOT_ACCEPTED
            )
        return framing

    def _json_rpc(self) -> wire.Framing:
        framing = wire.JsonRpc(self.url, f"/api/{self.capabilities.version}", self._tls, self._timeout)
        login = {"mechanism": "API_KEY_PLAIN", "username": self._user, "api_key": self._key.reveal()}
        answer = framing.call("auth.login_ex", [login])["response_type"]
        reasons = {
            "AUTH_ERR": (Code.KEY_NOT_ACCEPTED, f"does not accept the API key of {self._user}", "check nas_user and nas_api_key"),
            "EXPIRED": (
                Code.KEY_REVOKED,
                f"says the API key of {self._user} is revoked or expired",
                "make a new one (Users, API Keys)",
            ),
            "OTP_REQUIRED": (
                Code.LOGIN_DENIED,
                f"wants a one-time password of {self._user}",
                "use a user without two-factor login for the API key",
            ),
            "DENIED": (Code.LOGIN_DENIED, f"denies {self._user} the API", "give the user a role that may use the API"),
        }
        if answer != "SUCCESS":
            framing.close()
            other = (Code.LOGIN_DENIED, f"answers the login with {answer}", "check nas_user and nas_api_key")
            code, what, remedy = reasons.get(answer, other)
            raise NasError(f"{self.url} {what}", remedy, code=code)
        return framing

    @property
    def certificate_ends(self) -> datetime | None:
        """When the certificate ends that the NAS showed; None where it does not say."""
        return self._tls.ends

    def read(self, method: str, *params: Any) -> Any:
        """The result of a reading call; tried again when the NAS is too busy, or when it closed a socket that idled."""
        for pause in _BUSY_PAUSES:
            try:
                return self._read(method, params)
            except NasError as error:
                if error.rpc_code != TOO_BUSY:
                    raise
            time.sleep(pause)
        return self._read(method, params)

    def _read(self, method: str, params: Sequence[Any]) -> Any:
        with self.lock:
            try:
                return self._call(method, params)
            except ConnectionError:
                self._framing = self._open()
                return self._once(method, params)

    def write(self, method: str, *params: Any) -> Any:
        """The result of a writing call, its job followed to the end. What was cached is forgotten."""
        with self.lock:
            self.writes += 1
            self.forget()
            if time.monotonic() - self._used > _IDLE_SECONDS:
                self.read("core.ping")  # a write is not repeated, so the socket is proven to be open first
            return self._once(method, params)

    def job(self, method: str, *params: Any) -> Any:
        """The result of a writing call that starts a job. Raises NasError when the job fails or takes too long."""
        number, deadline = self.write(method, *params), time.monotonic() + _JOB_SECONDS
        while time.monotonic() < deadline:
            found = self.read("core.get_jobs", [["id", "=", number]])
            state = found[0]["state"] if found else "WAITING"
            if state == "SUCCESS":
                self.forget()
                return found[0]["result"]
            if state in ("FAILED", "ABORTED"):
                raise NasError(
                    f"{method} failed on the NAS ({found[0].get('error')})", "look at its job list", code=Code.NAS_REFUSED
                )
            time.sleep(0.1)
        raise NasError(f"{method} is not done after {_JOB_SECONDS} s", "look at the NAS's job list", code=Code.NAS_TIMEOUT)

    def query(self, kind: str, *filters: Sequence[Any], select: Sequence[str] = ()) -> list[Entry]:
        """Every entry of a kind ("iscsi.target"), asked once per run until something is written. `select`: these fields only."""
        options = [{"select": list(select)}] if select else []
        return self._cached(f"{kind}.query", [list(filters), *options])  # type: ignore[no-any-return]

    def found(self, kind: str, field: str, value: Any, *filters: Sequence[Any], select: Sequence[str] = ()) -> list[Entry]:
        """The entries of a kind whose field has this value; by one look into an index, however many entries there are."""
        with self.lock:
            key = (f"{kind} by {field}", json.dumps([filters, select]))
            if key not in self._cache:
                entries = self.query(kind, *filters, select=select)
                index: dict[Any, list[Entry]] = {}
                for entry in entries:
                    index.setdefault(entry.get(field), []).append(entry)
                self._cache[key] = index
            return self._cache[key].get(value, [])  # type: ignore[no-any-return]

    def config(self, kind: str) -> Entry:
        """A configuration ("iscsi.global"), asked once per run until something is written."""
        return self._cached(f"{kind}.config", [])  # type: ignore[no-any-return]

    def forget(self) -> None:
        """Read everything afresh the next time."""
        self._cache.clear()

    def close(self) -> None:
        """Close the connection."""
        self._framing.close()

    def _cached(self, method: str, params: list[Any]) -> Any:
        with self.lock:
            key = (method, json.dumps(params))
            if key not in self._cache:
                self._cache[key] = self.read(method, *params)
            return self._cache[key]

    def _call(self, method: str, params: Sequence[Any]) -> Any:
        self._used = time.monotonic()
        return self._framing.call(method, list(params))

    def _once(self, method: str, params: Sequence[Any]) -> Any:
        try:
            return self._call(method, params)
        except ConnectionError as error:
            raise NasError(
                f"the NAS {self.url} dropped the connection during {method}",
                "run again: it picks up what was done",
                code=Code.NAS_DROPPED,
            ) from error


def _version(url: str, status: int, offered: Any) -> str:
    """From the answer to GET /api/versions: a 24.10 server has no such path, or sends it to its web page."""
    if 300 <= status < 500:
        return LEGACY
    if status != 200 or not looks_like_versions(offered):
        said = f"status {status}" if status != 200 else "something else than its versions"
        raise NasError(
            f"{url} answers GET /api/versions with {said}", "is nas_url a TrueNAS, and is it fully started?", code=Code.NOT_A_NAS
        )
    found = newest_common(offered)
    if not found:
        raise NasError(
            f"{url} offers only {', '.join(offered)}, which this zerotoil does not know", "update zerotoil", code=Code.NAS_VERSION
        )
    return found
