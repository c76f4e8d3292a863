"""The wire: TLS that is verified before anything secret is sent, and the two framings.

The pinned fingerprint is checked on the very socket that is used. Deadlines are on every read.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import ssl
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import websocket

from zerotoil.clients.truenas.errors import NasError, refused
from zerotoil.error_codes import Code

_MASK_FINGERPRINT = "the certificate of {host} has the SHA-256 {found}, pinned is {pinned}"


class Tls:
    """How the NAS proves itself: by the system's CAs, by one CA, or by a pinned certificate."""

    def __init__(self, host: str, ca: Path | None, fingerprint: str | None) -> None:
        self.ends: datetime | None = None  # of the certificate that was seen last
        self.host, self.fingerprint = host, fingerprint.replace(":", "").lower() if fingerprint else None
        try:
            self.context = ssl.create_default_context(cafile=str(ca) if ca else None)
        except (OSError, ssl.SSLError) as error:
            raise NasError(
                f"the CA certificate {ca} cannot be read ({error})", "check nas_ca", code=Code.FILE_UNREADABLE
            ) from error
        if fingerprint:
            self.context.check_hostname = False
            self.context.verify_mode = ssl.CERT_NONE

    def check(self, certificate: bytes | None) -> None:
        """Raise NasError unless the peer's certificate is the pinned one (when one is pinned)."""
        self.ends = certificate_ends(certificate or b"")
        found = hashlib.sha256(certificate or b"").hexdigest()
        if self.fingerprint and found != self.fingerprint:
            text = _MASK_FINGERPRINT.format(host=self.host, found=found, pinned=self.fingerprint)
            raise NasError(text, "if the NAS has a new certificate, set nas_fingerprint to it", code=Code.CERTIFICATE_NOT_PINNED)


