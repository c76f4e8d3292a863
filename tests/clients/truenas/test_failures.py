"""A NAS that is busy, lost, silent, or none at all: a clear line each time, and nothing done twice."""

import hashlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.resources.nas.conftest import KEY, VERSIONS, connect, simulator
from zerotoil.clients.truenas import Nas, NasError
from zerotoil.clients.truenas.errors import refused
from zerotoil.minilab.nas import certificate
from zerotoil.minilab.nas.middleware import METHODS
from zerotoil.model.secret import Secret


@pytest.mark.parametrize("version", ["24.10", "25.10"])
def test_a_busy_nas_is_read_again_and_written_once(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zerotoil.clients.truenas.nas._BUSY_PAUSES", (0, 0))
    with simulator(version) as sim:
        nas = connect(sim)
        sim.faults.too_busy = 2 if version != "24.10" else 0
        assert nas.query("pool")
        sim.faults.too_busy = 1
        with pytest.raises(NasError, match=r"the NAS refuses pool.dataset.create \(.*"):
            nas.write("pool.dataset.create", {"name": "tank/x", "type": "FILESYSTEM"})
        assert nas.query("pool.dataset", ["id", "=", "tank/x"]) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_a_connection_lost_at_login(version: str) -> None:
    with simulator(version) as sim:
        sim.faults.drop_after = 1
        with pytest.raises(NasError, match="the NAS wss://.* closed the connection at login: run again"):
            connect(sim)


def test_a_job_is_followed_to_its_end() -> None:
    with simulator("25.10") as sim:
        nas = connect(sim)
        sim.faults.job_polls = 3
        assert nas.job("service.control", "START", "iscsitarget", {"silent": False}) is True
        assert [name for name, _ in sim.calls].count("core.get_jobs") == 4
        sim.faults.control_returns_false = True
        with pytest.raises(NasError, match=r"service.control failed on the NAS \(.*simulated failure.*\): look at its job list"):
            nas.job("service.control", "START", "iscsitarget", {"silent": False})


def test_a_job_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zerotoil.clients.truenas.nas._JOB_SECONDS", 0)
    with simulator("25.10") as sim, pytest.raises(NasError, match="service.control is not done after 0 s: look at the NAS's job"):
        connect(sim).job("service.control", "START", "iscsitarget", {"silent": False})


def test_a_job_survives_a_lost_socket() -> None:
    with simulator("25.10") as sim:
        nas = connect(sim)
        sim.faults.job_polls, sim.faults.drop_after = 2, 2  # the call goes through, its first look does not
        assert nas.job("service.control", "START", "iscsitarget", {"silent": False}) is True
        assert [name for name, _ in sim.calls].count("service.control") == 1


def test_a_fingerprint_with_colons() -> None:
    with simulator() as sim:
        text = ":".join(sim.fingerprint[n : n + 2] for n in range(0, 64, 2)).upper()
        assert connect(sim, fingerprint=text).query("pool")


@pytest.fixture
def website(tmp_path: Path) -> Iterator[Callable[[int, bytes], tuple[str, str]]]:
    """A TLS server that is no TrueNAS; gives its address and its certificate's fingerprint."""
    running = []

    def serve(status: int, body: bytes) -> tuple[str, str]:
        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        cert, key = certificate.make(tmp_path, "127.0.0.1")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)
        der = ssl.PEM_cert_to_DER_cert("-----BEGIN" + cert.read_text().split("-----BEGIN")[1])
        return f"wss://127.0.0.1:{server.server_port}", hashlib.sha256(der).hexdigest()

    yield serve
    for server in running:
        server.shutdown()
        server.server_close()


NOT_A_NAS = [
    (200, b"<html>", "answers GET /api/versions with something else than its versions: is nas_url a TrueNAS, and is it fully"),
    (200, b"[]", "answers GET /api/versions with something else than its versions"),
    (503, b"starting", "answers GET /api/versions with status 503: is nas_url a TrueNAS, and is it fully started?"),
    (404, b"", r"does not open its API \(HTTP status 404\): is nas_url a TrueNAS"),
    (200, b'["v30.01.0"]', "offers only v30.01.0, which this zerotoil does not know: update zerotoil"),
]


@pytest.mark.parametrize(("status", "body", "message"), NOT_A_NAS)
def test_a_server_that_is_no_nas(website: Any, status: int, body: bytes, message: str) -> None:
    url, fingerprint = website(status, body)
    with pytest.raises(NasError, match=message):
        Nas.connect(url, "zerotoil", Secret(source="env:NO_SUCH_KEY"), fingerprint=fingerprint, timeout=5)


def test_a_server_without_tls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as plain:
        url = f"wss://127.0.0.1:{plain.getsockname()[1]}"

        def answer() -> None:
            peer, _ = plain.accept()
            peer.recv(100)
            peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            peer.close()

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(NasError, match="does not speak TLS properly .*: is nas_url its HTTPS port?"):
            Nas.connect(url, "zerotoil", Secret(KEY), timeout=5)


def test_a_name_that_does_not_exist_and_a_server_that_is_silent() -> None:
    with pytest.raises(NasError, match=r"the NAS wss://nas.invalid cannot be reached \(.*\): is it up, and is nas_url right"):
        Nas.connect("wss://nas.invalid", "zerotoil", Secret(KEY), timeout=5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"wss://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(NasError, match="did not answer in time: is it up, and is nas_url right?"):
            Nas.connect(url, "zerotoil", Secret(KEY), timeout=1)


def test_other_answers_to_the_login(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {
        "OTP_REQUIRED": "wants a one-time password of zerotoil: use a user without two-factor login",
        "DENIED": "denies zerotoil the API: give the user a role that may use the API",
        "REDIRECT": "answers the login with REDIRECT: check nas_user and nas_api_key",
    }
    with simulator("25.10") as sim:
        for answer, message in answers.items():
            monkeypatch.setitem(METHODS, "auth.login_ex", lambda *_, said=answer: {"response_type": said})
            with pytest.raises(NasError, match=message):
                connect(sim)


def test_secrets_that_a_nas_echoes_are_masked() -> None:
    sent = [{"user": "hv1", "secret": "chap-s3cret-0"}]
    echoed = {"code": -32602, "data": {"errname": "EINVAL", "extra": [["data.secret", "chap-s3cret-0 is too weak", 22]]}}
    error = refused("iscsi.auth.create", echoed, sent)
    assert str(error) == (
        "the NAS refuses iscsi.auth.create (data.secret: ******** is too weak): look at the NAS, then run again"
    )
    assert error.fields == {"data.secret": "******** is too weak"}
    assert "s3cret" not in str(refused("x", {"message": "bad chap-s3cret-0"}, sent))
