"""The NAS's way to Signal with the real Mailrise: SMTP in, Apprise out, a signal-cli-rest-api of ours at the end.

Mailrise wants an Apprise of its own, so it lives in a virtual environment of its own, made once in the cache (mailrise.txt).
"""

import contextlib
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.resources.guest.test_notify_scripts import signal_url
from tests.resources.nas.conftest import simulator
from tests.sinks import FakeSink
from tests.workflows.test_notify_paths import lines, nas_keys, site
from zerotoil.clients import cache
from zerotoil.render.notify import apprise_url
from zerotoil.resources.nas.alerts import alert_resources

PINNED = Path(__file__).parent / "mailrise.txt"
CONFIG = """
listen:
  host: 127.0.0.1
  port: {port}
configs:
  signal:
    urls:
      - "{url}"
"""


@pytest.fixture(scope="session")
def mailrise() -> Path:
    """The program. Skips where PyPI cannot be reached."""
    folder = cache.folder(f"mailrise-{hashlib.sha256(PINNED.read_bytes()).hexdigest()[:12]}")
    program = folder / "bin/mailrise"
    if not program.exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=120)
        install = [str(folder / "bin/pip"), "install", "--quiet", "--retries", "0", "--timeout", "10", "--require-hashes"]
        done = subprocess.run([*install, "--requirement", str(PINNED)], capture_output=True, text=True, timeout=300)
        if done.returncode:
            shutil.rmtree(folder)
            pytest.skip(f"Mailrise cannot be installed here ({done.stderr.strip()[-200:]})")
    return program


@pytest.fixture
def port(mailrise: Path, sink: FakeSink, tmp_path: Path) -> Iterator[int]:
    """Where Mailrise listens; mail to signal@mailrise.xyz goes to the sink."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = int(free.getsockname()[1])
    config = tmp_path / "mailrise.yaml"
    config.write_text(CONFIG.format(port=number, url=apprise_url(signal_url(sink))))
    with (tmp_path / "mailrise.log").open("w") as log:
        process = subprocess.Popen([str(mailrise), str(config)], stdout=log, stderr=log, env={"PATH": os.environ["PATH"]})
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", number), 1):
                break
            assert process.poll() is None, (tmp_path / "mailrise.log").read_text()
            time.sleep(0.1)
        yield number
    finally:
        process.terminate()
        process.wait(10)


def test_what_the_nas_mails_arrives_on_signal(port: int, sink: FakeSink, tmp_path: Path) -> None:
    with simulator("25.10") as sim:
        (tmp_path / "host").mkdir()
        one = site(tmp_path / "host", **nas_keys(sim, port))
        for resource in alert_resources(one.spec.nas, one.nas, "home"):
            resource.apply()
        said = lines(one)
    assert [line.split(": ")[1] for line in said] == ["ok", "ok"]
    deadline = time.monotonic() + 20
    while len(sink.messages) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    first, alert = sink.messages
    assert (first["number"], first["recipients"]) == ("+4915112345678", ["+4915187654321"])
    assert first["message"].startswith("TrueNAS lab-nas.local: zerotoil notify test (nas@home.lan)\r\n")
    assert "A test: what is sent from here arrives." in first["message"]
    assert "Test alert" in alert["message"]
