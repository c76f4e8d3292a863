"""A test message by every path, for real but for the machines: Apprise, the guest's script, a NAS that mails."""

import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.resources.guest.test_notify_scripts import Host, generic_url, signal_url
from tests.resources.nas.conftest import KEY, simulator
from tests.sinks import FakeSink
from tests.smtp import FakeSmtp
from zerotoil.clients import apprise
from zerotoil.layers import Site
from zerotoil.minilab.nas import Simulator
from zerotoil.model.secret import Secret
from zerotoil.resources.guest.notify import SCRIPT
from zerotoil.resources.nas.alerts import alert_resources
from zerotoil.workflows.notify_paths import try_all


@pytest.fixture
def smtp(stack: ExitStack) -> FakeSmtp:
    return stack.enter_context(FakeSmtp())


@pytest.fixture(params=["24.10", "26"])
def sim(request: pytest.FixtureRequest, stack: ExitStack) -> Simulator:
    return stack.enter_context(simulator(request.param))


def site(folder: Path, *sinks: str, **keys: Any) -> Site:
    """A host whose guest is a folder; without Watchtower, unless one is declared."""
    keys.setdefault("watchtower_enabled", "watchtower_notify_url" in keys)
    host = Host(folder, list(sinks), **keys)

    def shell(script: str) -> str:
        script = script.replace(SCRIPT, f"{folder}{SCRIPT}")
        done = subprocess.run(["sh", "-s"], input=script, capture_output=True, text=True, timeout=60, env=host.env())
        assert done.returncode == 0, done.stderr
        return done.stdout

    return Site(host.spec, folder, shell=shell)


def lines(*sites: Site) -> list[str]:
    return [str(outcome) for outcome in try_all(sites)]


def test_each_sink_is_tried_from_here_and_from_the_host(tmp_path: Path, sink: FakeSink) -> None:
    one = site(tmp_path, signal_url(sink), generic_url(sink))
    assert lines(one) == [
        "this machine -> notify_sinks[0]: ok",
        "this machine -> notify_sinks[1]: ok",
        "docker1 -> notify_sinks[0]: ok",
        "docker1 -> notify_sinks[1]: ok",
    ]
    from_here, _, from_host, _ = sink.messages
    assert from_here["message"] == "zerotoil: test: zerotoil notify test\r\nA test: what is sent from here arrives."
    assert (from_here["number"], from_here["recipients"]) == (from_host["number"], from_host["recipients"])
    assert from_host["message"] == "docker1: test: zerotoil notify test\nA test: messages of this host arrive here."


def test_what_hosts_share_is_tried_once_from_here(tmp_path: Path, sink: FakeSink) -> None:
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    found = lines(site(tmp_path / "a", signal_url(sink)), site(tmp_path / "b", signal_url(sink)))
    assert [line for line in found if line.startswith("this machine")] == ["this machine -> notify_sinks[0]: ok"]
    assert len(sink.messages) == 3


def test_a_sink_that_fails_says_why_and_shows_no_secret(tmp_path: Path, sink: FakeSink) -> None:
    one = site(tmp_path, f"signal://me:hunter2@{sink.place}/+4915112345678/+4915187654321?disabletls=yes")
    sink.status = 401
    here, host = lines(one)
    assert here.startswith("this machine -> notify_sinks[0]: failed: Apprise: Failed to send 1 Signal API notification")
    assert "error=401" in here and here.endswith("are its numbers and tokens right? [ZT143]")
    assert host == (
        "docker1 -> notify_sinks[0]: failed: docker1: HTTP 401: does the service run, is it reached from the host, and are its "
        "numbers and tokens right? [ZT412]"
    )
    sink.die()
    here, host = lines(one)
    assert "A Connection error occured" in here
    assert "docker1: nothing answers there: " in host
    for line in (here, host):
        assert not any(secret in line for secret in ("hunter2", "4915112345678", "4915187654321"))


def test_no_part_of_an_url_is_repeated_but_its_host() -> None:
    url = "signals://me:hunter%402@signal.lan:8080/+4915112345678/+4915187654321?verify=no&token=t0ken"
    said = f"cannot send to +4915187654321 by {url} as hunter@2 with t0ken at signal.lan"
    assert apprise._masked(said, url).endswith(" as ******** with ******** at signal.lan")
    assert not any(part in apprise._masked(said, url) for part in ("hunter", "49151", "t0ken"))


def test_what_apprise_cannot_say_is_left_to_the_hosts(tmp_path: Path, sink: FakeSink) -> None:
    here, host = lines(site(tmp_path, signal_url(sink, "&token=t0ken")))
    assert here.startswith("this machine -> notify_sinks[0]: not tested: Apprise: its Signal knows no token: hosts")
    assert host == "docker1 -> notify_sinks[0]: ok"


