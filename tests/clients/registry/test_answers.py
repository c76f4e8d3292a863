"""The client against registries that ask for tokens, have enough, page, break off, or are none at all."""

import threading
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.clients.registry.oci import INDEX, Image, as_json, basic, digest, index_of
from tests.clients.registry.test_real import client
from zerotoil.clients.registry import wire
from zerotoil.clients.registry.auth import Challenge
from zerotoil.clients.registry.registry import when
from zerotoil.error_codes import Code
from zerotoil.errors import LabError
from zerotoil.model.image import ImageRef
from zerotoil.model.secret import Secret

Answer = tuple[int, dict[str, str], bytes]
IMAGE = Image(labels={"org.opencontainers.image.version": "1.2.3"})
MANIFEST, (LAYER, CONFIG) = IMAGE.blobs()


class Scripted:
    """A server on loopback that answers each call by `answer` and remembers what it was asked."""

    def __init__(self, answer: Callable[["Scripted", str, str, dict[str, str]], Answer]) -> None:
        self.asked: list[str] = []
        self.logins: list[str] = []
        self.answer = answer
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.name = f"127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def handler(server) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *arguments: object) -> None:
                """Quiet."""

            def do_GET(self) -> None:
                server.asked.append(f"{self.command} {self.path}")
                server.logins.append(self.headers.get("Authorization", ""))
                status, headers, body = server.answer(server, self.command, self.path, dict(self.headers))
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            do_HEAD = do_GET

        return Handler

    def ref(self, text: str) -> ImageRef:
        return ImageRef.parse(f"{self.name}/{text}")


@pytest.fixture
def serve() -> Iterator[Callable[..., Scripted]]:
    made: list[Scripted] = []

    def start(answer: Callable[..., Answer]) -> Scripted:
        made.append(Scripted(answer))
        return made[-1]

    yield start
    for server in made:
        server.http.shutdown()
        server.http.server_close()


def registry(_server: Scripted, _method: str, path: str, _headers: dict[str, str]) -> Answer:
    """A registry that has one image."""
    for content in (MANIFEST, CONFIG):
        if path.endswith((digest(content), "/manifests/1")):
            return 200, {"Docker-Content-Digest": digest(content)}, content
    if "/tags/list" in path:
        return 200, {}, as_json({"name": "a/app", "tags": ["1"]})
    return 404, {}, as_json({"errors": [{"code": "MANIFEST_UNKNOWN"}]})


def with_tokens(server: Scripted, method: str, path: str, headers: dict[str, str]) -> Answer:
    """The same behind a token service, as Docker Hub and ghcr.io have one; tokens are for one repository."""
    if path.startswith("/token"):
        if headers.get("Authorization") not in (None, basic("me", "s3cret")):
            return 401, {}, b"{}"
        who = "me" if "Authorization" in headers else "anybody"
        return 200, {}, as_json({"token": f"{who}:{path.partition('scope=')[2]}"})
    repository = path.removeprefix("/v2/").partition("/manifests/")[0].partition("/blobs/")[0].partition("/tags/")[0]
    scope = f"repository%3A{repository.replace('/', '%2F')}%3Apull"
    allowed = [f"Bearer {who}:{scope}" for who in (("me",) if repository == "a/private" else ("me", "anybody"))]
    if headers.get("Authorization") not in allowed:
        realm = f'Bearer realm="http://{server.name}/token",service="hub",scope="repository:{repository}:pull"'
        return 401, {"WWW-Authenticate": realm}, b"{}"
    return registry(server, method, path, headers)


def test_a_token_is_asked_for_once_per_repository(serve: Any) -> None:
    server = serve(with_tokens)
    asked = client()
    assert asked.image(server.ref("a/app:1")).version == "1.2.3"
    assert asked.tags(server.ref("a/app:1")) == ["1"]
    assert [line.split("?")[0] for line in server.asked] == [
        "HEAD /v2/a/app/manifests/1", "GET /token", "HEAD /v2/a/app/manifests/1", f"GET /v2/a/app/manifests/{digest(MANIFEST)}",
        f"GET /v2/a/app/blobs/{digest(CONFIG)}", "GET /v2/a/app/tags/list",
    ]  # fmt: skip
    assert "service=hub" in server.asked[1] and "scope=repository%3Aa%2Fapp%3Apull" in server.asked[1]
    asked.digest(server.ref("a/other:1"))
    assert sum("/token" in line for line in server.asked) == 2


