"""Questions over HTTP(S) to the lab's own servers: quick, verified against the lab's CA, never raising."""

from __future__ import annotations

import base64
import http.client
import socket
import ssl

from zerotoil.minilab import layout

DEADLINE = 5  # seconds for one answer


def status(port: int, path: str, method: str = "GET", tls: bool = True, accept: str = "*/*", login: str = "") -> int:
    """HTTP status of layout.ADDRESS:port, 0 when nobody answers or the certificate is not the lab's.

    `login` is user:password, for a server that wants one.
    """
    headers = {"Accept": accept}
    if login:
        headers["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
    try:
        connection = _https(port) if tls else http.client.HTTPConnection(layout.ADDRESS, port, timeout=DEADLINE)
        connection.request(method, path, headers=headers)
        answer = connection.getresponse().status
        connection.close()
    except (OSError, http.client.HTTPException):
        return 0
    return answer


def _https(port: int) -> http.client.HTTPConnection:
    context = ssl.create_default_context(cafile=str(layout.CA_CERT))
    return http.client.HTTPSConnection(layout.ADDRESS, port, timeout=DEADLINE, context=context)


def tls_answers(port: int) -> bool:
    """Whether a TLS handshake with layout.ADDRESS:port succeeds with the lab's certificate."""
    try:
        context = ssl.create_default_context(cafile=str(layout.CA_CERT))
        with socket.create_connection((layout.ADDRESS, port), DEADLINE) as plain:
            context.wrap_socket(plain, server_hostname=layout.ADDRESS).close()
    except OSError:
        return False
    return True
