"""The stand-in for Signal's REST service: what it takes, what it refuses, and what the updater sends it."""

import http.client
import http.server
import json
import os
import socketserver
import subprocess
import threading
import urllib.error
import urllib.request

import pytest
from click.testing import CliRunner

from tests.minilab.conftest import free_port
from zerotoil.cli.lab import lab
from zerotoil.minilab import daemons, layout, signal
from zerotoil.minilab.tools import tool

MESSAGE = {"message": "1 Scanned\nall well", "number": "+4412", "recipients": ["+4913"]}


@pytest.fixture
def service(loopback, monkeypatch):
    """The stand-in as the lab runs it: a process of its own."""
    monkeypatch.setattr(layout, "SIGNAL_PORT", free_port())
    assert signal.up() == "started"
    yield f"http://127.0.0.1:{layout.SIGNAL_PORT}"
    signal.down()


def ask(url, body=None):
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data), timeout=5) as answer:
            return answer.status, json.loads(answer.read() or "null")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_a_message_is_taken_and_kept(service):
    for _ in range(2):
        status, answer = ask(f"{service}/v2/send", {**MESSAGE, "text_mode": "styled"})
        assert status == 201 and answer["timestamp"].isdigit()
    kept = list(signal.taken(layout.SIGNAL_MESSAGES))
    assert [{key: one[key] for key in MESSAGE} for one in kept] == [MESSAGE, MESSAGE]
    assert kept[0]["text_mode"] == "styled" and kept[0]["time"] <= kept[1]["time"]
    assert layout.SIGNAL_MESSAGES.stat().st_mode & 0o777 == 0o600


def test_it_says_what_it_is(service):
    status, about = ask(f"{service}/v1/about")
    assert status == 200 and about["versions"] == ["v1", "v2"] and "stand-in" in about["version"]
    assert ask(f"{service}/v1/health") == (204, None)
    assert ask(f"{service}/v1/groups/+4412")[0] == ask(f"{service}/v1/send", MESSAGE)[0] == 404


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"no JSON", "invalid request"),
        (b"[1]", "invalid request"),
        ({**MESSAGE, "recipients": "+4913"}, "invalid request"),
        ({**MESSAGE, "recipients": [1]}, "invalid request"),
        ({**MESSAGE, "recipients": []}, "at least one recipient"),
        ({"message": "x", "number": "+4412"}, "at least one recipient"),
        ({**MESSAGE, "number": ""}, "a valid number"),
        ({**MESSAGE, "recipients": ["+4913", "group.abc="]}, "cannot be specified together"),
        ({**MESSAGE, "recipients": ["group.a=", "group.b="]}, "more than one group"),
    ],
)
def test_what_the_service_would_not_take_is_refused(service, body, complaint):
    status, answer = ask(f"{service}/v2/send", body)
    assert status == 400 and complaint in answer["error"]
    assert list(signal.taken(layout.SIGNAL_MESSAGES)) == []


def test_a_message_too_large_is_refused_unread(service):
    connection = http.client.HTTPConnection("127.0.0.1", layout.SIGNAL_PORT, timeout=5)
    connection.putrequest("POST", "/v2/send")
    connection.putheader("Content-Length", str(signal.MAX_BYTES + 1))
    connection.endheaders()
    assert connection.getresponse().status == 400
    connection.close()


def test_it_can_be_made_to_refuse(service):
    refuse = layout.SIGNAL_MESSAGES.with_name("refuse")
    refuse.write_text("number +4412 is not registered\n")
    assert ask(f"{service}/v2/send", MESSAGE) == (400, {"error": "number +4412 is not registered"})
    refuse.unlink()
    assert ask(f"{service}/v2/send", MESSAGE)[0] == 201
    assert len(list(signal.taken(layout.SIGNAL_MESSAGES))) == 1


def test_its_log_has_no_words_of_a_message(service):
    ask(f"{service}/v2/send", MESSAGE)
    log = signal.daemon().log.read_text()
    assert "POST /v2/send" in log and "all well" not in log and "+4913" not in log


def test_it_goes_away_and_keeps_its_messages(service):
    ask(f"{service}/v2/send", MESSAGE)
    assert signal.is_up() and signal.up() == daemons.RUNNING
    assert signal.down() == "stopped" and not signal.is_up()
    assert len(list(signal.taken(layout.SIGNAL_MESSAGES))) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="`zerotoil lab` needs root")
def test_the_command_prints_the_messages(service):
    assert CliRunner().invoke(lab, ["messages"]).output == ""
    ask(f"{service}/v2/send", MESSAGE)
    plain = CliRunner().invoke(lab, ["messages"]).output
    assert plain.splitlines()[0].endswith("  +4412 -> +4913")
    assert plain.splitlines()[1:] == ["    1 Scanned", "    all well"]
    (line,) = CliRunner().invoke(lab, ["messages", "--json"]).output.splitlines()
    assert json.loads(line).items() >= MESSAGE.items()


class Engine(http.server.BaseHTTPRequestHandler):
    """A Docker engine without containers, as far as the updater asks it."""

    def do_GET(self):
        answer = [] if "/containers/json" in self.path else {"Version": "26.1.5", "ApiVersion": "1.45", "MinAPIVersion": "1.24"}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def address_string(self):
        return "unix"

    def log_message(self, *_):
        pass


def test_the_updaters_report_arrives(service, tmp_path):
    """The program itself, from its settings to the message."""
    (tmp_path / "notify-url").write_text(f"signal://127.0.0.1:{layout.SIGNAL_PORT}/+4412/+4913?disabletls=yes\n")
    engine = socketserver.ThreadingUnixStreamServer(str(tmp_path / "docker.sock"), Engine)
    threading.Thread(target=engine.serve_forever, daemon=True).start()
    env = {
        "DOCKER_HOST": f"unix://{tmp_path / 'docker.sock'}",
        "WATCHTOWER_NOTIFICATION_URL": str(tmp_path / "notify-url"),
        "WATCHTOWER_NOTIFICATION_REPORT": "true",
        "WATCHTOWER_NOTIFICATIONS_HOSTNAME": "demo1",
        "WATCHTOWER_SCHEDULE": "0 30 3 * * *",
        "TZ": "Europe/London",
        "DOCKER_CONFIG": str(tmp_path),
    }
    command = [tool("watchtower-standin"), "--run-once"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=20)
    engine.shutdown()
    engine.server_close()
    assert done.returncode == 0, done.stderr
    assert "STAND-IN" in done.stderr and "+4913" not in done.stderr
    (message,) = signal.taken(layout.SIGNAL_MESSAGES)
    assert message["message"].startswith("Watchtower updates on demo1\n0 Scanned, 0 Updated, 0 Restarted, 0 Failed")
    assert message["recipients"] == ["+4913"]
