"""The socket side: GET /api/versions, JSON-RPC 2.0 on /api/..., the legacy framing on /websocket, all over one port.

24.10 has only the legacy framing. Messages: at most 8 KiB before the login, 64 KiB after it (close code 1009).
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

from zerotoil.minilab.nas import schemas
from zerotoil.minilab.nas.errors import INTERNAL, INVALID_REQUEST, CallError, RpcError, ValidationErrors
from zerotoil.minilab.nas.middleware import Middleware, Session

BEFORE_LOGIN, AFTER_LOGIN = 8 << 10, 64 << 10
NEWEST = {"24.10": "", "25.04": "v25.04.2", "25.10": "v25.10.5", "26": "v26.0.0"}


def api_versions(release: str) -> list[str]:
    """The JSON-RPC API versions that a release answers; none for 24.10."""
    if not NEWEST[release]:
        return []
    known = [version for version in schemas.VERSIONS if version != "v24.10"]
    return known[: known.index(NEWEST[release]) + 1]


def listen(nas: Middleware, context: ssl.SSLContext, address: str, port: int) -> Server:
    """A listening server; `serve_forever` runs it, `shutdown` ends it and its connections."""
    return serve(
        lambda connection: _converse(nas, connection),
        address,
        port,
        ssl=context,
        process_request=lambda connection, request: _http(nas, request),
        max_size=AFTER_LOGIN,
        compression=None,
        open_timeout=10,
        close_timeout=1,
    )


def _http(nas: Middleware, request: Request) -> Response | None:
    """Answer plain GETs and wrong paths; None lets a WebSocket begin."""
    path = request.path.partition("?")[0]
    versions = api_versions(nas.version)
    if path == "/api/versions" and versions:
        return _response(HTTPStatus.OK, json.dumps(versions), "application/json")
    upgrade = request.headers.get("Upgrade", "").lower() == "websocket"
    known = path == "/websocket" or (versions and (path == "/api/current" or path.removeprefix("/api/") in versions))
    if not known or not upgrade:
        return _response(HTTPStatus.NOT_FOUND, "not found\n", "text/plain")
    return None


def _response(status: HTTPStatus, body: str, kind: str) -> Response:
    content = body.encode()
    headers = Headers({"Content-Type": kind, "Content-Length": str(len(content)), "Connection": "close"})
    return Response(status.value, status.phrase, headers, content)


def _converse(nas: Middleware, connection: ServerConnection) -> None:
    request = connection.request
    path = request.path.partition("?")[0] if request else ""
    legacy = path == "/websocket"
    name = path.removeprefix("/api/")
    session = Session("v24.10" if legacy else NEWEST[nas.version] if name == "current" else name)
    answer: Callable[[Middleware, Session, Any], dict[str, Any] | None] = _legacy if legacy else _json_rpc
    try:
        for text in connection:
            if session.user is None and len(text) > BEFORE_LOGIN:
                connection.close(1009, "Max message length is 8 kB")
                return
            reply = answer(nas, session, _parsed(text))
            if _drops(nas):
                connection.socket.close()
                return
            if reply is not None:
                connection.send(json.dumps(reply))
    except (ConnectionClosed, OSError):
        return


def _parsed(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _drops(nas: Middleware) -> bool:
    left = nas.faults.drop_after
    if left is None:
        return False
    nas.faults.drop_after = left - 1 if left > 1 else None
    return left <= 1


def _json_rpc(nas: Middleware, session: Session, message: Any) -> dict[str, Any] | None:
    number = message.get("id") if isinstance(message, dict) else None
    try:
        if not isinstance(message, dict) or message.get("jsonrpc") != "2.0" or not isinstance(message.get("method"), str):
            raise RpcError(INVALID_REQUEST, "Invalid Message Format")
        if not isinstance(message.get("params", []), list):
            raise RpcError(INVALID_REQUEST, "`params` must be an array")
        result = _call(nas, session, message["method"], message.get("params", []))
    except RpcError as error:
        body: dict[str, Any] = {"code": error.code, "message": error.message}
        if (data := error.data()) is not None:
            body["data"] = data
        return {"jsonrpc": "2.0", "error": body, "id": number}
    if "id" not in message or message["method"] in nas.faults.hang:
        return None
    return {"jsonrpc": "2.0", "result": result, "id": number}


def _legacy(nas: Middleware, session: Session, message: Any) -> dict[str, Any] | None:
    kind = message.get("msg") if isinstance(message, dict) else None
    if kind == "connect":
        return {"msg": "connected", "session": "b3b9c2e4-0000-4000-8000-000000000000"}
    if kind == "ping":
        return {"msg": "pong", **({"id": message["id"]} if "id" in message else {})}
    if kind != "method":
        return {"msg": "error", "error": "unknown message"}
    name, number = str(message.get("method")), message.get("id")
    try:
        result = _call(nas, session, name, message.get("params") or [])
    except RpcError as error:
        data = error.data() or {"error": 201, "errname": "ENOMETHOD", "reason": error.message, "trace": None, "extra": None}
        kinds = {ValidationErrors: "VALIDATION", CallError: None}
        return {"msg": "result", "id": number, "error": {**data, "type": kinds.get(type(error))}}
    if name in nas.faults.hang:
        return None
    return {"msg": "result", "id": number, "result": result}


def _call(nas: Middleware, session: Session, name: str, positional: list[Any]) -> Any:
    try:
        return nas.call(session, name, positional)
    except RpcError:
        raise
    except Exception as error:
        raise RpcError(INTERNAL, f"Internal error: {error!r}") from error