def test_a_host_without_the_script_or_with_an_old_list(tmp_path: Path, sink: FakeSink) -> None:
    one = site(tmp_path, generic_url(sink))
    (tmp_path / "var/mnt/data/zerotoil/notify/sinks.json").write_text("[]")
    assert lines(one)[1] == "docker1 -> notify_sinks[0]: failed: docker1: it does not know this sink: run the deploy [ZT411]"
    (tmp_path / SCRIPT.lstrip("/")).unlink()
    assert lines(one)[1] == "docker1 -> notify_sinks[0]: failed: docker1: its script is not there: run the deploy [ZT411]"


def test_a_secret_that_cannot_be_read(tmp_path: Path, sink: FakeSink) -> None:
    one = site(tmp_path, generic_url(sink))
    spec = one.spec.model_copy(update={"notify": one.spec.notify.model_copy(update={"sinks": [Secret(source="file:/none")]})})
    found = lines(Site(spec, tmp_path, shell=one.shell))
    assert [line.split(": ", 1)[0] for line in found] == ["this machine -> notify_sinks", "docker1 -> notify_sinks"]
    assert all("the secret file /none cannot be read" in line and line.endswith("[ZT701]") for line in found)


def test_watchtower_gets_the_sinks_of_its_host(tmp_path: Path, sink: FakeSink) -> None:
    said = lines(site(tmp_path, signal_url(sink), watchtower_enabled=True))[-1]
    assert said == "docker1's Watchtower -> notify_sinks: not tested: it sends after an update only, to the sinks above"


def test_watchtower_is_named_as_not_testable(tmp_path: Path, sink: FakeSink) -> None:
    url = signal_url(sink)
    same = site(tmp_path, url, watchtower_notify_url=Secret(url))
    path = "docker1's Watchtower -> watchtower_notify_url"
    assert lines(same)[-1] == f"{path}: not tested: it sends after an update only; its URL is that of notify_sinks[0]"
    (tmp_path / "b").mkdir()
    other = site(tmp_path / "b", watchtower_notify_url=Secret("ntfy://ntfy.lan/x"))
    assert lines(other) == [f"{path}: not tested: it sends after an update only"]


def nas_keys(sim: Simulator, port: int) -> dict[str, Any]:
    return {
        "nas_url": sim.url, "nas_fingerprint": sim.fingerprint, "nas_api_key": Secret(KEY), "watchtower_enabled": False,
        "nas_mail_server": "127.0.0.1", "nas_mail_port": port, "nas_mail_from": "nas@home.lan",
        "nas_alert_mail": "signal@mailrise.xyz",
    }  # fmt: skip


def test_the_nas_mails_for_real(tmp_path: Path, sim: Simulator, smtp: FakeSmtp) -> None:
    one = site(tmp_path, **nas_keys(sim, smtp.port))
    assert lines(one)[0].startswith("NAS -> signal@mailrise.xyz: failed: the NAS is not as declared yet (mail settings: server")
    for resource in alert_resources(one.spec.nas, one.nas, "home"):
        resource.apply()
    assert lines(one) == [
        "NAS -> signal@mailrise.xyz: ok",
        "NAS's alert service 'zerotoil home': ok: a test alert is on its way; TrueNAS does not say whether it goes out",
    ]
    assert [mail["To"] for mail in smtp.mails] == ["signal@mailrise.xyz"] * 2
    assert smtp.mails[0]["Subject"] == "TrueNAS lab-nas.local: zerotoil notify test"
    smtp.refuses = True
    (line,) = lines(one)
    assert line.startswith("NAS -> signal@mailrise.xyz: failed: mail.send failed on the NAS ([EFAULT] Failed to send email: ")
    assert "nobody of that name" in line and line.endswith("are the nas_mail_… keys right? [ZT232]")


def test_an_alert_service_that_cannot_begin(
    tmp_path: Path, sim: Simulator, smtp: FakeSmtp, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zerotoil.minilab.nas.middleware import METHODS

    one = site(tmp_path, **nas_keys(sim, smtp.port))
    for resource in alert_resources(one.spec.nas, one.nas, "home"):
        resource.apply()
    monkeypatch.setitem(METHODS, "alertservice.test", lambda *_: False)
    found = "failed: the NAS could not send by its alert service 'zerotoil home': try it there: System, Alert Settings, Send Test"
    assert found in lines(one)[1] and lines(one)[1].endswith("[ZT233]")