def test_a_login_goes_to_the_token_service_and_nowhere_else(serve: Any) -> None:
    server = serve(with_tokens)
    login = {server.name: {"user": "me", "password": Secret("s3cret")}}
    assert client(logins=login).digest(server.ref("a/private:1")) == digest(MANIFEST)
    sent = dict(zip(server.asked, server.logins, strict=True))
    assert [line.partition("?")[0] for line, value in sent.items() if value.startswith("Basic")] == ["GET /token"]


@pytest.mark.parametrize("password", ["", "wrong"])
def test_a_login_that_does_not_do(serve: Any, password: str) -> None:
    server = serve(with_tokens)
    keys = {"logins": {server.name: {"user": "me", "password": Secret(password)}}} if password else {}
    with pytest.raises(LabError) as caught:
        client(**keys).digest(server.ref("a/private:1"))
    assert caught.value.code is Code.REGISTRY_LOGIN
    assert ("does not take the login: check registry_logins" if password else "to nobody without a login") in str(caught.value)


def test_a_token_that_ran_out_is_replaced(serve: Any) -> None:
    def forgets(server: Scripted, method: str, path: str, headers: dict[str, str]) -> Answer:
        if "/blobs/" in path and not any("/blobs/" in line for line in server.asked[:-1]):
            return 401, {"WWW-Authenticate": f'Bearer realm="http://{server.name}/token",service="hub"'}, b"{}"
        return with_tokens(server, method, path, headers)

    server = serve(forgets)
    assert client().image(server.ref("a/app:1")).version == "1.2.3"
    assert sum("/token" in line for line in server.asked) == 2


@pytest.mark.parametrize("realm", ["http://token.example/t", "", "ftp://x"])
def test_no_password_goes_to_a_token_service_in_plain_text(serve: Any, realm: str) -> None:
    server = serve(lambda *_: (401, {"WWW-Authenticate": f'Bearer realm="{realm}"'}, b""))
    login = {server.name: {"user": "me", "password": Secret("s3cret")}}
    with pytest.raises(LabError, match="is not encrypted, so nothing was sent there") as caught:
        client(logins=login).digest(server.ref("a:1"))
    assert caught.value.code is Code.REGISTRY_ANSWER
    assert server.logins == [""]


@pytest.mark.parametrize(("status", "body"), [(200, b"no json"), (200, b"[]"), (200, b"{}"), (500, b'{"token": "x"}')])
def test_a_token_service_that_gives_none(serve: Any, status: int, body: bytes) -> None:
    def strange(server: Scripted, _method: str, path: str, _headers: dict[str, str]) -> Answer:
        if path.startswith("/token"):
            return status, {}, body
        return 401, {"WWW-Authenticate": f'Bearer realm="http://{server.name}/token"'}, b""

    with pytest.raises(LabError, match=f"its token service answered {status} and no token"):
        client().digest(serve(strange).ref("a:1"))