def certificate_ends(certificate: bytes) -> datetime | None:
    """notAfter of a DER certificate. `ssl` decodes only what it verified, so not a pinned one.

    Validity is the one place where two times stand in a row: UTCTime or GeneralizedTime, always in UTC (RFC 5280, 4.1.2.5).
    """
    time_of = rb"(?:\x17\x0d(\d{12})|\x18\x0f(\d{14}))Z"
    match = re.search(rb"\x30[\x1e\x20\x22]" + time_of + time_of, certificate, re.DOTALL)
    if not match:
        return None
    short, long = (match[3] or b"").decode(), (match[4] or b"").decode()
    century = "" if long else "20" if short < "50" else "19"
    try:
        return datetime.strptime(f"{century}{short or long}", "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def get_json(url: str, path: str, tls: Tls, timeout: int) -> tuple[int, Any]:
    """GET a path of the NAS: status and JSON (None when it is none)."""
    response, text = _get(url, path, tls, timeout)
    try:
        return response.status, json.loads(text)
    except ValueError:
        return response.status, None


def server_time(url: str, tls: Tls, timeout: int) -> datetime | None:
    """The NAS's clock, to the second, by the Date header of whatever it answers; None when it sends none."""
    response, _ = _get(url, "/api/versions", tls, timeout)
    try:
        found = parsedate_to_datetime(response.headers.get("Date", ""))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _get(url: str, path: str, tls: Tls, timeout: int) -> tuple[http.client.HTTPResponse, bytes]:
    where = urlsplit(url)
    connection = http.client.HTTPSConnection(str(where.hostname), where.port or 443, timeout=timeout, context=tls.context)
    try:
        connection.connect()
        tls.check(connection.sock.getpeercert(binary_form=True))
        connection.request("GET", path, headers={"Accept": "application/json"})
        response = connection.getresponse()
        return response, response.read(1 << 20)
    except (OSError, http.client.HTTPException) as error:
        raise unreachable(url, error) from error
    finally:
        connection.close()


def unreachable(url: str, error: Exception) -> NasError:
    """A connection that failed, in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        remedy = "set nas_ca to the CA that signed it, or nas_fingerprint to its SHA-256"
        return NasError(
            f"the certificate of {url} is not trusted ({error.verify_message})", remedy, code=Code.CERTIFICATE_UNTRUSTED
        )
    if isinstance(error, ssl.SSLError):
        return NasError(
            f"{url} does not speak TLS properly ({error.reason or error})", "is nas_url its HTTPS port?", code=Code.NOT_A_NAS
        )
    if isinstance(error, websocket.WebSocketBadStatusException):
        remedy = "is nas_url a TrueNAS, and is it fully started?"
        return NasError(f"{url} does not open its API (HTTP status {error.status_code})", remedy, code=Code.NOT_A_NAS)
    if isinstance(error, TimeoutError | websocket.WebSocketTimeoutException):
        return NasError(f"the NAS {url} did not answer in time", "is it up, and is nas_url right?", code=Code.NAS_TIMEOUT)
    return NasError(
        f"the NAS {url} cannot be reached ({getattr(error, 'strerror', None) or error})",
        "is it up, and is nas_url right?",
        code=Code.NAS_UNREACHABLE,
    )


class Framing:
    """One WebSocket to the NAS; `call` sends a method and waits for its answer."""

    def __init__(self, url: str, path: str, tls: Tls, timeout: int) -> None:
        self.url, self.timeout, self._id = url, timeout, 0
        try:
            self._ws = websocket.create_connection(
                url + path,
                timeout=timeout,
                sslopt={"context": tls.context},
                http_no_proxy=["*"],
                suppress_origin=True,
                skip_utf8_validation=True,  # a second time, in Python, byte by byte: decoding checks it anyway
            )
        except (OSError, websocket.WebSocketException) as error:
            raise unreachable(url, error) from error
        sock: Any = self._ws.sock
        try:
            tls.check(sock.getpeercert(binary_form=True))
        except NasError:
            self.close()
            raise

    def call(self, method: str, params: list[Any]) -> Any:
        """The result of a method. Raises NasError when refused, ConnectionError when the socket is gone."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the socket."""
        self._ws.close()

    def _next_id(self) -> str:
        self._id += 1
        return str(self._id)

    def _send(self, message: dict[str, Any]) -> None:
        try:
            self._ws.send(json.dumps(message))
        except (OSError, websocket.WebSocketException) as error:
            raise ConnectionError(str(error)) from error

    def _receive(self, deadline: float, method: str) -> dict[str, Any]:
        left = deadline - time.monotonic()
        try:
            if left <= 0:
                raise websocket.WebSocketTimeoutException
            self._ws.settimeout(left)
            return dict(json.loads(self._ws.recv()))
        except websocket.WebSocketTimeoutException as error:
            self.close()
            raise NasError(
                f"the NAS {self.url} did not answer {method} in {self.timeout} s", "is it busy? run again", code=Code.NAS_TIMEOUT
            ) from error
        except (OSError, websocket.WebSocketException, ValueError, TypeError) as error:
            raise ConnectionError(str(error)) from error


class JsonRpc(Framing):
    """JSON-RPC 2.0, TrueNAS 25.04 and later."""

    def call(self, method: str, params: list[Any]) -> Any:
        """See Framing."""
        number = self._next_id()
        self._send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        deadline = time.monotonic() + self.timeout
        while True:
            message = self._receive(deadline, method)
            if message.get("id") != number and not ("error" in message and message.get("id") is None):
                continue  # a notification
            if "error" in message:
                raise refused(method, message["error"], params)
            return message.get("result")


class Legacy(Framing):
    """The DDP-like framing of /websocket, TrueNAS 24.10."""

    def __init__(self, url: str, path: str, tls: Tls, timeout: int) -> None:
        super().__init__(url, path, tls, timeout)
        self._send({"msg": "connect", "version": "1", "support": ["1"]})
        answer = self._receive(time.monotonic() + timeout, "connect")
        if answer.get("msg") != "connected":
            raise NasError(f"{url} does not speak TrueNAS's protocol", "is nas_url a TrueNAS?", code=Code.NOT_A_NAS)

    def call(self, method: str, params: list[Any]) -> Any:
        """See Framing."""
        number = self._next_id()
        self._send({"id": number, "msg": "method", "method": method, "params": params})
        deadline = time.monotonic() + self.timeout
        while True:
            message = self._receive(deadline, method)
            if message.get("id") != number or message.get("msg") != "result":
                continue
            if message.get("error"):
                raise refused(method, message["error"], params)
            return message.get("result")
