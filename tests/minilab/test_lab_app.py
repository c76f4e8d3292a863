"""The lab's test app, run as it is: versions, health, systemd's notify socket, and a quick end."""

import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from tests.minilab.conftest import free_port
from zerotoil.minilab.tools import tool


@pytest.fixture
def start():
    running = []

    def launch(*prefix, **env):
        port = free_port()
        process = subprocess.Popen(
            [*prefix, "/lab-app" if prefix else tool("lab-app")], env={"PORT": str(port), "PATH": os.environ["PATH"], **env},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        running.append(process)
        return process, port, process.stdout.readline()

    yield launch
    for process in running:
        process.kill()
        process.communicate()


def get(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def healthcheck(port):
    return subprocess.run([tool("lab-app"), "-healthcheck"], env={"PORT": str(port)}, capture_output=True, timeout=10).returncode


def test_it_answers_its_version_and_its_health(start):
    _, port, said = start(VERSION="2")
    assert said == f"lab-app 2 listens on port {port}\n"
    assert get(port, "/") == (200, "2\n")
    assert get(port, "/health?now") == (200, "ok\n")
    assert get(port, "/other")[0] == 404
    assert healthcheck(port) == 0


def test_a_broken_one_answers_but_is_not_healthy(start):
    _, port, said = start(VERSION="3", BROKEN="1")
    assert "broken" in said
    assert get(port, "/") == (200, "3\n")
    assert get(port, "/health")[0] == 503
    assert healthcheck(port) == 1
    assert healthcheck(free_port()) == 1  # nobody is there


def test_it_ends_at_once_when_told(start):
    process, _, _ = start()
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == 0
    assert time.monotonic() - begun < 1


@pytest.mark.parametrize("name", ["{}/notify", "@zerotoil-lab-app-{}"])
@pytest.mark.parametrize(("broken", "told"), [("0", b"READY=1"), ("1", b"")])
def test_only_a_whole_one_says_ready(start, tmp_path, name, broken, told):
    address = name.format(tmp_path if "/" in name else os.getpid())
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as waiting:
        waiting.bind(address.replace("@", "\0"))
        waiting.settimeout(0.5)
        start(NOTIFY_SOCKET=address, BROKEN=broken)
        try:
            assert waiting.recv(100) == told
        except TimeoutError:
            assert told == b""


@pytest.mark.skipif(os.geteuid() != 0, reason="chroot needs root")
def test_it_leaves_a_trace_where_data_is_mounted(start, tmp_path):
    (tmp_path / "lab-app").write_bytes(tool("lab-app").read_bytes())
    (tmp_path / "lab-app").chmod(0o755)
    start("chroot", str(tmp_path), VERSION="1")
    (tmp_path / "data").mkdir()
    for version in ("1", "2"):
        start("chroot", str(tmp_path), VERSION=version)
    assert (tmp_path / "data" / "starts").read_text() == "1\n2\n"


def test_it_shows_a_file_and_says_what_is_wrong(tmp_path):
    (tmp_path / "secret").write_text("word")
    for arguments, code, said in (
        (["-cat", tmp_path / "secret"], 0, "word"),
        (["-cat", tmp_path / "none"], 1, "no such file"),
        (["-nonsense"], 1, "usage"),
    ):
        done = subprocess.run([tool("lab-app"), *arguments], capture_output=True, text=True, timeout=10)
        assert done.returncode == code and re.search(said, done.stdout + done.stderr)
    done = subprocess.run([tool("lab-app")], env={"PORT": "many"}, capture_output=True, text=True, timeout=10)
    assert (done.returncode, done.stderr) == (1, "lab-app: PORT many is not a port\n")