def test_netrc_is_not_read(serve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login other password leaked\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server = serve(with_tokens)
    client().image(server.ref("a/app:1"))
    assert not [value for value in server.logins if value.startswith("Basic")]


def test_the_login_does_not_follow_to_another_host(serve: Any) -> None:
    storage = serve(lambda *_: (200, {}, CONFIG))

    def redirects(server: Scripted, method: str, path: str, headers: dict[str, str]) -> Answer:
        if "/blobs/" in path:
            return 307, {"Location": f"http://localhost:{storage.http.server_port}/x"}, b""
        return with_tokens(server, method, path, headers)

    server = serve(redirects)
    assert client().image(server.ref("a/app:1")).version == "1.2.3"
    assert storage.logins == [""]


def test_a_front_that_sends_everybody_on_to_the_registry_behind_it(serve: Any) -> None:
    """lscr.io does, to ghcr.io."""
    behind = serve(with_tokens)
    behind.name = f"localhost:{behind.http.server_port}"
    front = serve(lambda _server, _method, path, _headers: (307, {"Location": f"http://{behind.name}{path}"}, b""))
    asked = client()
    assert asked.image(front.ref("a/app:1")).version == "1.2.3"
    assert len(front.asked) == 1, "from then on the registry behind it is asked"
    assert sum("/token" in line for line in behind.asked) == 1


def test_a_front_gets_no_password_for_the_registry_behind_it(serve: Any) -> None:
    behind = serve(lambda *_: (401, {"WWW-Authenticate": 'Basic realm="x"'}, b""))
    where = f"http://localhost:{behind.http.server_port}"
    front = serve(lambda _server, _method, path, _headers: (307, {"Location": f"{where}{path}"}, b""))
    with pytest.raises(LabError, match="does not take the login"):
        client(logins={front.name: {"user": "me", "password": Secret("s3cret")}}).digest(front.ref("a/app:1"))
    assert set(behind.logins) == {""}


# Rate limits.


def limited(times: int, **headers: str) -> Callable[..., Answer]:
    """Answers 429 so often, then as a registry."""

    def answer(server: Scripted, method: str, path: str, sent: dict[str, str]) -> Answer:
        if len(server.asked) <= times:
            return 429, {name.replace("_", "-"): value for name, value in headers.items()}, b""
        return registry(server, method, path, sent)

    return answer


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    seconds: list[float] = []
    monkeypatch.setattr(wire.time, "sleep", seconds.append)
    return seconds


@pytest.mark.parametrize(
    ("asked", "low", "high"),
    [("7", 7, 7), ("", 1, 1), ("431µs, allowed: 44000/minute", 1, 1), ("date", 10, 20), ("past", 0, 0)],
)
def test_a_pause_is_made_as_asked_once(serve: Any, slept: list[float], asked: str, low: float, high: float) -> None:
    after = {"date": formatdate(time.time() + 20, usegmt=True), "past": formatdate(0, usegmt=True)}.get(asked, asked)
    server = serve(limited(1, Retry_After=after.encode().decode("latin-1")))
    assert client().digest(server.ref("a/app:1")) == digest(MANIFEST)
    assert len(slept) == 1 and low <= slept[0] <= high
    assert len(server.asked) == 2


def test_a_second_refusal_ends_it_for_the_whole_run(serve: Any, slept: list[float]) -> None:
    server = serve(limited(99, Retry_After="2"))
    asked = client()
    for text in ("a/app:1", "a/other:1"):
        with pytest.raises(LabError, match=r"rate limit \(.*\): run again later, or declare registry_logins") as caught:
            asked.digest(server.ref(text))
        assert caught.value.code is Code.REGISTRY_RATE_LIMIT
    assert (len(server.asked), slept) == (2, [2.0])


def test_a_pause_that_is_too_long_is_not_made(serve: Any, slept: list[float]) -> None:
    server = serve(limited(99, Retry_After="21600"))
    with pytest.raises(LabError, match=r"rate limit \(it asks us to wait 21600 seconds\)"):
        client(logins={server.name: {"user": "me", "password": Secret("x")}}).digest(server.ref("a/app:1"))
    assert (len(server.asked), slept) == (1, [])


def test_no_pull_is_made_where_none_is_left(serve: Any) -> None:
    def last(server: Scripted, method: str, path: str, sent: dict[str, str]) -> Answer:
        status, headers, body = registry(server, method, path, sent)
        return status, {**headers, "RateLimit-Limit": "100;w=21600", "RateLimit-Remaining": "0;w=21600"}, body

    server = serve(last)
    asked = client()
    assert asked.digest(server.ref("a/app:1")) == digest(MANIFEST)
    with pytest.raises(LabError, match=r"rate limit \(no pulls are left to us for now\)"):
        asked.image(server.ref("a/app:1"))
    assert server.asked == ["HEAD /v2/a/app/manifests/1"]


# Pages, and answers that are none.


def test_all_pages_are_read_and_the_next_one_is_asked_of_the_same_host(serve: Any) -> None:
    def paged(_server: Scripted, _method: str, path: str, _headers: dict[str, str]) -> Answer:
        page = int(path.partition("last=")[2] or 0)
        host = "https://elsewhere.example" if page else ""
        more = {"Link": f'<{host}/v2/a/app/tags/list?n=1000&last={page + 1}>; rel="next"'} if page < 2 else {}
        return 200, more, as_json({"tags": [f"{page}.0"] if page != 1 else None})

    server = serve(paged)
    assert client().tags(server.ref("a/app")) == ["0.0", "2.0"]
    assert [line.partition("?")[2] for line in server.asked] == ["n=1000", "n=1000&last=1", "n=1000&last=2"]


def test_pages_without_end(serve: Any) -> None:
    server = serve(lambda *_: (200, {"Link": '</v2/a/tags/list?last=x>; rel="next"'}, as_json({"tags": ["1"]})))
    with pytest.raises(LabError, match="has no end of tags for a "):
        client().tags(server.ref("a:1"))
    assert len(server.asked) == 100


def test_a_registry_without_the_digest_header(serve: Any) -> None:
    server = serve(lambda *_: (200, {}, MANIFEST))
    assert client().digest(server.ref("a:1")) == digest(MANIFEST)


OTHER = as_json({"schemaVersion": 2, "mediaType": INDEX, "manifests": [{"digest": 5, "platform": None}, 7]})


@pytest.mark.parametrize(
    ("manifest", "blob", "said"),
    [
        (b"<html>", CONFIG, "answered what is no JSON object"),
        (b"[]", CONFIG, "answered what is no JSON object"),
        (b"{}", CONFIG, "answered a manifest without a config"),
        (as_json({"schemaVersion": 1, "config": {"digest": 5}}), CONFIG, "answered a manifest without a config"),
        (OTHER, CONFIG, "has no image for linux/amd64"),
        (index_of(), CONFIG, "has no image for linux/amd64"),
        (MANIFEST, b"{}", "answered other content than sha256:"),
    ],
)
def test_answers_that_cannot_be_used(serve: Any, manifest: bytes, blob: bytes, said: str) -> None:
    def answer(_server: Scripted, _method: str, path: str, _headers: dict[str, str]) -> Answer:
        return 200, {"Docker-Content-Digest": digest(manifest)}, blob if "/blobs/" in path else manifest

    with pytest.raises(LabError, match=said):
        client().image(serve(answer).ref("a:1"))


def test_another_manifest_than_was_asked_for_is_not_taken(serve: Any) -> None:
    server = serve(lambda *_: (200, {"Docker-Content-Digest": f"sha256:{'0' * 64}"}, MANIFEST))
    with pytest.raises(LabError, match="answered other content than sha256:0000"):
        client().image(server.ref("a:1"))


@pytest.mark.parametrize("status", [400, 418, 500, 503])
def test_other_refusals(serve: Any, status: int) -> None:
    with pytest.raises(LabError, match=f"answered {status} for a: run again later") as caught:
        client().digest(serve(lambda *_: (status, {}, b"")).ref("a:1"))
    assert caught.value.code is Code.REGISTRY_ANSWER


def test_an_answer_without_end_is_cut_off(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "_LARGEST", 1 << 17)
    with pytest.raises(LabError, match="sends more than fits, or too slowly"):
        client().tags(serve(lambda *_: (200, {}, b" " * (1 << 20))).ref("a:1"))


def test_a_registry_out_of_reach_is_asked_once_in_a_run(serve: Any) -> None:
    server = serve(registry)
    server.http.shutdown()
    server.http.server_close()
    asked = client()
    for text in ("a:1", "b:1"):
        with pytest.raises(LabError, match=rf"^{server.name} cannot be reached \(.*Connection refused\)") as caught:
            asked.digest(server.ref(text))
        assert caught.value.code is Code.REGISTRY_UNREACHABLE


def test_a_registry_that_stops_talking(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "_SILENT_SECONDS", 0.2)
    release = threading.Event()

    def silent(*_: Any) -> Answer:
        release.wait(10)
        return 200, {}, b""

    with pytest.raises(LabError, match="cannot be reached") as caught:
        client().digest(serve(silent).ref("a:1"))
    release.set()
    assert caught.value.code is Code.REGISTRY_UNREACHABLE


@pytest.mark.parametrize(
    ("header", "want"),
    [
        ('Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull"',
         ("bearer", "https://auth.docker.io/token", "registry.docker.io", "repository:a/b:pull")),
        ('bearer service=x, realm=https://y/z', ("bearer", "https://y/z", "x", "")),
        ('Basic realm="Registry Realm"', ("basic", "Registry Realm", "", "")),
        ('Bearer realm="https://y/z",error="invalid_token",scope="repository:a:pull,push"',
         ("bearer", "https://y/z", "", "repository:a:pull,push")),
        ("Negotiate", ("negotiate", "", "", "")),
        ("", ("", "", "", "")),
        ("  =;,", ("", "", "", "")),
    ],
)  # fmt: skip
def test_challenges(header: str, want: tuple[str, ...]) -> None:
    found = Challenge.parse(header)
    assert (found.scheme, found.realm, found.service, found.scope) == want


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("2026-08-18T10:00:00Z", "2026-08-18 10:00:00+00:00"),
        ("2026-08-18T10:00:00.999999999+02:00", "2026-08-18 10:00:00.999999+02:00"),
        ("2026-08-18T10:00:00", "2026-08-18 10:00:00+00:00"),
        ("x", "None"),
        (None, "None"),
        (5, "None"),
    ],
)
def test_times_of_images(text: Any, want: str) -> None:
    assert str(when(text)) == want
